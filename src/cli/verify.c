/* verify.c: `postrider verify`: who answers for a message, by SPF, DKIM, ARC and DMARC. */
#include "cli/options.h"
#include "cli/trace/source.h"
#include "cli/verb.h"
#include "cli/verify_tell.h"
#include "path/policy/dkim_query.h"
#include "path/policy/dmarc_query.h"
#include "path/policy/spf_query.h"
#include "tls/crypto.h"
#include "world/log.h"
#include "world/loop.h"
#include "world/resolver.h"
#include "world/suffixes.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { MESSAGE_MAX = 64 << 20 };

struct order {
    const char *file; /* null: standard input */
    const char *config;
    struct str helo, mail_from, dns, trust_anchor;
    bool has_mail_from; /* it may be empty: the null path */
    struct ip ip;
    bool json;
};

struct verifying {
    struct loop *loop;
    struct crypto *crypto;
    struct suffixes *suffixes;
    struct str message;
    struct arena arena;
    struct spf_query spf[2];
    struct dkim_query dkim;
    struct dmarc_query dmarc;
    unsigned open; /* checks under way before DMARC */
    struct verdicts verdicts;
};

static void print_help(void)
{
    (void)printf(
        "usage: postrider verify [FILE] [options]\n\n"
        "Tells who answers for a message, by what the DNS says today: SPF (with --ip), every DKIM\n"
        "signature, the ARC chain, and DMARC's verdict on From, each with its reason. FILE or "
        "standard\n"
        "input is a message.\n\n"
        "  --ip ADDR            the address that the message came from\n"
        "  --helo NAME          what that client said it was\n"
        "  --mail-from ADDRESS  the envelope's sender; default: the message's Return-Path\n"
        "  --json               as a JSON object\n"
        "  --dns ADDR@PORT      ask this name server\n"
        "  --trust-anchor FILE  check DNSSEC with it\n"
        "  -c, --config FILE    the configuration\n\n"
        "Exit code 0: DMARC passes or, without a policy, SPF, a DKIM signature or the ARC chain; "
        "77:\n"
        "not so; 75: not so yet, the DNS does not answer; 64, 66, 78: wrong usage, file,\n"
        "configuration.\n\n"
        "example: postrider verify message.eml --ip 192.0.2.1 --helo mx.example.org \\\n"
        "             --mail-from someone@example.org\n");
}

/* The message, which is the caller's then. 0 or -errno. */
static int read_message(const char *path, struct buf *message)
{
    struct source *source = calloc(1, sizeof *source);
    if (!source) {
        return -ENOMEM;
    }
    source->path = path && strcmp(path, "-") != 0 ? path : NULL;
    source->keep = MESSAGE_MAX;
    int error = source_open(source);
    if (error == 0) {
        int found = source_next(source);
        error = found < 0 ? found : source->cut ? -EFBIG : 0;
        *message = source->message;
        source->message = (struct buf){0};
    }
    source_close(source);
    free(source);
    return error;
}

/* The address in the topmost Return-Path; empty where there is none, or it is "<>". */
static struct str return_path(struct str message)
{
    struct header_iter it = header_begin(message);
    for (struct header_field field; header_next(&it, &field);) {
        if (str_eq_nocase(field.name, STR("Return-Path"))) {
            struct str value = str_trim(field.value);
            size_t open = str_find(value, '<');
            struct str rest = str_tail(value, open == STR_NONE ? 0 : open + 1);
            return str_trim(str_split(&rest, '>'));
        }
    }
    return (struct str){0};
}

static void on_dmarc(struct dmarc_query *query)
{
    struct verifying *v = query->owner;
    loop_stop(v->loop);
}

/* DMARC comes when all others are known. */
static void one_less(struct verifying *v)
{
    if (--v->open > 0) {
        return;
    }
    v->dmarc = (struct dmarc_query){.done = on_dmarc,
                                    .ports = loop_ports(v->loop),
                                    .suffixes = v->suffixes,
                                    .arena = &v->arena,
                                    .header = v->message,
                                    .spf = v->verdicts.spf_count > 0 ? &v->spf[0].spf : NULL,
                                    .dkim = &v->dkim.dkim,
                                    .owner = v};
    v->verdicts.dmarc = &v->dmarc.dmarc;
    dmarc_query_start(&v->dmarc);
}

static void on_spf(struct spf_query *query)
{
    one_less(query->owner);
}

static void on_dkim(struct dkim_query *query)
{
    one_less(query->owner);
}

static void start_spf(struct verifying *v, const char *property, struct str sender,
                      const struct order *o, int64_t now)
{
    size_t number = v->verdicts.spf_count++;
    struct spf_query *query = &v->spf[number];
    *query = (struct spf_query){.done = on_spf,
                                .ports = loop_ports(v->loop),
                                .arena = &v->arena,
                                .request = {.ip = o->ip,
                                            .sender = sender,
                                            .helo = o->helo,
                                            .receiver = v->verdicts.server,
                                            .now = now},
                                .owner = v};
    v->verdicts.spf[number] = (struct spf_verdict){&query->spf, property, sender};
    v->open++;
    spf_query_start(query);
}

/* RFC 7208 2.3 and 2.4: the HELO name is checked for itself, and the sender unless there is none.
 */
