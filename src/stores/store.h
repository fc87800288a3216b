/* store.h: a place where users are kept, and what it can be asked, for this folder alone. A
 * question may wait for another server: each has a time limit and is asked by a thread that may
 * wait. */
#pragma once

#include "config/config.h"
#include "core/base/buf.h"
#include "stores/stores.h"

struct store;

struct store_question {
    struct str name;       /* UTF-8 without control characters, 1 to 255 octets */
    const char *name_text; /* the same, ended by NUL */
    const char *password;  /* ended by NUL, never empty; null in a look-up */
    struct str token;      /* instead of name and password: check_token */
    int64_t until_us;      /* monotonic: the time limit */
    struct buf *fields;    /* look-up: gets what verifier_parse() reads */
    struct buf *reason;    /* STORE_DOWN: gets why, in words; never a password */
};

struct store_kind {
    const char *word; /* as the configuration and the log have it */
    /* Reads what only the privileged can read. 0 or -errno, with the reason. May be null. */
    int (*open)(struct store *store, struct buf *reason);
    /* STORE_FOUND, STORE_UNKNOWN or STORE_DOWN. Null: the store judges passwords itself. */
    enum store_answer (*look_up)(struct store *store, const struct store_question *question);
    /* STORE_RIGHT, STORE_WRONG, STORE_UNKNOWN (also where wrong and unknown look alike: the next
     * store is asked) or STORE_DOWN. Null: by what look_up() finds. */
    enum store_answer (*check)(struct store *store, const struct store_question *question);
    /* STORE_RIGHT, STORE_WRONG or STORE_DOWN. Null: it knows no tokens, and one that has this knows
     * no passwords. */
    enum store_answer (*check_token)(struct store *store, const struct store_question *question);
    /* STORE_FOUND where it can be reached, or STORE_DOWN. Null: asked like a look-up. */
    enum store_answer (*reach)(struct store *store, const struct store_question *question);
    void (*close)(struct store *store); /* may be null */
};

struct store {
    const struct store_kind *kind;
    const struct config_store *config;
    void *own; /* the kind's */
};

extern const struct store_kind file_store;
extern const struct store_kind sqlite_store;
extern const struct store_kind postgresql_store;
extern const struct store_kind ldap_store;
extern const struct store_kind pam_store;
extern const struct store_kind dovecot_store;
extern const struct store_kind introspection_store;

int64_t store_now_us(void); /* monotonic */
/* What is left of the question's time, at least 1 ms. */
int store_left_ms(const struct store_question *question);
/* "anna@example.org": what stands before and after the last "@"; without one the domain is empty.
 */
void store_name_parts(struct str name, struct str *local, struct str *domain);
/* Waits for `events` (poll.h) at a descriptor: those that came, or 0 at the time limit. */
short store_wait(const struct store_question *question, int descriptor, short events);
/* How many octets a TCP connection has brought so far; 0 where that cannot be known. */
uint64_t store_heard(int descriptor);
/* Appends to the reason, and is STORE_DOWN. */
enum store_answer store_down(const struct store_question *question, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Reads the file that holds a secret: its first line. 0 or -errno. */
NODISCARD int store_secret(const char *path, struct buf *secret, struct buf *reason);
/* A column of a row as a field, unless it is empty: a scheme in braces before a hash
 * ("{CRYPT}$6$…") is left out. */
void store_add_field(const struct store_question *question, struct str column);
