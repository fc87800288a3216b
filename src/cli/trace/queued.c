#include "cli/trace/queued.h"

#include "control/client.h"
#include "core/base/encode.h"

#include <sysexits.h>

struct fetching {
    const char *id;
    struct buf *message;
    int code;
};

static void on_line(void *owner, const json_t *line)
{
    struct fetching *f = owner;
    const json_t *piece = json_object_get(line, "piece");
    const json_t *done = json_object_get(line, "done");
    const char *refused = json_string_value(json_object_get(done, "refused"));
    const char *error = json_string_value(json_object_get(done, "error"));
    if (piece &&
        !base64_decode(f->message, str_from(json_string_value(piece), json_string_length(piece)))) {
        f->code = EX_PROTOCOL;
    }
    if (refused) {
        (void)fprintf(stderr, "postrider trace: %s\n", refused);
        f->code = EX_UNAVAILABLE;
    }
    if (error) {
        (void)fprintf(stderr, "postrider trace: message %s of the queue: %s\n", f->id, error);
        f->code = EX_NOINPUT;
    }
}

int queued_message(struct str path, const char *id, struct buf *message)
{
    struct fetching f = {.id = id, .message = message, .code = EX_OK};
    struct control_ask ask = {.path = path,
                              .question = json_pack("{s:s, s:s}", "verb", "message", "id", id),
                              .line = on_line,
                              .owner = &f};
    int code = control_ask(&ask);
    return code != EX_OK ? code : message->failed ? EX_OSERR : f.code;
}
