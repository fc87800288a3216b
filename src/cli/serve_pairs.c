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

static void keep(struct serve_pairs *p, struct str name)
{
    size_t i = p->count - 1;
    p->pairs[i] = (struct tls_pair){
        .name = name, .chain = buf_str(&p->chains[i]), .key = buf_str(&p->keys[i])};
}

static bool read_files(struct serve_pairs *p, const struct config_certificate *pair,
                       struct buf *reason)
{
    size_t i = p->count++;
    if (!read_file(&p->chains[i], pair->chain.ptr, reason) ||
        !read_file(&p->keys[i], pair->key.ptr, reason)) {
        return false;
    }
    keep(p, pair->chain);
    return true;
}

/* As many as it has: while a reload is under way it may have read another configuration than we. */
static bool ask_for_chains(struct serve_pairs *p, struct key_asker *asker, struct buf *reason)
{
    int error = 0;
    while (p->count < TLS_CERTIFICATES_MAX && error == 0) {
        size_t i = p->count++;
        error = key_asker_chain(asker, (uint32_t)i, &p->chains[i]);
        keep(p, STR("a certificate"));
    }
    p->count -= error == -ENOENT ? 1 : 0;
    if (p->count > 0 && (error == 0 || error == -ENOENT)) {
        return true;
    }
    buf_add_format(reason, "certificate %zu: %s", p->count,
                   error == -EKEYREJECTED ? "it or its key cannot be used, as told before"
                                          : strerror(-error));
    return false;
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
    return read_files(p, &(struct config_certificate){.chain = file, .key = file}, reason);
}

bool serve_pairs_read(struct serve_pairs *p, const struct config *config, struct key_asker *asker,
                      struct buf *reason)
{
    *p = (struct serve_pairs){.apart = config->certificate_count > 0 &&
                                       config->tls_keys == TLS_KEYS_APART};
    if (config->certificate_count == 0) {
        return read_self_signed(p, config, reason);
    }
    if (p->apart) {
        return ask_for_chains(p, asker, reason);
    }
    for (size_t i = 0; i < config->certificate_count && i < TLS_CERTIFICATES_MAX; i++) {
        if (!read_files(p, &config->certificates[i], reason)) {
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
