/* programs.h: port/program.h by uv_spawn, or by a starter (program_starter.h). */
#pragma once

#include "core/base/list.h"
#include "port/program.h"
#include "world/soon.h"

struct loop;
struct program_starter;

struct loop_programs {
    struct programs port;
    struct loop *loop;
    struct program_starter *starter; /* null: the loop starts them itself */
    struct list running;
    struct program_run *starved; /* asked when there was no memory: linked by `impl` */
    struct soon starved_soon;
};

void loop_programs_init(struct loop_programs *p, struct loop *loop);
void loop_programs_close(struct loop_programs *p);
