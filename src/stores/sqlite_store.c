/* sqlite_store.c: a table of SQLite, as a store. Opened for each question: that costs 0.1 ms, and a
 * file that was replaced by another is seen. */
#include "stores/store.h"

#include <sqlite3.h>
#include <sys/stat.h>

enum {
    LOOKS_EVERY = 1000,
    COLUMNS_MAX = 8
}; /* steps of SQLite's machine between looks at the clock */

static int too_long(void *context)
{
    const struct store_question *question = context;
    return store_now_us() > question->until_us;
}

/* SQLite would wait for whoever writes into a FIFO. */
static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) != 0 || S_ISREG(st.st_mode);
}

static sqlite3 *open_for(const struct store *store, const struct store_question *question)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    if (!is_file(store->config->place.ptr)) {
        (void)store_down(question, "that is no file");
        return NULL;
    }
    if (sqlite3_open_v2(store->config->place.ptr, &db, flags, NULL) != SQLITE_OK) {
        (void)store_down(question, "%s", db ? sqlite3_errmsg(db) : "not enough memory");
        sqlite3_close(db);
        return NULL;
    }
    sqlite3_busy_timeout(db, store_left_ms(question));
    sqlite3_progress_handler(db, LOOKS_EVERY, too_long, (void *)(uintptr_t)question);
    return db;
}

/* Null, with the reason, where it is no query that only reads. */
static sqlite3_stmt *prepare(sqlite3 *db, const struct store *store,
                             const struct store_question *question)
{
    struct str query = store->config->query;
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, query.ptr, (int)query.len, &statement, NULL) != SQLITE_OK) {
        (void)store_down(question, "%s", sqlite3_errmsg(db));
    } else if (!statement || !sqlite3_stmt_readonly(statement)) {
        (void)store_down(question, "the query is none, or changes what is stored");
        sqlite3_finalize(statement);
        statement = NULL;
    }
    return statement;
}

static bool bind(sqlite3_stmt *statement, const char *parameter, struct str value)
{
    int at = sqlite3_bind_parameter_index(statement, parameter);
    return at == 0 || sqlite3_bind_text(statement, at, value.len > 0 ? value.ptr : "",
                                        (int)value.len, SQLITE_STATIC) == SQLITE_OK;
}

static bool bind_all(sqlite3_stmt *statement, struct str name)
{
    struct str local, domain;
    store_name_parts(name, &local, &domain);
    return bind(statement, ":user", name) && bind(statement, ":local", local) &&
           bind(statement, ":domain", domain);
}

static enum store_answer take_row(sqlite3_stmt *statement, const struct store_question *question)
{
    int columns = sqlite3_column_count(statement);
    for (int i = 0; i < columns && i < COLUMNS_MAX; i++) {
        const char *text = (const char *)sqlite3_column_text(statement, i);
        int len = sqlite3_column_bytes(statement, i);
        store_add_field(question, text ? str_from(text, (size_t)len) : STR(""));
    }
    return STORE_FOUND;
}

static enum store_answer look_up(struct store *store, const struct store_question *question)
{
    sqlite3 *db = open_for(store, question);
    sqlite3_stmt *statement = db ? prepare(db, store, question) : NULL;
    enum store_answer answer = STORE_DOWN;
    if (statement && bind_all(statement, question->name)) {
        int got = sqlite3_step(statement);
        answer = got == SQLITE_ROW    ? take_row(statement, question)
                 : got == SQLITE_DONE ? STORE_UNKNOWN
                                      : store_down(question, "%s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return answer;
}

const struct store_kind sqlite_store = {.word = "sqlite", .look_up = look_up};
