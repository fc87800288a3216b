/* Properties: a configuration is loaded, or refused with at least one error. */
#include "config/load.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_source source = {.file = STR("/f.yaml"),
                                   .text = str_from((const char *)data, size),
                                   .hostname = STR("host.example"),
                                   .text_only = true};
    struct config_problems problems = {0};
    struct config *config = NULL;
    int result = config_load(&source, &config, &problems);
    if ((result == 0) != (problems.errors == 0)) {
        abort();
    }
    if (result == 0) {
        config_drop(config);
    }
    config_problems_done(&problems);
    return 0;
}
