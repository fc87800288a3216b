/* server_inside.h: the steps of the server machine, shared by its files. */
#pragma once

#include "core/smtp/server.h"

enum server_phase {
    SERVER_AT_COMMAND,
    SERVER_HELLO_AGAIN, /* EHLO ended a transaction: the abort was told, its question is next */
    SERVER_AT_DATA,
    SERVER_AT_CHUNK,
    SERVER_AT_RESPONSE, /* of AUTH */
    SERVER_ASKING,
    SERVER_SECURING, /* STARTTLS was accepted */
    SERVER_CLOSED,
};

/* Appends the reply; a 421 closes. */
void server_say(struct smtp_server *s, const struct smtp_reply *reply);
/* The same, counted as the client's error: SERVER_MORE, or SERVER_CLOSE when they are too many. */
enum server_event_kind server_refuse(struct smtp_server *s, enum answer answer);
/* Says why and closes; SERVER_CLOSE. */
enum server_event_kind server_give_up(struct smtp_server *s, const struct smtp_reply *why);
/* The transaction's state is as before MAIL. */
void server_forget(struct smtp_server *s);

/* BDAT: its octets follow, and are of the message… */
enum server_event_kind server_begin_chunk(struct smtp_server *s, const struct command *c);
/* …or are passed over, and `answer` given after. */
enum server_event_kind server_drain_chunk(struct smtp_server *s, const struct command *c,
                                          enum answer answer);
enum server_event_kind server_take_data(struct smtp_server *s, struct str *bytes,
                                        struct server_event *event);
enum server_event_kind server_take_chunk(struct smtp_server *s, struct str *bytes,
                                         struct server_event *event);
