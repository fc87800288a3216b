/* trial.h: the fence tried from inside. Built into test builds alone (POSTRIDER_FENCE_TRIAL): a
 * process that is fenced attempts what it must not be able to do, and says how each attempt ended.
 */
#pragma once

#include "port/log.h"

/* An event `fence-trial` for each: `attempt`, and `errno`, 0 where it was let. `outside` is a file
 * that is there and may not be read. `expendable`: each is attempted in a process of its own, which
 * it may spoil; for a process that is not fenced. */
void fence_trial(struct log *log, struct str outside, bool expendable);
