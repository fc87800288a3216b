#include "path/route/sts_file.h"

void sts_file_write(struct buf *out, const struct sts_kept *kept)
{
    buf_add(out, STR("postrider-sts 1 "));
    buf_add_u64(out, (uint64_t)instant_seconds(kept->fetched));
    buf_add_format(out, " %.*s\n", STR_ARG(kept->id));
    sts_policy_format(out, &kept->policy);
}

bool sts_file_read(struct str text, struct arena *arena, struct sts_kept *kept)
{
    struct str head = str_split(&text, '\n');
    uint64_t seconds = 0;
    if (!str_eq(str_split(&head, ' '), STR("postrider-sts")) ||
        !str_eq(str_split(&head, ' '), STR("1")) ||
        !str_to_u64(str_split(&head, ' '), (uint64_t)INT64_MAX / 2000000, &seconds) ||
        head.len > STS_ID_MAX || !sts_policy_parse(text, arena, &kept->policy)) {
        return false;
    }
    kept->fetched = (struct instant){(int64_t)seconds * 1000000};
    kept->id = arena_copy(arena, head);
    return kept->id.ptr != NULL;
}
