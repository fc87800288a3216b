#include "cli/serve_tls.h"

#include "tls/certificate.h"
#include "tls/server.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
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

static bool self_signed(const struct config *config, struct buf *path, struct buf *reason)
{
    struct buf folder = {0};
    buf_add_format(&folder, "%.*s/tls", STR_ARG(config->spool_path));
    bool good = !folder.failed && make_folders(buf_str(&folder)) &&
                certificate_self_signed(buf_str(&folder), config->hostname, path, reason);
    if (!good && reason->len == 0) {
        buf_add_format(reason, "%.*s: %s", STR_ARG(buf_str(&folder)), strerror(errno));
    }
    buf_done(&folder);
    return good;
}

static bool open_all(struct serve_tls *tls, struct tls_source *source, struct loop **loops,
                     bool apart, struct buf *reason)
{
    for (size_t i = 0; i < tls->count; i++) {
        source->signer = apart ? &tls->askers[i].signer : NULL;
        tls->loops[i] = tls_server_new(source, loop_ports(loops[i]), reason);
        if (!tls->loops[i]) {
            return false;
        }
        loop_set_tls(loops[i], tls->loops[i]);
    }
    return true;
}

bool serve_tls_open(struct serve_tls *tls, const struct config *config, struct loop **loops,
                    size_t count)
{
    struct tls_pair pairs[TLS_CERTIFICATES_MAX];
    struct tls_source source = {.pairs = pairs};
    struct buf path = {0}, reason = {0};
    bool good = RAND_bytes(source.ticket_keys, sizeof source.ticket_keys) == 1;
    bool apart = config->certificate_count > 0 && config->tls_keys == TLS_KEYS_APART;
    source.authorities = config->authorities.len > 0 ? config->authorities.ptr : NULL;
    for (size_t i = 0; i < config->certificate_count && i < TLS_CERTIFICATES_MAX; i++) {
        pairs[source.count++] = (struct tls_pair){.chain = config->certificates[i].chain.ptr,
                                                  .key = config->certificates[i].key.ptr};
    }
    if (good && source.count == 0) {
        good = self_signed(config, &path, &reason);
        pairs[0] = (struct tls_pair){.chain = path.ptr, .key = path.ptr};
        source.count = 1;
    }
    tls->count = count;
    for (size_t i = 0; i < count; i++) {
        key_asker_open(&tls->askers[i], tls->connect_keys, tls->owner);
    }
    good = good && open_all(tls, &source, loops, apart, &reason);
    if (!good) {
        (void)fprintf(stderr, "postrider: cannot start: no TLS: %.*s\n", STR_ARG(buf_str(&reason)));
    }
    buf_done(&path);
    buf_done(&reason);
    return good;
}

void serve_tls_close(struct serve_tls *tls)
{
    for (size_t i = 0; i < tls->count; i++) {
        tls_server_free(tls->loops[i]);
        key_asker_close(&tls->askers[i]);
    }
}
