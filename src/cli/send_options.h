/* send_options.h: the command line of `postrider send` and of `sendmail`, which is an old tongue:
 * most of its options mean nothing any more and must still be understood. */
#pragma once

#include "core/base/str.h"
#include "core/mail/envelope.h"

enum send_mode {
    SEND_MESSAGE,
    SEND_SMTP,
    SEND_QUEUE_LIST,
    SEND_QUEUE_RETRY,
    SEND_NOTHING,
    SEND_HELP
};

struct send_options {
    enum send_mode mode;
    const char *config_file;
    const char *retry_key; /* SEND_QUEUE_RETRY: a selector of queue.h, or null: all */
    const char *retry_value;
    const char *sender; /* null: whoever runs it */
    const char *full_name;
    const char *server; /* ADDR:PORT */
    const char *envid;
    bool from_header; /* -t */
    bool keep_dots;   /* -i, -oi */
    bool json;
    uint8_t notify; /* enum dsn_notify */
    enum dsn_ret ret;
    char **rcpts; /* slice of argv */
    int rcpt_count;
};

/* False, with the reason printed: EX_USAGE. Reorders nothing in argv but may be called once. */
NODISCARD bool send_options_read(struct send_options *o, int argc, char **argv);
