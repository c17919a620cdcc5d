/* Properties of characters, as tokenizers see them. Texts are valid UTF-8 here (repair.h). */
#ifndef THAW_DATA_TEXT_CHARACTER_H
#define THAW_DATA_TEXT_CHARACTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { THAW_REPLACEMENT = 0xFFFD, THAW_MOST_DECOMPOSED = 8, THAW_MOST_LOWERED = 2, THAW_UTF8_BYTES = 4 };

/* Unicode's White_Space. */
bool thaw_character_is_space(uint32_t code);

/* Letters and numbers: the categories L and N. */
bool thaw_character_is_letter(uint32_t code);
bool thaw_character_is_number(uint32_t code);

/* BERT's classes. The categories are those of Unicode 8, as in the `tokenizers` package: a mark, a punctuation mark or
   a format character that is younger counts as a letter. */
bool thaw_character_is_control(uint32_t code);     /* Cc, Cf and Co */
bool thaw_character_is_punctuation(uint32_t code); /* P, and what ASCII has beside letters and digits */
bool thaw_character_is_accent(uint32_t code);      /* Mn */
bool thaw_character_is_ideograph(uint32_t code);   /* what BERT puts spaces around */

/* The canonical decomposition, of at most THAW_MOST_DECOMPOSED characters, by the same rule. Returns their number. */
size_t thaw_character_decompose(uint32_t code, uint32_t *parts);
/* The canonical combining class, by the same rule. */
unsigned thaw_character_class(uint32_t code);

/* The lower case, of at most THAW_MOST_LOWERED characters. Returns their number. */
size_t thaw_character_lower(uint32_t code, uint32_t *lowered);

/* Reads the character at *at, which must be valid, and moves *at behind it. */
static inline uint32_t thaw_character_next(const unsigned char **at)
{
    const unsigned char *p = *at;
    const uint32_t first = p[0];
    if (first < 0x80) {
        *at = p + 1;
        return first;
    }
    if (first < 0xE0) {
        *at = p + 2;
        return (first & 0x1F) << 6 | (p[1] & 0x3FU);
    }
    if (first < 0xF0) {
        *at = p + 3;
        return (first & 0xF) << 12 | (p[1] & 0x3FU) << 6 | (p[2] & 0x3FU);
    }
    *at = p + 4;
    return (first & 7) << 18 | (p[1] & 0x3FU) << 12 | (p[2] & 0x3FU) << 6 | (p[3] & 0x3FU);
}

/* Writes a character as UTF-8, at most THAW_UTF8_BYTES bytes. Returns their number. */
static inline size_t thaw_character_write(uint32_t code, unsigned char *to)
{
    if (code < 0x80) {
        to[0] = (unsigned char)code;
        return 1;
    }
    const size_t bytes = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = bytes - 1; i > 0; i--, code >>= 6)
        to[i] = (unsigned char)(0x80 | (code & 0x3F));
    to[0] = (unsigned char)(0xF00U >> bytes | code);
    return bytes;
}

#endif
