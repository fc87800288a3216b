#include "cli/trace/options.h"

#include "core/dns/idn.h"
#include "core/mail/domain.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const struct option long_options[] = {{"received", no_argument, NULL, 'r'},
                                             {"json", no_argument, NULL, 'j'},
                                             {"all", no_argument, NULL, 'a'},
                                             {"offline", no_argument, NULL, 'o'},
                                             {"html", required_argument, NULL, 'w'},
                                             {"trust", required_argument, NULL, 't'},
                                             {"dns", required_argument, NULL, 'd'},
                                             {"trust-anchor", required_argument, NULL, 'k'},
                                             {"config", required_argument, NULL, 'c'},
                                             {"help", no_argument, NULL, 'h'},
                                             {0}};

static int no_memory(void)
{
    (void)fprintf(stderr, "postrider trace: not enough memory\n");
    return EX_OSERR;
}

/* A host's name or, with a dot before it, all names below. Not what looks like an address, or is
 * none. */
static bool name_of(struct str text, struct buf *name)
{
    struct domain domain;
    bool suffix = str_starts(text, STR("."));
    struct str rest = str_tail(text, suffix ? 1 : 0);
    struct str last = str_tail(rest, str_rfind(rest, '.') + 1); /* STR_NONE + 1: all of it */
    uint64_t number;
    buf_add(name, suffix ? STR(".") : STR(""));
    return domain_parse(rest, &domain) && domain.kind == DOMAIN_NAME &&
           !str_to_u64(last, UINT64_MAX, &number) && idn_to_ascii(name, rest);
}

static int trust(struct trace_options *o, const char *text)
{
    struct str word = str_from_cstr(text);
    struct network network;
    struct buf name = {0};
    int code = -1;
    if (o->name_count + o->network_count == TRACE_TRUST_MAX) {
        (void)fprintf(stderr, "postrider trace: at most %d times --trust\n", TRACE_TRUST_MAX);
        return EX_USAGE;
    }
    if (network_parse(word, &network)) {
        o->networks[o->network_count++] = network;
    } else if (name_of(word, &name)) {
        struct str kept = arena_copy(&o->arena, buf_str(&name));
        o->names[o->name_count++] = kept;
        code = kept.ptr ? -1 : no_memory();
    } else {
        (void)fprintf(stderr,
                      "postrider trace: --trust wants a host (mx.example.org), all hosts of a "
                      "domain (.example.org)\nor a network (192.0.2.0/24, 2001:db8::/32), not "
                      "\"%s\"\n",
                      text);
        code = EX_USAGE;
    }
    buf_done(&name);
    return code;
}

static int take(struct trace_options *o, int option)
{
    switch (option) {
    case 'r':
        o->received = true;
        return -1;
    case 'j':
        o->json = true;
        return -1;
    case 'a':
        o->all = true;
        return -1;
    case 'o':
        o->offline = true;
        return -1;
    case 'w':
        o->html = optarg;
        return -1;
    case 't':
        return trust(o, optarg);
    case 'd':
        o->dns = optarg;
        return -1;
    case 'k':
        o->trust_anchor = optarg;
        return -1;
    case 'c':
        o->config = optarg;
        return -1;
    case 'h':
        o->help = true;
        return -1;
    default:
        return EX_USAGE;
    }
}

/* What cannot be meant together. */
static int contradiction(const struct trace_options *o, int words)
{
    const bool judging = o->json || o->all || o->offline || o->html || o->dns || o->trust_anchor ||
                         o->name_count + o->network_count > 0 || words > 0;
    const struct {
        bool holds;
        const char *what;
    } rows[] = {
        {o->received && judging, "--received reads one field from standard input, and takes no "
                                 "other option"},
        {words > 1, "one FILE at a time; a folder of messages or an mbox with --all"},
        {o->all && o->html, "--html makes the page of one message; not with --all"},
        {o->offline && (o->dns || o->trust_anchor), "--offline asks no DNS; not with --dns or "
                                                    "--trust-anchor"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].holds) {
            (void)fprintf(stderr, "postrider trace: %s\n", rows[i].what);
            return EX_USAGE;
        }
    }
    return -1;
}

int trace_options_take(struct trace_options *o, int argc, char **argv)
{
    *o = (struct trace_options){0};
    /* One more: the server's own name. */
    o->names = arena_array(&o->arena, TRACE_TRUST_MAX + 1, sizeof *o->names);
    o->networks = arena_array(&o->arena, TRACE_TRUST_MAX, sizeof *o->networks);
    if (!o->names || !o->networks) {
        return no_memory();
    }
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        int code = take(o, c);
        if (code >= 0) {
            return code;
        }
    }
    o->file = optind < argc && strcmp(argv[optind], "-") != 0 ? argv[optind] : NULL;
    return o->help ? -1 : contradiction(o, argc - optind);
}

void trace_options_done(struct trace_options *o)
{
    arena_done(&o->arena);
}
