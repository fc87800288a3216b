/* programs.h: port/program.h by uv_spawn. */
#pragma once

#include "core/base/list.h"
#include "port/program.h"
#include "world/soon.h"

struct loop;

struct loop_programs {
    struct programs port;
    struct loop *loop;
    struct list running;
    struct program_run *starved; /* asked when there was no memory: linked by `impl` */
    struct soon starved_soon;
};

void loop_programs_init(struct loop_programs *p, struct loop *loop);
void loop_programs_close(struct loop_programs *p);
