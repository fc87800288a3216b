#include "config/reader.h"

#include <string.h>

enum { WORD_MAX = 32 };

static size_t least_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many letters must be changed, added, dropped or swapped with their neighbour (the optimal
 * string alignment distance). Texts beyond WORD_MAX are unlike anything. */
static size_t distance(struct str a, struct str b)
{
    size_t d[WORD_MAX + 1][WORD_MAX + 1];
    if (a.len > WORD_MAX || b.len > WORD_MAX) {
        return WORD_MAX;
    }
    for (size_t i = 0; i <= a.len; i++) {
        for (size_t k = 0; k <= b.len; k++) {
            if (i == 0 || k == 0) {
                d[i][k] = i + k;
                continue;
            }
            size_t change = ascii_lower(a.ptr[i - 1]) == ascii_lower(b.ptr[k - 1]) ? 0 : 1;
            d[i][k] = least_of(d[i - 1][k - 1] + change, least_of(d[i - 1][k], d[i][k - 1]) + 1);
            if (i > 1 && k > 1 && a.ptr[i - 1] == b.ptr[k - 2] && a.ptr[i - 2] == b.ptr[k - 1]) {
                d[i][k] = least_of(d[i][k], d[i - 2][k - 2] + 1);
            }
        }
    }
    return d[a.len][b.len];
}

const char *nearest_word(struct str text, const char *const *words)
{
    const char *best = NULL;
    size_t best_distance = text.len / 3 + 2;
    for (; *words; words++) {
        size_t away = distance(text, str_from_cstr(*words));
        if (away < best_distance && away < strlen(*words)) {
            best = *words;
            best_distance = away;
        }
    }
    return best;
}
