/* pam_child.h: one question to PAM, in a process of its own (`serve --pam`): modules may hang, keep
 * what they like in memory, and know nothing of threads. */
#pragma once

enum pam_verdict { PAM_VERDICT_RIGHT = 'r', PAM_VERDICT_NO = 'n', PAM_VERDICT_DOWN = 'd' };

enum { PAM_QUESTION_MAX = 4096 };

/* Reads the service's name (or its file's path), the user's and the password, each ended by NUL,
 * from standard input, and writes the verdict to standard output: an octet, and with DOWN the
 * reason. Returns the exit code. */
int pam_child_run(void);
