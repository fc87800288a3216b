#include "cli/serve_log.h"

static enum log_style style_of(enum log_format format)
{
    switch (format) {
    case LOG_FORMAT_TEXT:
        return LOG_STYLE_READABLE;
    case LOG_FORMAT_JSON:
        return LOG_STYLE_JSON;
    case LOG_FORMAT_AUTO:
        break;
    }
    return LOG_STYLE_AUTO;
}

struct log *serve_log_new(const struct config *config)
{
    return log_new(2, style_of(config->log_format), (enum log_level)config->log_level);
}
