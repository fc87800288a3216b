/* local_deliver.h: into a mailbox or program on this machine: HOP_MAILDIR, HOP_MBOX, HOP_PIPE and
 * HOP_DISCARD, one recipient at a time. */
#pragma once

#include "path/deliver/deliver.h"

/* Delivers the job's message to `rcpt`, by rcpt->hop. Fills in rcpt->outcome whole (texts in
 * job->arena), then `done` runs, once, on this loop, never before this call returned unless there
 * is no memory at all. Two calls for different recipients of one job do not overlap; calls for
 * different jobs do. */
void local_deliver(struct deliver_office *office, struct delivery_job *job, struct job_rcpt *rcpt,
                   void (*done)(struct delivery_job *job, struct job_rcpt *rcpt));
