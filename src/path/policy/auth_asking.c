#include "path/policy/auth_asking.h"

static void finish(struct auth_asking *asking)
{
    asker_cancel(&asking->asker);
    asking->ports->timers->cancel(asking->ports->timers, &asking->patience);
    asking->machine->ended(asking);
}

static void out_of_patience(struct timer *timer)
{
    struct auth_asking *asking = CONTAINER_OF(timer, struct auth_asking, patience);
    asking->machine->give_up(asking);
    finish(asking);
}

static bool next_question(struct asker *asker, struct dns_question *question)
{
    struct auth_asking *asking = CONTAINER_OF(asker, struct auth_asking, asker);
    return asking->machine->question(asking, question);
}

static void take_answer(struct asker *asker, uint32_t id, const struct dns_answer *answer)
{
    struct auth_asking *asking = CONTAINER_OF(asker, struct auth_asking, asker);
    asking->machine->answer(asking, id, answer);
}

static void turned(struct asker *asker)
{
    struct auth_asking *asking = CONTAINER_OF(asker, struct auth_asking, asker);
    if (asking->machine->over(asking)) {
        finish(asking);
    }
}

void auth_asking_start(struct auth_asking *asking, const struct auth_machine *machine,
                       const struct ports *ports)
{
    *asking = (struct auth_asking){.machine = machine, .ports = ports};
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

void auth_asking_cancel(struct auth_asking *asking)
{
    asker_cancel(&asking->asker);
    if (asking->patience.fire) {
        asking->ports->timers->cancel(asking->ports->timers, &asking->patience);
    }
}
