/* dkim.c: `postrider dkim`: keys that sign mail, and the records by which others find them. */
#include "cli/options.h"
#include "cli/print.h"
#include "cli/verb.h"
#include "core/dns/idn.h"
#include "core/mail/domain.h"
#include "keys/dkim_key.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

enum { RSA_BITS = 2048, STRING_MAX = 255 };

struct order {
    const char *config, *file;
    uint32_t rsa_bits; /* 0: Ed25519 */
    bool json;
};

static void print_help(void)
{
    (void)printf(
        "usage: postrider dkim key DOMAIN SELECTOR [--rsa BITS | --ed25519] [-f FILE]\n"
        "       postrider dkim show [-c FILE]\n\n"
        "`key` makes a key that signs mail from DOMAIN, in a new file (mode 0600, by default\n"
        "SELECTOR.DOMAIN.pem), and prints the record for the DNS and what to write into the\n"
        "configuration. `show` prints the records of all keys of the configuration.\n\n"
        "  --rsa BITS         RSA, which every server understands; default: 2048\n"
        "  --ed25519          shorter and faster; for use beside an RSA key, since not all\n"
        "                     servers know it\n"
        "  -f, --file FILE    where the key is kept\n"
        "  -c, --config FILE  the configuration\n"
        "  --json             a JSON object\n\n"
        "`postrider check --security --dns` compares keys and published records. To change a key:\n"
        "make one with another selector, publish its record, put it into the configuration in\n"
        "place of the old one, reload, and withdraw the old record some days later.\n\n"
        "example: postrider dkim key example.org s1 -f /etc/postrider/dkim/s1.pem\n");
}

struct shown {
    struct str domain, selector, file;
    struct buf record;
    bool ed25519;
    int bits;
};

/* False: told. */
static bool read_key(struct shown *shown, bool tls_reports)
{
    struct buf reason = {0};
    EVP_PKEY *key = dkim_key_read(shown->file.ptr, &reason);
    if (key) {
        shown->ed25519 = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
        shown->bits = EVP_PKEY_get_bits(key);
        dkim_key_record(key, tls_reports, &shown->record);
    } else {
        (void)fprintf(stderr, "postrider: %.*s\n", STR_ARG(reason));
    }
    EVP_PKEY_free(key);
    buf_done(&reason);
    return key != NULL;
}

/* As a zone file has it: strings of at most 255 octets, which count as one text. */
static void print_record(const struct shown *shown)
{
    struct str rest = buf_str(&shown->record);
    (void)printf("%.*s._domainkey.%.*s. IN TXT (", STR_ARG(shown->selector),
                 STR_ARG(shown->domain));
    for (; rest.len > 0; rest = str_tail(rest, STRING_MAX)) {
        (void)printf(" \"%.*s\"", STR_ARG(str_head(rest, STRING_MAX)));
    }
    (void)printf(" )\n");
}

static json_t *facts(const struct shown *shown)
{
    struct buf name = {0};
    buf_join(&name, shown->selector, STR("._domainkey."), shown->domain);
    json_t *object = json_pack(
        "{s:s%, s:s%, s:s%, s:s, s:i, s:s%, s:s%}", "domain", shown->domain.ptr, shown->domain.len,
        "selector", shown->selector.ptr, shown->selector.len, "file", shown->file.ptr,
        shown->file.len, "algorithm", shown->ed25519 ? "ed25519-sha256" : "rsa-sha256", "bits",
        shown->bits, "name", name.ptr, name.len, "record", shown->record.ptr, shown->record.len);
    buf_done(&name);
    return object;
}

static int show(const struct order *o)
{
    struct options_config source;
    struct config *config = options_config(&source, o->config);
    json_t *list = json_array();
    int code = config ? EX_OK : EX_CONFIG;
    for (size_t i = 0; config && i < config->dkim_key_count; i++) {
        const struct config_dkim_key *key = &config->dkim_keys[i];
        struct shown shown = {.domain = key->domain, .selector = key->selector, .file = key->file};
        if (!read_key(&shown, key->use == DKIM_USE_TLS_REPORTS)) {
            code = EX_NOINPUT;
        } else if (o->json) {
            json_array_append_new(list, facts(&shown));
        } else {
            print_record(&shown);
        }
        buf_done(&shown.record);
    }
    if (config && config->dkim_key_count == 0) {
        (void)fprintf(stderr, "postrider: the configuration has no keys (`dkim: …`)\n");
    }
    json_t *all = json_pack("{s:O}", "keys", list);
    if (config && o->json) {
        print_facts(all);
    }
    json_decref(all);
    json_decref(list);
    config_drop(config);
    options_done(&source);
    return code;
}

