#include "core/digest.h"

#include <string.h>

/* A bijection on 64 bits that spreads each bit over all others: the finalizer of MurmurHash3 (Appleby 2011). */
static uint64_t spread(uint64_t word)
{
    word ^= word >> 33;
    word *= 0xFF51AFD7ED558CCDU;
    word ^= word >> 33;
    word *= 0xC4CEB9FE1A85EC53U;
    return word ^ word >> 33;
}

static void add_word(thaw_digest *digest, uint64_t word)
{
    digest->length++;
    digest->lane[0] = spread(digest->lane[0] ^ word) + digest->length;
    digest->lane[1] = spread(digest->lane[1] + word) ^ ~digest->length;
}

void thaw_digest_add(thaw_digest *digest, const void *bytes, size_t count)
{
    const char *from = bytes;
    uint64_t word;
    size_t left = count;
    for (; left >= sizeof word; from += sizeof word, left -= sizeof word) {
        memcpy(&word, from, sizeof word);
        add_word(digest, word);
    }
    word = 0;
    memcpy(&word, from, left);
    add_word(digest, word);
    add_word(digest, count);
}

void thaw_digest_add_text(thaw_digest *digest, const char *text)
{
    thaw_digest_add(digest, text, strlen(text));
}

void thaw_digest_add_number(thaw_digest *digest, uint64_t number)
{
    thaw_digest_add(digest, &number, sizeof number);
}
