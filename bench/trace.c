/* trace: how many messages a second one core judges by what is in them alone.
 *
 *   trace MBOX SECONDS
 *
 * The messages of the file are judged in turn, each from its bytes on, until the time is over. */
#include "wire.h"

#include "core/trace/judgement.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES_MAX = 1000, FILE_MAX = 1 << 24 };

static struct str messages[MESSAGES_MAX];
static size_t count;

static void cut(struct str mbox)
{
    while (mbox.len > 0 && count < MESSAGES_MAX) {
        size_t end = str_find_str(str_tail(mbox, 1), STR("\nFrom "));
        struct str one = end == STR_NONE ? mbox : str_head(mbox, end + 2);
        mbox = str_tail(mbox, one.len);
        (void)str_split(&one, '\n'); /* "From …" */
        messages[count++] = one;
    }
}

static size_t judge(struct str message)
{
    const struct trace_trust trust = {.top = true};
    struct arena arena = {0};
    struct trace t;
    if (!trace_read(&t, &arena, message) || !trace_judge(&t, &trust, 0))
        die("memory");
    size_t hops = t.hop_count;
    arena_done(&arena);
    return hops;
}

int main(int argc, char **argv)
{
    FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
    char *text = malloc(FILE_MAX);
    if (!file || !text)
        die("trace MBOX SECONDS");
    cut(str_from(text, fread(text, 1, FILE_MAX, file)));
    if (count == 0)
        die(argv[1]);
    uint64_t began = now_ns(), stop = began + (uint64_t)(strtod(argv[2], NULL) * 1e9);
    size_t done = 0, hops = 0;
    while (now_ns() < stop)
        hops += judge(messages[done++ % count]);
    double seconds = (double)(now_ns() - began) / 1e9;
    printf("{\"rate\": %.0f, \"hops\": %.1f}\n", (double)done / seconds, (double)hops / (double)done);
    fclose(file);
    free(text);
    return 0;
}
