#include "core/utf8.h"

#include <stdbool.h>

size_t thaw_utf8_read(const char *text, uint32_t *code)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const unsigned char first = (unsigned char)text[0];
    const size_t bytes = first < 0x80   ? 1
                         : first < 0xC0 ? 0
                         : first < 0xE0 ? 2
                         : first < 0xF0 ? 3
                         : first < 0xF8 ? 4
                                        : 0;
    *code = bytes == 1 ? first : first & (0x7FU >> bytes);
    for (size_t i = 1; i < bytes; i++) {
        const unsigned char next = (unsigned char)text[i];
        if ((next & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (next & 0x3F);
    }
    const bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return *code < least[bytes] || surrogate || *code > 0x10FFFF ? 0 : bytes;
}

bool thaw_is_utf8(const char *text)
{
    uint32_t code;
    size_t bytes = 1;
    for (const char *at = text; *at && bytes; at += bytes)
        bytes = thaw_utf8_read(at, &code);
    return bytes > 0;
}
