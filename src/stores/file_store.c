/* file_store.c: a file of users, as a store. */
#include "stores/store.h"
#include "stores/user_file.h"

#include <errno.h>
#include <string.h>

static int open_file(struct store *store, struct buf *reason)
{
    store->own = user_file_new(store->config->place);
    if (!store->own) {
        buf_add(reason, STR("not enough memory"));
        return -ENOMEM;
    }
    return 0;
}

static enum store_answer look_up(struct store *store, const struct store_question *question)
{
    int error = store->own ? user_file_find(store->own, question->name, question->fields) : -ENOMEM;
    if (error && error != -ENOENT) {
        return store_down(question, "%s", strerror(-error));
    }
    return error ? STORE_UNKNOWN : STORE_FOUND;
}

static void close_file(struct store *store)
{
    user_file_free(store->own);
}

const struct store_kind file_store = {
    .word = "file", .open = open_file, .look_up = look_up, .close = close_file};
