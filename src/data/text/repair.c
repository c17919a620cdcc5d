#include "data/text/repair.h"

#include <string.h>

#include "data/text/character.h"

/* The bytes of the character at `text`; 0 if it is none, and *bad is then the length of the part to replace. */
static size_t measure(const unsigned char *text, size_t bytes, size_t *bad)
{
    const unsigned char first = text[0];
    const size_t length = first < 0x80   ? 1
                          : first < 0xC2 ? 0
                          : first < 0xE0 ? 2
                          : first < 0xF0 ? 3
                          : first < 0xF5 ? 4
                                         : 0;
    *bad = 1;
    for (size_t i = 1; i < length; i++) {
        const unsigned char least = i > 1 ? 0x80 : first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
        const unsigned char most = i > 1 ? 0xBF : first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
        if (i == bytes || text[i] < least || text[i] > most) {
            *bad = i;
            return 0;
        }
    }
    return length;
}

size_t thaw_utf8_valid(const unsigned char *text, size_t bytes)
{
    size_t at = 0, bad;
    while (at < bytes) {
        uint64_t eight;
        if (bytes - at >= sizeof eight) {
            memcpy(&eight, text + at, sizeof eight);
            if (!(eight & 0x8080808080808080U)) {
                at += sizeof eight;
                continue;
            }
        }
        const size_t length = measure(text + at, bytes - at, &bad);
        if (!length)
            break;
        at += length;
    }
    return at;
}

size_t thaw_utf8_repair(const unsigned char *text, size_t bytes, unsigned char *to, size_t *replaced)
{
    size_t written = 0;
    *replaced = 0;
    while (bytes > 0) {
        size_t bad = 0;
        const size_t good = thaw_utf8_valid(text, bytes);
        memcpy(to + written, text, good);
        written += good;
        if (good < bytes) {
            measure(text + good, bytes - good, &bad);
            written += thaw_character_write(THAW_REPLACEMENT, to + written);
            ++*replaced;
        }
        text += good + bad;
        bytes -= good + bad;
    }
    return written;
}
