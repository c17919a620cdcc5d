/* Philox4x32-10, a counter-based generator: Salmon et al. 2011. Public as thaw_random_fill. */
#ifndef THAW_CORE_PHILOX_H
#define THAW_CORE_PHILOX_H

#include <thaw/runtime.h>

/* The purpose of a stream.

   Element e of a stream is word e % 4 of the block whose counter is, from its first word on,
       e / 4 (low 32 bits), e / 4 (next 16 bits) below step (bits 32 to 47), step (low 32 bits), node:
   no two of (step, node, e) share one while steps stay below 2^48 and elements below 2^50. The key is
   mix(mix(seed) + purpose), low word first, where mix is a bijection of 64 bits: streams that differ in seed or in
   purpose alone never share a key, and those that differ in both do by accident only. */
enum thaw_purpose {
    THAW_PURPOSE_INITIAL = 1,
    THAW_PURPOSE_SHUFFLE = 2,
    THAW_PURPOSE_LAYER = 3, /* dropout, and random numbers of users' layers */
    THAW_PURPOSE_AUGMENT = 4,
    THAW_PURPOSE_SAMPLING = 5,
    THAW_PURPOSE_BATCHES = 6,  /* the order of batches of like lengths */
    THAW_PURPOSE_ROUNDING = 7, /* of optimizer state */
    THAW_PURPOSE_TRIALS = 8,   /* the settings that a comparison tries */
    THAW_PURPOSE_POLICY = 9,
    THAW_PURPOSE_MIXING = 10 /* of the samples of a batch, and noise on features */
};

/* A number in [0, 1) with 24 bits, exact in a float. */
static inline float thaw_unit(uint32_t bits)
{
    return (float)(bits >> 8) * 0x1p-24F;
}

#endif
