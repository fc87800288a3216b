/* disk_calls.h: port/disk.h's blocking calls, as system calls. For any thread, and for processes
 * without a loop. */
#pragma once

#include "port/disk.h"

extern struct disk_calls disk_calls;
