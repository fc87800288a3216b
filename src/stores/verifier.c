#include "stores/verifier.h"

#include <crypt.h>
#include <errno.h>
#include <gsasl.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/encode.h"

enum {
    PASSWORD_MAX = 1024,
    ITERATIONS_MAX = 10000000,
    SALT_BYTES = 16,
};

static const struct str scram_names[] = {STR_INIT("SCRAM-SHA-256$"), STR_INIT("SCRAM-SHA-1$")};

/* Overwrites what held a password, in a way that no optimiser drops. */
static void wipe(void *memory, size_t len)
{
    explicit_bzero(memory, len);
}

/* The password prepared, or as it is where it cannot be (a stored hash may be older than SASLprep).
 * Null: no memory or too long. */
static char *prepared(struct str password, bool strict)
{
    char raw[PASSWORD_MAX + 1];
    char *out = NULL;
    if (password.len == 0 || password.len > PASSWORD_MAX ||
        memchr(password.ptr, '\0', password.len)) {
        return NULL;
    }
    memcpy(raw, password.ptr, password.len);
    raw[password.len] = '\0';
    int failed = gsasl_saslprep(raw, strict ? 0 : GSASL_ALLOW_UNASSIGNED, &out, NULL);
    if (failed != GSASL_OK) {
        out = strict ? NULL : strdup(raw);
    }
    wipe(raw, sizeof raw);
    return out;
}

static int add_scram(struct buf *out, Gsasl_hash hash, struct str name, const char *password)
{
    unsigned char salt[SALT_BYTES];
    char salted[GSASL_HASH_MAX_SIZE], client[GSASL_HASH_MAX_SIZE];
    char server[GSASL_HASH_MAX_SIZE], stored[GSASL_HASH_MAX_SIZE];
    if (gsasl_random((char *)salt, sizeof salt) != GSASL_OK ||
        gsasl_scram_secrets_from_password(hash, password, SCRAM_ITERATIONS, (char *)salt,
                                          sizeof salt, salted, client, server,
                                          stored) != GSASL_OK) {
        return -EIO;
    }
    size_t len = gsasl_hash_length(hash);
    buf_add_format(out, " %.*s%d:", STR_ARG(name), SCRAM_ITERATIONS);
    base64_encode(out, (struct str){(char *)salt, sizeof salt});
    buf_add_char(out, '$');
    base64_encode(out, (struct str){stored, len});
    buf_add_char(out, ':');
    base64_encode(out, (struct str){server, len});
    wipe(salted, sizeof salted);
    wipe(client, sizeof client);
    return 0;
}

static int add_crypt(struct buf *out, const char *password)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data *data = calloc(1, sizeof *data);
    if (!data) {
        return -ENOMEM;
    }
    int error = -EIO;
    if (crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof setting)) {
        const char *hash = crypt_rn(password, setting, data, sizeof *data);
        if (hash) {
            buf_add(out, str_from_cstr(hash));
            error = 0;
        }
    }
    wipe(data, sizeof *data);
    free(data);
    return error;
}

int verifier_make(struct buf *out, struct str password)
{
    char *text = prepared(password, true);
    if (!text) {
        return -EINVAL;
    }
    int error = add_crypt(out, text);
    if (!error) {
        error = add_scram(out, GSASL_HASH_SHA256, scram_names[0], text);
    }
    if (!error) {
        error = add_scram(out, GSASL_HASH_SHA1, scram_names[1], text);
    }
    wipe(text, strlen(text));
    gsasl_free(text);
    return error ? error : out->failed ? -ENOMEM : 0;
}

static bool keep(char *out, size_t size, struct str text)
{
    struct buf bytes = {0};
    bool good = text.len > 0 && text.len < size && base64_decode(&bytes, text);
    buf_done(&bytes);
    if (good) {
        memcpy(out, text.ptr, text.len);
        out[text.len] = '\0';
    }
    return good;
}

/* "10000:SALT$STORED:SERVER" */
static bool parse_scram(struct str text, struct scram_keys *keys)
{
    struct str rest = text;
    struct str iterations = str_split(&rest, ':');
    struct str salt = str_split(&rest, '$');
    struct str stored = str_split(&rest, ':');
    uint64_t count = 0;
    if (!str_to_u64(iterations, ITERATIONS_MAX, &count) || count == 0) {
        return false;
    }
    keys->iterations = (unsigned)count;
    return keep(keys->salt, sizeof keys->salt, salt) &&
           keep(keys->stored, sizeof keys->stored, stored) &&
           keep(keys->server, sizeof keys->server, rest);
}

bool verifier_parse(struct str fields, struct verifier *v)
{
    *v = (struct verifier){0};
    while (fields.len > 0) {
        struct str field = str_split(&fields, ' ');
        if (str_starts(field, scram_names[0])) {
            if (!parse_scram(str_tail(field, scram_names[0].len), &v->sha256)) {
                return false;
            }
        } else if (str_starts(field, scram_names[1])) {
            if (!parse_scram(str_tail(field, scram_names[1].len), &v->sha1)) {
                return false;
            }
        } else if (field.len > 0 && field.ptr[0] == '$') {
            v->crypt = field;
        }
    }
    return v->crypt.len > 0 || v->sha256.iterations > 0 || v->sha1.iterations > 0;
}

static bool same(const char *a, struct str b)
{
    unsigned char differs = strlen(a) != b.len;
    for (size_t i = 0; i < b.len && a[i]; i++) {
        differs |= (unsigned char)(a[i] ^ b.ptr[i]);
    }
    return !differs;
}

bool verifier_check(const struct verifier *v, struct str password)
{
    /* A setting with yescrypt's default cost, for users that are not there. */
    static const struct str nobody = STR_INIT("$y$j9T$abcdefghijklmnopqrstu.$");
    struct str setting = v && v->crypt.len > 0 ? v->crypt : nobody;
    char text[CRYPT_OUTPUT_SIZE];
    char *given = prepared(password, false);
    struct crypt_data *data = calloc(1, sizeof *data);
    bool yes = false;
    if (given && data && setting.len < sizeof text) {
        memcpy(text, setting.ptr, setting.len);
        text[setting.len] = '\0';
        const char *hash = crypt_rn(given, text, data, sizeof *data);
        yes = hash && same(hash, setting) && v && v->crypt.len > 0;
    }
    if (given) {
        wipe(given, strlen(given));
        gsasl_free(given);
    }
    if (data) {
        wipe(data, sizeof *data);
        free(data);
    }
    return yes;
}
