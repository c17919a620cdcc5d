/* A hash of bytes, for tables in memory. */
#ifndef THAW_DATA_TEXT_HASH_H
#define THAW_DATA_TEXT_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t thaw_hash_number(uint64_t number)
{
    number *= 0x9E3779B97F4A7C15U; /* 2^64 divided by the golden ratio */
    return number ^ number >> 32;
}

static inline uint64_t thaw_hash_bytes(const void *bytes, size_t count)
{
    const unsigned char *at = bytes;
    uint64_t hash = count, word;
    for (; count >= sizeof word; count -= sizeof word, at += sizeof word) {
        memcpy(&word, at, sizeof word);
        hash = thaw_hash_number(hash ^ word);
    }
    word = 0;
    memcpy(&word, at, count);
    return thaw_hash_number(hash ^ word);
}

#endif
