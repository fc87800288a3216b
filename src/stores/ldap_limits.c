#include "stores/ldap_limits.h"

#include <errno.h>
#include <lber.h>
#include <poll.h>

/* A layer of liblber's between TLS and the socket. */

static int begin(Sockbuf_IO_Desc *layer, void *limits)
{
    layer->sbiod_pvt = limits;
    return 0;
}

static int end(Sockbuf_IO_Desc *layer)
{
    layer->sbiod_pvt = NULL;
    return 0;
}

static int control(Sockbuf_IO_Desc *layer, int option, void *argument)
{
    return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
}

/* An error and not "try again": where libldap waits for a handshake it would try for ever. */
static ber_slen_t hear(Sockbuf_IO_Desc *layer, void *into, ber_len_t most)
{
    struct ldap_limits *limits = layer->sbiod_pvt;
    int descriptor = -1;
    ber_sockbuf_ctrl(layer->sbiod_sb, LBER_SB_OPT_GET_FD, &descriptor);
    bool too_long = limits->heard >= LDAP_HEARD_MAX;
    if (too_long || !store_wait(limits->question, descriptor, POLLIN)) {
        (void)store_down(limits->question,
                         too_long ? "its answer is too long" : "no answer in time");
        errno = ETIMEDOUT;
        return -1;
    }
    ber_slen_t got = LBER_SBIOD_READ_NEXT(layer, into, most);
    limits->heard += got > 0 ? (size_t)got : 0;
    return got;
}

static ber_slen_t say(Sockbuf_IO_Desc *layer, void *from, ber_len_t len)
{
    return LBER_SBIOD_WRITE_NEXT(layer, from, len);
}

static Sockbuf_IO limiting = {
    .sbi_setup = begin, .sbi_remove = end, .sbi_ctrl = control, .sbi_read = hear, .sbi_write = say};

static int on_connected(LDAP *ld, Sockbuf *socket, LDAPURLDesc *server, struct sockaddr *address,
                        struct ldap_conncb *callback)
{
    enum { LEVEL = LBER_SBIOD_LEVEL_PROVIDER + 1 };
    (void)ld, (void)server, (void)address;
    return ber_sockbuf_add_io(socket, &limiting, LEVEL, callback->lc_arg);
}

static void on_closing(LDAP *ld, Sockbuf *socket, struct ldap_conncb *callback)
{
    (void)ld, (void)socket, (void)callback;
}

bool ldap_limits_set(LDAP *ld, struct ldap_limits *limits, const struct store_question *question)
{
    *limits = (struct ldap_limits){
        .question = question,
        .callback = {.lc_add = on_connected, .lc_del = on_closing, .lc_arg = limits},
    };
    return ldap_set_option(ld, LDAP_OPT_CONNECT_CB, &limits->callback) == LDAP_SUCCESS;
}
