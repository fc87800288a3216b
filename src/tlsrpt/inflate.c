#include "tlsrpt/inflate.h"

#include <limits.h>
#include <string.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, PIECE = 65536 };

/* zlib does not write through it. */
static void set_input(z_stream *z, struct str bytes)
{
    union {
        const char *from;
        Bytef *to;
    } u = {.from = bytes.ptr};
    z->next_in = u.to;
    z->avail_in = (uInt)bytes.len;
}

bool gzip_inflate(struct str bytes, size_t limit, struct buf *out)
{
    z_stream z = {0};
    char piece[PIECE];
    int result = Z_OK;
    if (bytes.len > UINT_MAX || inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
        return false;
    }
    set_input(&z, bytes);
    while (result == Z_OK && out->len <= limit && !out->failed) {
        z.next_out = (Bytef *)piece;
        z.avail_out = sizeof piece;
        result = inflate(&z, Z_NO_FLUSH);
        buf_add(out, str_from(piece, sizeof piece - z.avail_out));
    }
    (void)inflateEnd(&z);
    return result == Z_STREAM_END && out->len <= limit && !out->failed;
}

bool gzip_deflate(struct str bytes, struct buf *out)
{
    z_stream z = {0};
    if (bytes.len > UINT_MAX || deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW, 8,
                                             Z_DEFAULT_STRATEGY) != Z_OK) {
        return false;
    }
    uLong most = deflateBound(&z, (uLong)bytes.len);
    int result = Z_MEM_ERROR;
    if (most <= UINT_MAX && buf_reserve(out, most)) {
        set_input(&z, bytes);
        z.next_out = (Bytef *)out->ptr + out->len;
        z.avail_out = (uInt)most;
        result = deflate(&z, Z_FINISH);
        out->len += most - z.avail_out;
    }
    (void)deflateEnd(&z);
    return result == Z_STREAM_END;
}
