#include "control/request.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum queue_action action;
    bool show;
} actions[] = {
    {"list", QUEUE_LIST, false},       {"show", QUEUE_LIST, true},
    {"retry", QUEUE_RETRY, false},     {"hold", QUEUE_HOLD, false},
    {"release", QUEUE_RELEASE, false}, {"remove", QUEUE_REMOVE, false},
    {"bounce", QUEUE_BOUNCE, false},
};

static const struct {
    const char *name;
    enum queue_item_state state;
} states[] = {{"waiting", QUEUE_WAITING}, {"active", QUEUE_ACTIVE}, {"held", QUEUE_HELD}};

/* What is being read: the first problem sticks. */
struct reading {
    struct arena *arena;
    struct control_request *request;
    struct buf *problem;
};

struct field {
    const char *name;
    void (*read)(struct reading *r, const char *name, const json_t *value);
};

bool control_action(struct str name, enum queue_action *action, bool *show)
{
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (str_eq(name, str_from_cstr(actions[i].name))) {
            *action = actions[i].action;
            *show = actions[i].show;
            return true;
        }
    }
    return false;
}

struct str control_action_name(enum queue_action action, bool show)
{
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        if (actions[i].action == action && actions[i].show == show) {
            return str_from_cstr(actions[i].name);
        }
    }
    return STR("");
}

unsigned control_state(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (str_eq(name, str_from_cstr(states[i].name))) {
            return states[i].state;
        }
    }
    return 0;
}

struct str control_state_name(enum queue_item_state state)
{
    for (size_t i = 0; i < ARRAY_LEN(states); i++) {
        if (states[i].state == state) {
            return str_from_cstr(states[i].name);
        }
    }
    return STR("");
}

static void complain(struct reading *r, const char *name, const char *expected)
{
    if (r->problem->len == 0) {
        buf_add_format(r->problem, "\"%s\" must be %s", name, expected);
    }
}

/* An empty text would select everything: it is not taken for "any". */
static struct str read_text(struct reading *r, const char *name, const json_t *value)
{
    if (!json_is_string(value) || json_string_length(value) == 0) {
        complain(r, name, "a text that is not empty");
        return (struct str){0};
    }
    struct str copy =
        arena_copy(r->arena, str_from(json_string_value(value), json_string_length(value)));
    if (!copy.ptr) {
        complain(r, name, "shorter: memory is short");
    }
    return copy;
}

static uint64_t read_number(struct reading *r, const char *name, const json_t *value, uint64_t max)
{
    json_int_t n = json_integer_value(value);
    if (!json_is_integer(value) || n < 1 || (uint64_t)n > max) {
        complain(r, name, "a whole number in its bounds");
        return 0;
    }
    return (uint64_t)n;
}

static struct queue_id read_id(struct reading *r, const char *name, const json_t *value)
{
    struct queue_id id = {0};
    if (!queue_id_parse(read_text(r, name, value), &id) || id.value == 0) {
        complain(r, name, "a message's id: 13 digits and letters");
    }
    return id;
}

static void read_selected_id(struct reading *r, const char *name, const json_t *value)
{
    r->request->selector.id = read_id(r, name, value);
}

static void read_sender(struct reading *r, const char *name, const json_t *value)
{
    r->request->selector.sender = read_text(r, name, value);
}

static void read_recipient(struct reading *r, const char *name, const json_t *value)
{
    r->request->selector.recipient = read_text(r, name, value);
}

static void read_domain(struct reading *r, const char *name, const json_t *value)
{
    r->request->selector.domain = read_text(r, name, value);
}

static void read_site(struct reading *r, const char *name, const json_t *value)
{
    r->request->selector.site = read_text(r, name, value);
}

static void read_error(struct reading *r, const char *name, const json_t *value)
{
    r->request->selector.last_error = read_text(r, name, value);
}

static void read_age(struct reading *r, const char *name, const json_t *value)
{
    r->request->selector.older_than = SPAN_S(read_number(r, name, value, UINT32_MAX));
}

static void read_states(struct reading *r, const char *name, const json_t *value)
{
    if (!json_is_array(value) || json_array_size(value) == 0) {
        complain(r, name, "a list of waiting, active, held");
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        unsigned state = control_state(read_text(r, name, json_array_get(value, i)));
        r->request->selector.states |= state;
        if (state == 0) {
            complain(r, name, "a list of waiting, active, held");
        }
    }
}

static const struct field select_fields[] = {
    {"id", read_selected_id}, {"sender", read_sender}, {"recipient", read_recipient},
    {"domain", read_domain},  {"site", read_site},     {"error", read_error},
    {"older_than", read_age}, {"state", read_states},
};

static void read_fields(struct reading *r, const json_t *object, const struct field *fields,
                        size_t count)
{
    union { /* jansson's iterators take what they do not change without const */
        const json_t *from;
        json_t *to;
    } of = {.from = object};
    for (void *it = json_object_iter(of.to); it; it = json_object_iter_next(of.to, it)) {
        const char *key = json_object_iter_key(it);
        size_t i = 0;
        while (i < count && strcmp(key, fields[i].name) != 0) {
            i++;
        }
        if (i < count) {
            fields[i].read(r, key, json_object_iter_value(it));
        } else if (r->problem->len == 0) {
            buf_add_format(r->problem, "there is no key \"%.40s\" here", key);
        }
    }
}

static void read_select(struct reading *r, const char *name, const json_t *value)
{
    if (!json_is_object(value)) {
        complain(r, name, "an object");
        return;
    }
    read_fields(r, value, select_fields, ARRAY_LEN(select_fields));
}

