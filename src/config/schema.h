/* schema.h: every key of the configuration, as one table, for this folder alone. */
#pragma once

#include "config/reader.h"

extern const struct key config_keys[];
