#include "stores/store.h"

#include "world/whole_file.h"
#include "world/wipe.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

int64_t store_now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int store_left_ms(const struct store_question *question)
{
    int64_t left = (question->until_us - store_now_us()) / 1000;
    return left < 1 ? 1 : left > INT32_MAX ? INT32_MAX : (int)left;
}

void store_name_parts(struct str name, struct str *local, struct str *domain)
{
    size_t at = str_rfind(name, '@');
    *local = at == STR_NONE ? name : str_head(name, at);
    *domain = at == STR_NONE ? STR("") : str_tail(name, at + 1);
}

short store_wait(const struct store_question *question, int descriptor, short events)
{
    struct pollfd wait = {.fd = descriptor, .events = events};
    while (store_now_us() < question->until_us) {
        int got = poll(&wait, 1, store_left_ms(question));
        if (got > 0) {
            return wait.revents;
        }
        if (got < 0 && errno != EINTR) {
            return 0;
        }
    }
    return 0;
}

uint64_t store_heard(int descriptor)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof info;
    return getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) == 0
               ? info.tcpi_bytes_received
               : 0;
}

enum store_answer store_down(const struct store_question *question, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++) {
        *c = (unsigned char)*c < ' ' ? ' ' : *c; /* libraries have their lines */
    }
    buf_add(question->reason, str_trim(str_from_cstr(text)));
    return STORE_DOWN;
}

int store_secret(const char *path, struct buf *secret, struct buf *reason)
{
    enum { SECRET_MAX = 65536 };
    struct buf text = {0};
    int error = whole_file_read_small(path, SECRET_MAX, &text);
    if (error) {
        buf_add_format(reason, "%s: %s", path, strerror(-error));
    } else {
        struct str rest = buf_str(&text);
        buf_add(secret, str_trim(str_split(&rest, '\n')));
    }
    wipe_buf(&text);
    return error;
}

void store_add_field(const struct store_question *question, struct str column)
{
    size_t brace = str_starts(column, STR("{")) ? str_find(column, '}') : STR_NONE;
    struct str field = brace == STR_NONE ? column : str_tail(column, brace + 1);
    if (field.len > 0 && str_find(field, ' ') == STR_NONE && !str_has_control(field)) {
        buf_add(question->fields, question->fields->len > 0 ? STR(" ") : STR(""));
        buf_add(question->fields, field);
    }
}