/* In A-labels and lower case, NUL-terminated. */
static bool take_name(struct arena *arena, const char *word, struct str *name)
{
    struct buf ascii = {0};
    struct domain domain;
    bool good = idn_to_ascii(&ascii, str_from_cstr(word)) &&
                domain_parse(buf_str(&ascii), &domain) && domain.kind == DOMAIN_NAME;
    *name = good ? arena_lower(arena, buf_str(&ascii)) : *name;
    buf_done(&ascii);
    if (!good) {
        (void)fprintf(stderr, "postrider: \"%s\" is no name of the DNS\n", word);
    }
    return good;
}

static int make(const struct order *o, struct arena *arena, struct shown *shown)
{
    struct buf reason = {0};
    shown->file = o->file ? arena_copy(arena, str_from_cstr(o->file))
                          : arena_format(arena, "%.*s.%.*s.pem", STR_ARG(shown->selector),
                                         STR_ARG(shown->domain));
    int code = EX_CANTCREAT;
    if (!shown->file.ptr || !dkim_key_make(shown->file.ptr, o->rsa_bits, &reason)) {
        (void)fprintf(stderr, "postrider: %.*s\n", STR_ARG(reason));
    } else if (read_key(shown, false)) {
        code = EX_OK;
    }
    buf_done(&reason);
    return code;
}

static int key(const struct order *o, const char *domain, const char *selector)
{
    struct arena arena = {0};
    struct shown shown = {.bits = 0};
    int code = EX_USAGE;
    if (take_name(&arena, domain, &shown.domain) && take_name(&arena, selector, &shown.selector)) {
        code = make(o, &arena, &shown);
    }
    if (code == EX_OK && o->json) {
        json_t *object = facts(&shown);
        print_facts(object);
        json_decref(object);
    } else if (code == EX_OK) {
        print_record(&shown);
        (void)printf(";\n; in the configuration, once others can see that:\n; dkim:\n"
                     ";   - {domain: \"%.*s\", selector: \"%.*s\", key: \"%.*s\"}\n",
                     STR_ARG(shown.domain), STR_ARG(shown.selector), STR_ARG(shown.file));
    }
    buf_done(&shown.record);
    arena_done(&arena);
    return code;
}

static bool take_bits(struct order *o)
{
    if (!options_count(optarg, &o->rsa_bits) || o->rsa_bits < DKIM_RSA_BITS_MIN ||
        o->rsa_bits > DKIM_RSA_BITS_MAX) {
        (void)fprintf(stderr, "postrider dkim: --rsa takes %d to %d bits\n", DKIM_RSA_BITS_MIN,
                      DKIM_RSA_BITS_MAX);
        return false;
    }
    return true;
}

int verb_dkim(int argc, char **argv)
{
    static const struct option options[] = {{"rsa", required_argument, NULL, 'r'},
                                            {"ed25519", no_argument, NULL, 'e'},
                                            {"file", required_argument, NULL, 'f'},
                                            {"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct order o = {.rsa_bits = RSA_BITS};
    for (int c; (c = getopt_long(argc, argv, "f:c:h", options, NULL)) != -1;) {
        switch (c) {
        case 'r':
            if (!take_bits(&o)) {
                return EX_USAGE;
            }
            break;
        case 'e':
            o.rsa_bits = 0;
            break;
        case 'f':
            o.file = optarg;
            break;
        case 'c':
            o.config = optarg;
            break;
        case 'j':
            o.json = true;
            break;
        case 'h':
            print_help();
            return EX_OK;
        default:
            return EX_USAGE;
        }
    }
    int words = argc - optind;
    if (words == 3 && strcmp(argv[optind], "key") == 0) {
        return key(&o, argv[optind + 1], argv[optind + 2]);
    }
    if (words == 1 && strcmp(argv[optind], "show") == 0) {
        return show(&o);
    }
    (void)fprintf(stderr, "postrider: dkim key DOMAIN SELECTOR, or dkim show. See --help\n");
    return EX_USAGE;
}
