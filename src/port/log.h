/* log.h: events for people and machines. An event has a name from one table (ARCHITECTURE.md lists
 * them) and named fields; the world renders it as JSON or as a readable line. */
#pragma once

#include "core/base/ip.h"
#include "core/base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

enum log_kind { LOG_STR, LOG_INT, LOG_IP };

struct log_field {
    const char *name;
    enum log_kind kind;
    struct str text;
    int64_t number;
    struct ip ip;
};

struct log {
    void (*event)(struct log *log, enum log_level level, const char *event,
                  const struct log_field *fields, size_t count);
};

#define F_STR(field, value)                                                                        \
    {                                                                                              \
        .name = (field), .kind = LOG_STR, .text = (value)                                          \
    }
#define F_INT(field, value)                                                                        \
    {                                                                                              \
        .name = (field), .kind = LOG_INT, .number = (int64_t)(value)                               \
    }
#define F_IP(field, value)                                                                         \
    {                                                                                              \
        .name = (field), .kind = LOG_IP, .ip = (value)                                             \
    }

/* log_event(log, LOG_INFO, "queued", F_STR("id", id), F_INT("size", n)); */
#define log_event(log, level, name, ...)                                                           \
    do {                                                                                           \
        const struct log_field log_fields_[] = {__VA_ARGS__};                                      \
        (log)->event((log), (level), (name), log_fields_,                                          \
                     sizeof log_fields_ / sizeof log_fields_[0]);                                  \
    } while (0)
