/* verb.h: the verbs of the program, a file each. Every one takes its own name as argv[0], prints
 * its help with --help, and returns an exit code of sysexits.h. */
#pragma once

int verb_serve(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_send(int argc, char **argv);
int verb_queue(int argc, char **argv);
int verb_why(int argc, char **argv);
int verb_report(int argc, char **argv);
int verb_route(int argc, char **argv);
int verb_dkim(int argc, char **argv);
int verb_user(int argc, char **argv);
int verb_trace(int argc, char **argv);
int verb_verify(int argc, char **argv);
