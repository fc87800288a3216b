/* answer_json.h: putting values into JSON objects, for this folder's answers alone. A failure
 * sticks in `failed`. */
#pragma once

#include "core/mail/outcome.h"

#include <jansson.h>

struct answer_json {
    json_t *object; /* null: no memory */
    bool failed;
};

struct answer_json answer_json_begin(const char *type); /* null: without a type */
/* Appends it as a line and frees it. */
void answer_json_end(struct answer_json *j, struct buf *out);

/* Left out where empty, zero or unknown. */
void answer_json_text(struct answer_json *j, const char *name, struct str text);
void answer_json_time(struct answer_json *j, const char *name, struct instant t);
void answer_json_id(struct answer_json *j, struct queue_id id);
void answer_json_ip(struct answer_json *j, const char *name, struct ip ip);
/* Always there. */
void answer_json_any_text(struct answer_json *j, const char *name, struct str text);
void answer_json_number(struct answer_json *j, const char *name, uint64_t number);
void answer_json_flag(struct answer_json *j, const char *name, bool flag);
/* Takes `value`; null is a failure. */
void answer_json_value(struct answer_json *j, const char *name, json_t *value);
/* Takes `item` onto the array; null is a failure. */
void answer_json_append(struct answer_json *j, json_t *array, struct answer_json *item);

/* What an attempt met with: status, reply code, host, address, site, text. */
void answer_json_outcome(struct answer_json *j, const struct outcome *o);
struct str answer_kind_name(enum outcome_kind kind);
