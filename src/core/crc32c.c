#include "core/crc32c.h"

#include <string.h>

/* The remainders of the sixteen values of four bits. */
static const uint32_t nibbles[16] = {
    0x00000000U, 0x105EC76FU, 0x20BD8EDEU, 0x30E349B1U, 0x417B1DBCU, 0x5125DAD3U, 0x61C69362U, 0x7198540DU,
    0x82F63B78U, 0x92A8FC17U, 0xA24BB5A6U, 0xB21572C9U, 0xC38D26C4U, 0xD3D3E1ABU, 0xE330A81AU, 0xF36E6F75U,
};

uint32_t thaw_crc32c_plain(uint32_t crc, const void *bytes, size_t count)
{
    const unsigned char *byte = bytes;
    uint32_t state = ~crc;
    for (size_t i = 0; i < count; i++) {
        state ^= byte[i];
        state = state >> 4 ^ nibbles[state & 15];
        state = state >> 4 ^ nibbles[state & 15];
    }
    return ~state;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t add_with_instruction(uint32_t state, const unsigned char *byte,
                                                                       size_t count)
{
    uint64_t wide = state;
    size_t i = 0;
    for (; i + sizeof wide <= count; i += sizeof wide) {
        uint64_t word;
        memcpy(&word, byte + i, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    state = (uint32_t)wide;
    for (; i < count; i++)
        state = __builtin_ia32_crc32qi(state, byte[i]);
    return state;
}
#endif

uint32_t thaw_crc32c(uint32_t crc, const void *bytes, size_t count)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return ~add_with_instruction(~crc, bytes, count);
#endif
    return thaw_crc32c_plain(crc, bytes, count);
}
