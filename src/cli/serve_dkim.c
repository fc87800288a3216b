#include "cli/serve_dkim.h"

#include "tls/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool serve_dkim_open(struct serve_dkim *dkim, struct loop *home, struct loop **loops, size_t count)
{
    dkim->signer = dkim_signer_new(dkim->connect_keys, dkim->owner);
    dkim->home = dkim->signer ? dkim_signer_for(dkim->signer, loop_ports(home)->inbox) : NULL;
    dkim->count = dkim->home ? count : 0;
    for (size_t i = 0; i < dkim->count; i++) {
        struct signer *signer = dkim_signer_for(dkim->signer, loop_ports(loops[i])->inbox);
        dkim->crypto[i] = tls_crypto_new();
        if (!signer || !dkim->crypto[i]) {
            dkim->count = i + 1;
            dkim->home = NULL;
            break;
        }
        loop_set_signer(loops[i], signer, dkim->crypto[i]);
    }
    if (!dkim->home) {
        (void)fprintf(stderr, "postrider: not enough memory to sign mail\n");
    }
    return dkim->home != NULL;
}

static void ask(struct serve_dkim *dkim)
{
    dkim->order.file = dkim->tried->dkim_keys[dkim->at].file;
    dkim->home->sign(dkim->home, &dkim->order);
}

/* A later configuration's keys are tried instead. */
static void begin(struct serve_dkim *dkim)
{
    config_drop(dkim->tried);
    dkim->tried = dkim->next;
    dkim->next = NULL;
    dkim->at = 0;
    if (dkim->tried->dkim_key_count > 0) {
        ask(dkim);
    } else {
        config_drop(dkim->tried);
        dkim->tried = NULL;
    }
}

static void on_tried(struct signer_order *order)
{
    struct serve_dkim *dkim = order->owner;
    const struct config_dkim_key *key = &dkim->tried->dkim_keys[dkim->at];
    if (order->result < 0) {
        log_event(dkim->log, LOG_ERROR, "dkim-trouble", F_STR("key", key->file),
                  F_STR("domain", key->domain), F_STR("selector", key->selector),
                  F_STR("reason", order->result == -ENOENT
                                      ? STR("it cannot be used; mail of the domain waits")
                                      : str_from_cstr(strerror(-order->result))));
    }
    if (dkim->next) {
        begin(dkim);
    } else if (++dkim->at < dkim->tried->dkim_key_count) {
        ask(dkim);
    } else {
        config_drop(dkim->tried);
        dkim->tried = NULL;
    }
}

void serve_dkim_try(struct serve_dkim *dkim, const struct config *config)
{
    bool busy = dkim->tried != NULL;
    config_drop(dkim->next);
    dkim->next = config_hold(config);
    dkim_signer_renew(dkim->signer);
    if (!busy) {
        dkim->order = (struct signer_order){.done = on_tried, .owner = dkim};
        begin(dkim);
    }
}

void serve_dkim_close(struct serve_dkim *dkim)
{
    dkim_signer_free(dkim->signer);
    for (size_t i = 0; i < dkim->count; i++) {
        tls_crypto_free(dkim->crypto[i]);
    }
    config_drop(dkim->tried);
    config_drop(dkim->next);
}
