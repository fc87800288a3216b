/* postman.h: delivery to users of this host. The only process that stays root, and does nothing but
 * this: for each letter that the worker hands over it forks, and the child becomes the user before
 * it reads a byte. Then it follows the user's ~/.forward, or delivers to the user's mailbox. */
#pragma once

#include "runner/runner.h"

/* An order is "system", the user's name, and what a program is told in its environment
 * (path/deliver/pipe.h). Input: the message and then, as a sign that it is whole, its MESSAGE_ID.
 * Output: "> address" a line where the mail goes on, else words. Exit codes as of sysexits.h. */
extern const struct runner_work postman_work;
