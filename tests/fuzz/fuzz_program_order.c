/* Property: bytes that are taken as an order are written back as the same bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "runner/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct order order;
    static struct str argv[ORDER_WORDS_MAX], environment[ORDER_WORDS_MAX];
    struct str bytes = str_from((const char *)data, size);
    if (!order_parse(bytes, &order)) {
        return 0;
    }
    for (size_t i = 0; i < order.argc; i++) {
        argv[i] = str_from_cstr(order.argv[i]);
    }
    for (size_t i = 0; i < order.environment_count; i++) {
        environment[i] = str_from_cstr(order.environment[i]);
    }
    struct program_order again = {.argv = argv,
                                  .argc = order.argc,
                                  .environment = environment,
                                  .environment_count = order.environment_count};
    struct buf out = {0};
    if (order_format(&out, &again) != 0 || !str_eq(buf_str(&out), bytes)) {
        (void)fprintf(stderr, "broken: an order is not written back as it was read\n");
        abort();
    }
    buf_done(&out);
    return 0;
}
