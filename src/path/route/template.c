#include "path/route/template.h"

#include "core/base/encode.h"

static void add_encoded(struct buf *out, char c)
{
    buf_add_char(out, '%');
    hex_encode(out, str_from(&c, 1));
}

static void add_safe(struct buf *out, struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c < 0x20 || c == 0x7f || c == '/' || c == '%' || (i == 0 && c == '.')) {
            add_encoded(out, (char)c);
        } else {
            buf_add_char(out, (char)c);
        }
    }
}

/* The value of a name in braces; false: no such name, the braces stand for themselves. */
static bool value_of(struct str name, const struct template_values *values, struct str *value)
{
    const struct {
        struct str name;
        struct str value;
    } table[] = {
        {STR("domain"), values->domain}, {STR("local"), values->local},
        {STR("user"), values->local},    {STR("tag"), values->tag},
        {STR("sender"), values->sender},
    };
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (str_eq(table[i].name, name)) {
            *value = table[i].value;
            return true;
        }
    }
    return false;
}

static void add_value(struct buf *out, struct str name, struct str value, bool argument)
{
    size_t before = out->len;
    bool sender = str_eq(name, STR("sender"));
    if (argument && before == 0 && str_starts(value, STR("-"))) {
        add_encoded(out, '-');
        value = str_tail(value, 1);
    }
    if (argument && sender) {
        buf_add(out, value);
    } else {
        add_safe(out, value);
    }
    if (out->len == before && !str_eq(name, STR("tag")) && !(argument && sender)) {
        buf_add_char(out, '%');
    }
}

static struct str fill(struct str text, const struct template_values *values, struct arena *arena,
                       bool argument)
{
    struct buf out = {0};
    while (text.len > 0) {
        size_t open = str_find(text, '{');
        struct str inside = open == STR_NONE ? STR("") : str_tail(text, open + 1);
        size_t close = str_find(inside, '}');
        struct str value;
        if (close == STR_NONE) {
            buf_add(&out, text);
            break;
        }
        buf_add(&out, str_head(text, open));
        if (value_of(str_head(inside, close), values, &value)) {
            add_value(&out, str_head(inside, close), value, argument);
            text = str_tail(inside, close + 1);
        } else {
            buf_add_char(&out, '{');
            text = inside;
        }
    }
    struct str made = out.failed ? (struct str){0} : arena_copy(arena, buf_str(&out));
    buf_done(&out);
    return made;
}

struct str template_path(struct str text, const struct template_values *values, struct arena *arena)
{
    return fill(text, values, arena, false);
}

struct str template_argument(struct str text, const struct template_values *values,
                             struct arena *arena)
{
    return fill(text, values, arena, true);
}

struct str template_file(struct str text, const struct template_values *values, struct arena *arena)
{
    struct str lock = STR(".lock");
    struct str path = template_path(text, values, arena);
    if (!str_ends(path, lock) || !str_ends(text, STR("}"))) {
        return path;
    }
    return arena_format(arena, "%.*s%%2elock", STR_ARG(str_head(path, path.len - lock.len)));
}
