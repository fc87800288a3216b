/* queue_id.h: the number under which this server knows a message, from its arrival to the end of
 * its story: in the 250 reply, in every log line, in its Received line. Zero is no id. Ids made
 * later are greater: the arrival in microseconds, then the loop that made it. */
#pragma once

#include "core/base/instant.h"
#include "core/base/str.h"

struct queue_id {
    uint64_t value; /* microseconds since 1970 << 8 | loop */
};

/* Makes ids on one loop; zeroed but for `loop` at first. Never the same twice, even where the clock
 * goes backwards. */
struct queue_id_maker {
    uint64_t last_us;
    uint8_t loop;
};

struct queue_id queue_id_make(struct queue_id_maker *maker, struct instant now);

/* For tables by id (map.h): messages that came together stand together there, so that those in
 * work are found in few places of a table with a million that wait. Ids are made here, by time, a
 * loop never two in a microsecond: nobody outside can fill a place. */
static inline uint64_t queue_id_hash(struct queue_id id)
{
    return id.value >> 13; /* 32 microseconds */
}

/* Text form: QUEUE_ID_LEN characters of base 32 (digits and lower-case letters without i, l, o, u),
 * so that texts sort as the ids do. */
enum { QUEUE_ID_LEN = 13 };
struct queue_id_text {
    char chars[QUEUE_ID_LEN + 1]; /* NUL-terminated */
};
struct queue_id_text queue_id_text(struct queue_id id);
NODISCARD bool queue_id_parse(struct str text, struct queue_id *id); /* either case */

static inline struct str queue_id_str(const struct queue_id_text *text)
{
    return str_from(text->chars, QUEUE_ID_LEN);
}
