/* A fingerprint of bytes: 128 bits, so that two contents that differ by accident never meet. It is no defence against
   somebody who builds a collision. */
#ifndef THAW_CORE_DIGEST_H
#define THAW_CORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

typedef struct thaw_digest {
    uint64_t lane[2];
    uint64_t length;
} thaw_digest;

/* Digests begin zeroed. Content is what was added, and in which pieces: ("ab", "c") is not ("a", "bc"). */
void thaw_digest_add(thaw_digest *digest, const void *bytes, size_t count);

void thaw_digest_add_text(thaw_digest *digest, const char *text);
void thaw_digest_add_number(thaw_digest *digest, uint64_t number);

#endif