static void read_action(struct reading *r, const char *name, const json_t *value)
{
    if (!control_action(read_text(r, name, value), &r->request->action, &r->request->show)) {
        complain(r, name, "one of list, show, retry, hold, release, remove, bounce");
    }
}

static void read_limit(struct reading *r, const char *name, const json_t *value)
{
    bool why = r->request->ask == CONTROL_WHY;
    r->request->limit = (size_t)read_number(r, name, value, why ? CONTROL_STORIES_MAX : UINT32_MAX);
}

static void read_why_id(struct reading *r, const char *name, const json_t *value)
{
    r->request->id = read_id(r, name, value);
}

static void read_address(struct reading *r, const char *name, const json_t *value)
{
    r->request->address = read_text(r, name, value);
}

static void skip(struct reading *r, const char *name, const json_t *value)
{
    (void)r;
    (void)name;
    (void)value;
}

static const struct field queue_fields[] = {
    {"ask", skip}, {"action", read_action}, {"select", read_select}, {"limit", read_limit}};
static const struct field why_fields[] = {
    {"ask", skip}, {"id", read_why_id}, {"address", read_address}, {"limit", read_limit}};
static const struct field status_fields[] = {{"ask", skip}};

static const struct {
    const char *name;
    enum control_ask ask;
    const struct field *fields;
    size_t count;
} asks[] = {
    {"queue", CONTROL_QUEUE, queue_fields, ARRAY_LEN(queue_fields)},
    {"why", CONTROL_WHY, why_fields, ARRAY_LEN(why_fields)},
    {"status", CONTROL_STATUS, status_fields, ARRAY_LEN(status_fields)},
};

static void read_object(struct reading *r, const json_t *root)
{
    const char *name = json_string_value(json_object_get(root, "ask"));
    size_t i = 0;
    while (name && i < ARRAY_LEN(asks) && strcmp(name, asks[i].name) != 0) {
        i++;
    }
    if (!name || i == ARRAY_LEN(asks)) {
        complain(r, "ask", "one of queue, why, status");
        return;
    }
    r->request->ask = asks[i].ask;
    read_fields(r, root, asks[i].fields, asks[i].count);
    if (r->request->ask == CONTROL_WHY &&
        (r->request->id.value == 0) == (r->request->address.len == 0)) {
        complain(r, "why", "asked by either an id or an address");
    }
    if (r->request->ask == CONTROL_QUEUE && !json_object_get(root, "action")) {
        complain(r, "action", "given");
    }
}

bool control_request_read(struct str line, struct arena *arena, struct control_request *request,
                          struct buf *problem)
{
    json_error_t error;
    struct control_request read = {0};
    struct reading r = {.arena = arena, .request = &read, .problem = problem};
    json_t *root = json_loadb(line.ptr ? line.ptr : "", line.len, JSON_REJECT_DUPLICATES, &error);
    if (!root) {
        buf_add_format(problem, "that is no JSON: %s, at octet %d", error.text, error.position);
        return false;
    }
    if (json_is_object(root)) {
        read_object(&r, root);
    } else {
        buf_add(problem, STR("a request is a JSON object"));
    }
    json_decref(root);
    if (problem->len > 0 || problem->failed) {
        return false;
    }
    *request = read;
    return true;
}

static void put_text(json_t *object, const char *name, struct str text, bool *failed)
{
    if (text.len > 0) {
        *failed |= json_object_set_new(object, name, json_stringn(text.ptr, text.len)) != 0;
    }
}

static void put_number(json_t *object, const char *name, int64_t number, bool *failed)
{
    if (number > 0) {
        *failed |= json_object_set_new(object, name, json_integer(number)) != 0;
    }
}

static void put_id(json_t *object, struct queue_id id, bool *failed)
{
    struct queue_id_text text = queue_id_text(id);
    if (id.value != 0) {
        put_text(object, "id", queue_id_str(&text), failed);
    }
}

static json_t *selector_json(const struct queue_selector *s, bool *failed)
{
    json_t *select = json_object();
    put_id(select, s->id, failed);
    put_text(select, "sender", s->sender, failed);
    put_text(select, "recipient", s->recipient, failed);
    put_text(select, "domain", s->domain, failed);
    put_text(select, "site", s->site, failed);
    put_text(select, "error", s->last_error, failed);
    put_number(select, "older_than", span_seconds(s->older_than), failed);
    if (s->states != 0) {
        json_t *list = json_array();
        for (size_t i = 0; i < ARRAY_LEN(states); i++) {
            if (s->states & states[i].state) {
                *failed |= json_array_append_new(list, json_string(states[i].name)) != 0;
            }
        }
        *failed |= json_object_set_new(select, "state", list) != 0;
    }
    return select;
}

void control_request_write(struct buf *out, const struct control_request *request)
{
    bool failed = false;
    json_t *root = json_object();
    put_text(root, "ask", str_from_cstr(asks[request->ask].name), &failed);
    if (request->ask == CONTROL_QUEUE) {
        put_text(root, "action", control_action_name(request->action, request->show), &failed);
        failed |=
            json_object_set_new(root, "select", selector_json(&request->selector, &failed)) != 0;
    } else if (request->ask == CONTROL_WHY) {
        put_id(root, request->id, &failed);
        put_text(root, "address", request->address, &failed);
    }
    put_number(root, "limit", (int64_t)request->limit, &failed);
    char *text = failed ? NULL : json_dumps(root, JSON_COMPACT);
    out->failed |= text == NULL;
    buf_add(out, str_from_cstr(text));
    buf_add_char(out, '\n');
    free(text);
    json_decref(root);
}