static void start(struct verifying *v, const struct order *o)
{
    const struct ports *ports = loop_ports(v->loop);
    int64_t now = instant_seconds(ports->clock->wall(ports->clock));
    struct str sender = o->has_mail_from ? o->mail_from : return_path(v->message);
    if (o->ip.family != IP_NONE && sender.len > 0) {
        start_spf(v, "smtp.mailfrom", sender, o, now);
    }
    if (o->ip.family != IP_NONE && o->helo.len > 0) {
        start_spf(v, "smtp.helo", o->helo, o, now);
    }
    v->dkim = (struct dkim_query){.done = on_dkim,
                                  .ports = ports,
                                  .crypto = v->crypto,
                                  .arena = &v->arena,
                                  .message = v->message,
                                  .now = now,
                                  .owner = v};
    v->verdicts.dkim = &v->dkim.dkim;
    v->verdicts.arc = &v->dkim.arc;
    v->open++;
    dkim_query_start(&v->dkim);
}

static int run(const struct order *o, const struct config *config, struct str message)
{
    char reason[256] = "no memory";
    struct dns_service_options dns = {.servers = o->dns.len ? &o->dns : config->dns_servers,
                                      .server_count = o->dns.len ? 1 : config->dns_server_count,
                                      .trust_anchor = o->trust_anchor.len ? o->trust_anchor
                                                                          : config->trust_anchor};
    struct verifying *v = calloc(1, sizeof *v);
    struct log *log = log_new(2, LOG_STYLE_AUTO, LOG_WARNING);
    struct dns_service *service = dns_service_new(&dns, reason, sizeof reason);
    int code = EX_OSERR;
    if (v && log && service) {
        v->loop = loop_new(log, service);
        v->crypto = tls_crypto_new();
        v->suffixes = suffixes_new();
        v->message = message;
        v->verdicts.server = config->hostname;
    }
    if (v && v->loop && v->crypto && v->suffixes) {
        start(v, o);
        loop_run(v->loop);
        code = verify_tell(&v->verdicts, o->json);
    } else {
        (void)fprintf(stderr, "postrider verify: no DNS: %s\n", reason);
    }
    if (v) {
        loop_free(v->loop);
        tls_crypto_free(v->crypto);
        suffixes_free(v->suffixes);
        arena_done(&v->arena);
    }
    free(v);
    dns_service_free(service);
    log_free(log);
    return code;
}

enum { OPTION_IP = 256, OPTION_HELO, OPTION_MAIL_FROM, OPTION_DNS, OPTION_ANCHOR, OPTION_JSON };

/* "<a@b>" and "a@b" are alike. */
static struct str without_brackets(struct str address)
{
    bool bracketed = str_starts(address, STR("<")) && str_ends(address, STR(">"));
    return bracketed ? str_head(str_tail(address, 1), address.len - 2) : address;
}

/* False: no such option, or not of its form; a text says so. */
static bool take(struct order *o, int option)
{
    struct str word = str_from_cstr(optarg);
    switch (option) {
    case OPTION_IP:
        if (!ip_parse(word, &o->ip)) {
            (void)fprintf(stderr, "postrider verify: \"%s\" is no address\n", optarg);
            return false;
        }
        return true;
    case OPTION_HELO:
        o->helo = word;
        return true;
    case OPTION_MAIL_FROM:
        o->mail_from = without_brackets(word);
        o->has_mail_from = true;
        return true;
    case OPTION_DNS:
        o->dns = word;
        return true;
    case OPTION_ANCHOR:
        o->trust_anchor = word;
        return true;
    case OPTION_JSON:
        o->json = true;
        return true;
    case 'c':
        o->config = optarg;
        return true;
    default:
        return false;
    }
}

static int verify(const struct order *o)
{
    struct options_config source;
    struct buf message = {0};
    struct config *config = options_config(&source, o->config);
    int code = EX_CONFIG;
    int error = config ? read_message(o->file, &message) : 0;
    if (error != 0) {
        (void)fprintf(stderr, "postrider verify: %s: %s\n", o->file ? o->file : "standard input",
                      strerror(-error));
        code = EX_NOINPUT;
    } else if (config) {
        code = run(o, config, buf_str(&message));
    }
    buf_done(&message);
    config_drop(config);
    options_done(&source);
    return code;
}

int verb_verify(int argc, char **argv)
{
    static const struct option options[] = {
        {"ip", required_argument, NULL, OPTION_IP},
        {"helo", required_argument, NULL, OPTION_HELO},
        {"mail-from", required_argument, NULL, OPTION_MAIL_FROM},
        {"dns", required_argument, NULL, OPTION_DNS},
        {"trust-anchor", required_argument, NULL, OPTION_ANCHOR},
        {"json", no_argument, NULL, OPTION_JSON},
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {0}};
    struct order o = {0};
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (c == 'h') {
            print_help();
            return EX_OK;
        }
        if (!take(&o, c)) {
            return EX_USAGE;
        }
    }
    if (argc - optind > 1) {
        (void)fprintf(stderr, "postrider verify: one message at a time. See --help\n");
        return EX_USAGE;
    }
    o.file = argv[optind];
    return verify(&o);
}
