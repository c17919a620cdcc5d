#include "support/philox.h"

#include <string.h>

/* Steele, Lea & Flood 2014: the finaliser of SplitMix64. */
static uint64_t mixed(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
    return bits ^ (bits >> 31);
}

uint64_t support_philox_key(uint64_t seed, uint32_t purpose)
{
    return mixed(mixed(seed) + purpose);
}

/* Philox4x32-10 as in Salmon et al. 2011. */
uint32_t support_philox_initial(uint64_t seed, uint32_t node, uint32_t parameter, size_t index)
{
    const uint64_t key = support_philox_key(seed, 1);
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c[4] = { (uint32_t)(index / 4), 0, parameter, node };
    for (int round = 0; round < 10; round++) {
        const uint64_t left = UINT64_C(0xD2511F53) * c[0], right = UINT64_C(0xCD9E8D57) * c[2];
        const uint32_t next[4] = { (uint32_t)(right >> 32) ^ c[1] ^ k0, (uint32_t)right,
                                   (uint32_t)(left >> 32) ^ c[3] ^ k1, (uint32_t)left };
        memcpy(c, next, sizeof c);
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
    return c[index % 4];
}
