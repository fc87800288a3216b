#include "tls/describe.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

enum { NAME_TEXT = 256, NAMES_SHOWN = 20 };

/* Bytes of a stranger: a line's end within would be taken for the next certificate. */
static void add_clean(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        buf_add_char(out, (unsigned char)text.ptr[i] < ' ' ? '?' : text.ptr[i]);
    }
}

static void add_name(struct buf *out, const X509_NAME *name)
{
    char text[NAME_TEXT];
    (void)X509_NAME_oneline(name, text, sizeof text);
    add_clean(out, str_from_cstr(text));
}

static void add_names(struct buf *out, const X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    int shown = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && shown < NAMES_SHOWN; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            const ASN1_IA5STRING *dns = name->d.dNSName;
            buf_add(out, shown++ > 0 ? STR(" ") : STR(", for "));
            add_clean(out, str_from((const char *)ASN1_STRING_get0_data(dns),
                                    (size_t)ASN1_STRING_length(dns)));
        }
    }
    GENERAL_NAMES_free(names);
}

static void add_time(struct buf *out, const ASN1_TIME *time)
{
    struct tm t;
    if (ASN1_TIME_to_tm(time, &t) == 1) {
        buf_add_format(out, "%04d-%02d-%02dT%02d:%02d:%02dZ", t.tm_year + 1900, t.tm_mon + 1,
                       t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
    }
}

void describe_chain(const SSL *ssl, struct buf *out)
{
    const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        const X509 *certificate = sk_X509_value(chain, i);
        add_name(out, X509_get_subject_name(certificate));
        add_names(out, certificate);
        buf_add(out, STR(", by "));
        add_name(out, X509_get_issuer_name(certificate));
        buf_add(out, STR(", until "));
        add_time(out, X509_get0_notAfter(certificate));
        buf_add_char(out, '\n');
    }
    long verdict = SSL_get_verify_result(ssl);
    buf_add_format(out, "checked: %s\n", X509_verify_cert_error_string(verdict));
    ERR_clear_error();
}
