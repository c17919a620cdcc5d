#include "data/text/byte_words.h"

#include <string.h>

#include "data/text/character.h"

typedef enum class { SPACE, LETTER, NUMBER, OTHER } class;

static class classify(uint32_t code)
{
    if (code < 0x80) {
        const uint32_t lower = code | 0x20;
        return lower >= 'a' && lower <= 'z'    ? LETTER
               : code >= '0' && code <= '9'    ? NUMBER
               : thaw_character_is_space(code) ? SPACE
                                               : OTHER;
    }
    return thaw_character_is_letter(code)   ? LETTER
           : thaw_character_is_number(code) ? NUMBER
           : thaw_character_is_space(code)  ? SPACE
                                            : OTHER;
}

static size_t contraction(const unsigned char *text, size_t bytes)
{
    static const char *const endings[] = { "'s", "'t", "'re", "'ve", "'m", "'ll", "'d" };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t length = strlen(endings[i]);
        if (bytes >= length && memcmp(text, endings[i], length) == 0)
            return length;
    }
    return 0;
}

/* Spaces up to the end of the text, or without the last, which belongs to the next word; but at least one. */
static size_t measure_spaces(const unsigned char *text, const unsigned char *end)
{
    const unsigned char *at = text, *last = text;
    while (at < end) {
        const unsigned char *begin = at;
        if (classify(thaw_character_next(&at)) != SPACE)
            return (size_t)((last > text ? last : begin) - text);
        last = begin;
    }
    return (size_t)(end - text);
}

size_t thaw_byte_word(const unsigned char *text, size_t bytes)
{
    const unsigned char *at = text, *end = text + bytes;
    const size_t length = *text == '\'' ? contraction(text, bytes) : 0;
    if (length)
        return length;
    class first = classify(thaw_character_next(&at));
    if (*text == ' ' && at < end)
        first = classify(thaw_character_next(&at));
    if (first == SPACE)
        return measure_spaces(text, end);
    for (const unsigned char *next = at; at < end; at = next)
        if (classify(thaw_character_next(&next)) != first)
            break;
    return (size_t)(at - text);
}

/* Printable characters of Latin-1 stand for themselves; the other bytes have the characters from U+0100 on. */
static bool stands_for_itself(unsigned char byte)
{
    return (byte > ' ' && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
}

uint32_t thaw_byte_character(unsigned char byte)
{
    if (stands_for_itself(byte))
        return byte;
    const uint32_t before = byte <= ' ' ? byte : byte <= 0xA0 ? 33U + byte - 0x7F : 67;
    return 0x100 + before;
}

int thaw_character_byte(uint32_t code)
{
    if (code < 0x100)
        return stands_for_itself((unsigned char)code) ? (int)code : -1;
    const uint32_t place = code - 0x100;
    return place <= 32 ? (int)place : place <= 66 ? (int)(place - 33 + 0x7F) : place == 67 ? 0xAD : -1;
}
