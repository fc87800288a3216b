/* zones.h: the zones of ../shared/testdata in memory, and a machine's question answered from one.
 */
#pragma once

#include "core/dns/question.h"
#include "sim/zone.h"

#include <jansson.h>
#include <stdio.h>

static inline struct dns_answer zones_answer(const struct zone *zone,
                                             const struct dns_question *question,
                                             struct zone_answer *answer)
{
    zone_ask(zone, question->name, question->type, answer);
    return (struct dns_answer){
        .arrival = answer->fault == ZONE_TIMEOUT ? DNS_TIMEOUT : DNS_ARRIVED,
        .message = buf_str(&answer->message),
    };
}

static inline void zones_add(struct zone *zone, const char *name, const char *type,
                             const json_t *data)
{
    struct buf line = {0};
    size_t at;
    json_t *part;
    buf_add_format(&line, "%s %s ", name, type);
    if (json_is_array(data)) {
        json_array_foreach(data, at, part)
        { /* strings of a TXT; an MX's preference and host */
            if (json_is_integer(part)) {
                buf_add_format(&line, "%d ", (int)json_integer_value(part));
            }
            buf_add(&line, str_from_cstr(json_string_value(part)));
        }
    } else {
        buf_add(&line, str_from_cstr(json_string_value(data)));
    }
    buf_add_char(&line, '\0');
    zone_add(zone, line.ptr);
    buf_done(&line);
}

/* `{name: {type: [data] | rcode: …}}`. */
static inline void zones_load(struct zone *zone, json_t *names)
{
    const char *name;
    const char *type;
    json_t *types;
    json_t *list;
    json_t *data;
    size_t at;
    zone->chase = true;
    json_object_foreach(names, name, types)
    {
        json_object_foreach(types, type, list)
        {
            json_array_foreach(list, at, data)
            {
                zones_add(zone, name, type, data);
            }
        }
        const char *rcode = json_string_value(json_object_get(types, "rcode"));
        if (rcode && str_eq(str_from_cstr(rcode), STR("SERVFAIL"))) {
            zone_break(zone, name, 0, ZONE_SERVFAIL);
        }
    }
}

/* Null, with a message: the collection is not there. */
static inline json_t *zones_collection(const char *file)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/../shared/testdata/%s", SOURCE_DIR, file);
    json_t *all = json_load_file(path, JSON_ALLOW_NUL, NULL);
    if (!all) {
        (void)printf("skipped: there is no %s\n", path);
    }
    return all;
}
