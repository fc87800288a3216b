/* postgresql_store.c: a query of PostgreSQL, as a store. Connections are kept for the next
 * question, a few; one that has broken is replaced. Nothing here waits but for the question's time.
 */
#include "stores/store.h"

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT_MAX = 8, PARAMETERS_MAX = 3, COLUMNS_MAX = 8, PARTS = 3 };
enum { HEARD_MAX = 1 << 20 }; /* octets for one question: libpq keeps all that comes */

static const char statement[] = "postrider";

struct connection {
    PGconn *pg;
    uint64_t heard; /* before this question */
    int parameters; /* of the prepared query */
};

struct server {
    pthread_mutex_t lock;
    struct connection kept[KEPT_MAX];
    size_t count;
};

static int open_server(struct store *store, struct buf *reason)
{
    struct server *server = calloc(1, sizeof *server);
    if (!server) {
        buf_add(reason, STR("not enough memory"));
        return -1;
    }
    pthread_mutex_init(&server->lock, NULL);
    store->own = server;
    return 0;
}

static void close_server(struct store *store)
{
    struct server *server = store->own;
    for (size_t i = 0; server && i < server->count; i++) {
        PQfinish(server->kept[i].pg);
    }
    if (server) {
        pthread_mutex_destroy(&server->lock);
        free(server);
    }
}

static struct connection take_kept(struct server *server)
{
    struct connection taken = {0};
    pthread_mutex_lock(&server->lock);
    if (server->count > 0) {
        taken = server->kept[--server->count];
    }
    pthread_mutex_unlock(&server->lock);
    return taken;
}

static void keep(struct server *server, struct connection *c)
{
    pthread_mutex_lock(&server->lock);
    if (server->count < KEPT_MAX && PQtransactionStatus(c->pg) == PQTRANS_IDLE) {
        server->kept[server->count++] = *c;
        c->pg = NULL;
    }
    pthread_mutex_unlock(&server->lock);
    PQfinish(c->pg);
}

/* Its words may name the user of the database, but no password. */
static enum store_answer down(const struct store_question *question, const struct connection *c)
{
    const char *message = c->pg ? PQerrorMessage(c->pg) : "not enough memory";
    if (question->reason->len > 0) {
        return STORE_DOWN;
    }
    return store_down(question, "%s", *message ? message : "no answer in time");
}

/* What the server has to remark would go to standard error, between the lines of the log. */
static void ignore(void *nobody, const char *message)
{
    (void)nobody;
    (void)message;
}

static bool connected(const struct store *store, const struct store_question *question,
                      struct connection *c)
{
    const char *const keywords[] = {"dbname", "application_name", "client_encoding", "gssencmode",
                                    NULL};
    const char *const values[] = {store->config->place.ptr, "postrider", "UTF8", "disable", NULL};
    c->pg = PQconnectStartParams(keywords, values, 1);
    if (c->pg) {
        (void)PQsetNoticeProcessor(c->pg, ignore, NULL);
    }
    PostgresPollingStatusType wants =
        c->pg && PQstatus(c->pg) != CONNECTION_BAD ? PGRES_POLLING_WRITING : PGRES_POLLING_FAILED;
    while (wants == PGRES_POLLING_WRITING || wants == PGRES_POLLING_READING) {
        if (!store_wait(question, PQsocket(c->pg),
                        wants == PGRES_POLLING_READING ? POLLIN : POLLOUT)) {
            return false;
        }
        wants = PQconnectPoll(c->pg);
    }
    return wants == PGRES_POLLING_OK && PQsetnonblocking(c->pg, 1) == 0;
}

static bool heard(const struct store_question *question, const struct connection *c)
{
    if (store_heard(PQsocket(c->pg)) - c->heard > HEARD_MAX) {
        (void)store_down(question, "its answer is too long");
        return false;
    }
    return PQconsumeInput(c->pg);
}

static bool sent(const struct store_question *question, const struct connection *c)
{
    int left;
    while ((left = PQflush(c->pg)) == 1) {
        short came = store_wait(question, PQsocket(c->pg), POLLIN | POLLOUT);
        if (!came || ((came & POLLIN) && !heard(question, c))) {
            return false;
        }
    }
    return left == 0;
}

