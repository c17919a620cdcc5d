/* A 128-bit fingerprint of bytes. Different contents do not collide by accident. It is no defence against deliberate
   collisions. */
#ifndef THAW_CORE_DIGEST_H
#define THAW_CORE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

typedef struct thaw_digest {
    uint64_t lane[2];
    uint64_t length;
} thaw_digest;

/* A digest starts zeroed. Pieces count, not only their bytes: ("ab", "c") differs from ("a", "bc"). */
void thaw_digest_add(thaw_digest *digest, const void *bytes, size_t count);

void thaw_digest_add_text(thaw_digest *digest, const char *text);
void thaw_digest_add_number(thaw_digest *digest, uint64_t number);

#endif
