#include "path/queue/inside.h"

void control_resume(struct queue *q, struct active *a)
{
    (void)q;
    (void)a;
}
void control_drop(struct queue *q)
{
    (void)q;
}
