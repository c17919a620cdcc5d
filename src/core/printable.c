#include "core/printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/utf8.h"

static bool stays(uint32_t code)
{
    const bool control = code < 0x20 || (code >= 0x7F && code < 0xA0);
    const bool breaks_line = code == 0x2028 || code == 0x2029;
    const bool turns = code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
                       (code >= 0x2066 && code <= 0x2069);
    return !control && !breaks_line && !turns;
}

void thaw_copy_printable(char *to, size_t capacity, const char *text)
{
    enum { ESCAPE_BYTES = 4 }; /* \xNN */
    size_t used = 0, bytes;
    for (const char *from = text; *from; from += bytes) {
        uint32_t code;
        bytes = thaw_utf8_read(from, &code);
        const bool kept = bytes && stays(code);
        bytes = bytes ? bytes : 1;
        const size_t written = kept ? bytes : ESCAPE_BYTES * bytes;
        if (used + written >= capacity)
            break;
        if (kept)
            memcpy(to + used, from, bytes);
        for (size_t i = 0; i < bytes && !kept; i++)
            snprintf(to + used + ESCAPE_BYTES * i, ESCAPE_BYTES + 1, "\\x%02x", (unsigned char)from[i]);
        used += written;
    }
    to[used] = '\0';
}

bool thaw_is_printable(const char *text)
{
    for (size_t bytes; *text; text += bytes) {
        uint32_t code;
        bytes = thaw_utf8_read(text, &code);
        if (bytes == 0 || !stays(code))
            return false;
    }
    return true;
}