/* The result of what was sent, the caller's to clear; null: none in time, or the connection broke,
 * or it is far too long. */
static PGresult *result_of(const struct store_question *question, const struct connection *c)
{
    PGresult *first = NULL;
    PGconn *pg = c->pg;
    if (!sent(question, c)) {
        return NULL;
    }
    for (;;) {
        while (PQisBusy(pg)) {
            if (!store_wait(question, PQsocket(pg), POLLIN) || !heard(question, c)) {
                PQclear(first);
                return NULL;
            }
        }
        PGresult *next = PQgetResult(pg);
        if (!next) {
            return first;
        }
        PQclear(first ? next : NULL);
        first = first ? first : next;
    }
}

static bool command(const struct store_question *question, struct connection *c)
{
    PGresult *result = result_of(question, c);
    bool good = result && PQresultStatus(result) == PGRES_COMMAND_OK;
    int parameters = result ? PQnparams(result) : 0;
    c->parameters = parameters < PARAMETERS_MAX ? parameters : PARAMETERS_MAX;
    PQclear(result);
    return good;
}

/* Read only for the session, so that a query that writes is refused by the server. */
static bool prepare(const struct store *store, const struct store_question *question,
                    struct connection *c)
{
    return PQsendQuery(c->pg, "SET default_transaction_read_only = on") && command(question, c) &&
           PQsendPrepare(c->pg, statement, store->config->query.ptr, 0, NULL) &&
           command(question, c) && PQsendDescribePrepared(c->pg, statement) && command(question, c);
}

static char *copy(struct str text)
{
    return strndup(text.len > 0 ? text.ptr : "", text.len);
}

static bool send_query(const struct store_question *question, struct connection *c)
{
    struct str local, domain;
    store_name_parts(question->name, &local, &domain);
    char *parts[PARTS] = {copy(question->name), copy(local), copy(domain)};
    const char *values[PARTS] = {parts[0], parts[1], parts[2]};
    bool good = parts[0] && parts[1] && parts[2] &&
                PQsendQueryPrepared(c->pg, statement, c->parameters, values, NULL, NULL, 0);
    for (size_t i = 0; i < PARTS; i++) {
        free(parts[i]);
    }
    return good;
}

static enum store_answer take_row(const struct store_question *question, const PGresult *result)
{
    if (PQntuples(result) == 0) {
        return STORE_UNKNOWN;
    }
    for (int i = 0; i < PQnfields(result) && i < COLUMNS_MAX; i++) {
        store_add_field(question,
                        str_from(PQgetvalue(result, 0, i), (size_t)PQgetlength(result, 0, i)));
    }
    return STORE_FOUND;
}

/* `*broken`: the connection is of no use any more. */
static enum store_answer query(const struct store_question *question, struct connection *c,
                               bool *broken)
{
    PGresult *result = send_query(question, c) ? result_of(question, c) : NULL;
    *broken = !result || PQstatus(c->pg) != CONNECTION_OK;
    enum store_answer answer = result && PQresultStatus(result) == PGRES_TUPLES_OK
                                   ? take_row(question, result)
                                   : down(question, c);
    PQclear(result);
    return answer;
}

/* A connection that was kept may have broken in the meantime: then a new one is made. */
static enum store_answer look_up(struct store *store, const struct store_question *question)
{
    struct server *server = store->own;
    struct connection c = server ? take_kept(server) : (struct connection){0};
    enum store_answer answer = STORE_DOWN;
    bool broken = true;
    if (c.pg) {
        c.heard = store_heard(PQsocket(c.pg));
        answer = query(question, &c, &broken);
    }
    if (broken && server) {
        PQfinish(c.pg);
        c = (struct connection){0};
        buf_clear(question->reason);
        answer = connected(store, question, &c) && prepare(store, question, &c)
                     ? query(question, &c, &broken)
                     : down(question, &c);
    }
    if (answer == STORE_DOWN) {
        PQfinish(c.pg);
    } else {
        keep(server, &c);
    }
    return answer;
}

const struct store_kind postgresql_store = {
    .word = "postgresql", .open = open_server, .look_up = look_up, .close = close_server};
