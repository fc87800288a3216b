#include "core/base/crc32c.h"

#include <string.h>

/* Two ways to the same value: the processor's instruction where the compiler may count on it being
 * there at run time, else four bits a step, whose table of 16 words stays in the cache. */
static const uint32_t nibble_table[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t crc_portable(uint32_t crc, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        crc ^= (unsigned char)bytes.ptr[i];
        crc = crc >> 4 ^ nibble_table[crc & 15];
        crc = crc >> 4 ^ nibble_table[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_instruction(uint32_t crc, struct str bytes)
{
    uint64_t wide = crc;
    size_t at = 0;
    for (; at + 8 <= bytes.len; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.ptr + at, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; at < bytes.len; at++) {
        crc = __builtin_ia32_crc32qi(crc, (unsigned char)bytes.ptr[at]);
    }
    return crc;
}
#endif

uint32_t crc32c(uint32_t crc, struct str bytes)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~crc_instruction(~crc, bytes);
    }
#endif
    return ~crc_portable(~crc, bytes);
}
