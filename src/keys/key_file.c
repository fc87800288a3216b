#include "keys/key_file.h"

#include <openssl/crypto.h>

#include "tls/pem.h"
#include "world/whole_file.h"

EVP_PKEY *key_file_read(const char *file, struct buf *reason)
{
    struct buf text = {0};
    struct file_stamp stamp;
    int error = whole_file_read(file, &text, &stamp);
    EVP_PKEY *key = error == 0 ? pem_key(NULL, buf_str(&text)) : NULL;
    if (text.len > 0) {
        OPENSSL_cleanse(text.ptr, text.len);
    }
    buf_done(&text);
    if (!key) {
        pem_explain(reason, str_from_cstr(file), error);
    }
    return key;
}
