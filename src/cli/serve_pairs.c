#include "cli/serve_pairs.h"

#include "tls/certificate.h"
#include "world/whole_file.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>

/* The folder and those above it, for the server alone. */
static bool make_folders(struct str folder)
{
    struct buf path = {0};
    bool good = true;
    buf_add(&path, folder);
    buf_add_char(&path, '\0');
    good = !path.failed;
    for (size_t i = 1; good && i < path.len; i++) {
        if (path.ptr[i] == '/' || path.ptr[i] == '\0') {
            char kept = path.ptr[i];
            path.ptr[i] = '\0';
            good = mkdir(path.ptr, 0700) == 0 || errno == EEXIST;
            path.ptr[i] = kept;
        }
    }
    buf_done(&path);
    return good;
}

static bool read_file(struct buf *out, const char *file, struct buf *reason)
{
    struct file_stamp stamp;
    int error = whole_file_read(file, out, &stamp);
    if (error) {
        buf_add_format(reason, "%s: %s", file, strerror(-error));
    }
    return error == 0;
}

static bool read_pair(struct serve_pairs *p, const struct config_certificate *pair,
                      struct key_asker *asker, struct buf *reason)
{
    size_t i = p->count++;
    int error = 0;
    if (p->apart) {
        error = key_asker_chain(asker, (uint32_t)i, &p->chains[i]);
    } else if (!read_file(&p->chains[i], pair->chain.ptr, reason) ||
               !read_file(&p->keys[i], pair->key.ptr, reason)) {
        return false;
    }
    if (error) {
        buf_add_format(reason, "%.*s, %.*s: %s", STR_ARG(pair->chain), STR_ARG(pair->key),
                       error == -EKEYREJECTED ? "they cannot be used, as told before"
                                              : strerror(-error));
        return false;
    }
    p->pairs[i] = (struct tls_pair){
        .name = pair->chain, .chain = buf_str(&p->chains[i]), .key = buf_str(&p->keys[i])};
    return true;
}

static bool read_self_signed(struct serve_pairs *p, const struct config *config, struct buf *reason)
{
    struct buf folder = {0};
    buf_add_format(&folder, "%.*s/tls", STR_ARG(config->spool_path));
    bool good = !folder.failed && make_folders(buf_str(&folder));
    if (!good) {
        buf_add_format(reason, "%.*s: %s", STR_ARG(folder), strerror(errno));
    }
    good = good &&
           certificate_self_signed(buf_str(&folder), config->hostname, &p->self_signed, reason);
    buf_done(&folder);
    if (!good) {
        return false;
    }
    struct str file = str_from_cstr(p->self_signed.ptr);
    return read_pair(p, &(struct config_certificate){.chain = file, .key = file}, NULL, reason);
}

bool serve_pairs_read(struct serve_pairs *p, const struct config *config, struct key_asker *asker,
                      struct buf *reason)
{
    *p = (struct serve_pairs){.apart = config->certificate_count > 0 &&
                                       config->tls_keys == TLS_KEYS_APART};
    if (config->certificate_count == 0) {
        return read_self_signed(p, config, reason);
    }
    for (size_t i = 0; i < config->certificate_count && i < TLS_CERTIFICATES_MAX; i++) {
        if (!read_pair(p, &config->certificates[i], asker, reason)) {
            return false;
        }
    }
    return true;
}

void serve_pairs_done(struct serve_pairs *p)
{
    for (size_t i = 0; i < p->count; i++) {
        if (p->keys[i].len > 0) {
            OPENSSL_cleanse(p->keys[i].ptr, p->keys[i].len);
        }
        if (!p->apart && p->chains[i].len > 0) { /* one file may hold both */
            OPENSSL_cleanse(p->chains[i].ptr, p->chains[i].len);
        }
        buf_done(&p->chains[i]);
        buf_done(&p->keys[i]);
    }
    buf_done(&p->self_signed);
    *p = (struct serve_pairs){0};
}
