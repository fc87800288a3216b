#include "path/policy/asking.h"

static void finish(struct asking *asking)
{
    asker_cancel(&asking->asker);
    asking->ports->timers->cancel(asking->ports->timers, &asking->patience);
    asking->machine->ended(asking);
}

static void out_of_patience(struct timer *timer)
{
    struct asking *asking = CONTAINER_OF(timer, struct asking, patience);
    asking->machine->give_up(asking);
    finish(asking);
}

static bool next_question(struct asker *asker, struct dns_question *question)
{
    struct asking *asking = CONTAINER_OF(asker, struct asking, asker);
    return asking->machine->question(asking, question);
}

static void take_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    struct asking *asking = CONTAINER_OF(asker, struct asking, asker);
    asking->machine->answer(asking, id, answer);
}

static void turned(struct asker *asker)
{
    struct asking *asking = CONTAINER_OF(asker, struct asking, asker);
    if (asking->machine->over(asking)) {
        finish(asking);
    }
}

void asking_start(struct asking *asking, const struct asking_machine *machine,
                  const struct ports *ports)
{
    *asking = (struct asking){.machine = machine, .ports = ports};
    asking->asker = (struct asker){.resolver = ports->resolver,
                                   .question = next_question,
                                   .answer = take_answer,
                                   .turned = turned};
    asking->patience.fire = out_of_patience;
    asker_ask(&asking->asker);
    /* What is known without asking is told when the loop turns. */
    ports->timers->arm(ports->timers, &asking->patience,
                       machine->over(asking) ? SPAN_S(0) : SPAN_S(20));
}

void asking_cancel(struct asking *asking)
{
    asker_cancel(&asking->asker);
    if (asking->patience.fire) {
        asking->ports->timers->cancel(asking->ports->timers, &asking->patience);
    }
}
