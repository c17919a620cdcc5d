/* Philox as src/core/philox.h lays it down, written out again. */
#ifndef THAW_TESTS_SUPPORT_PHILOX_H
#define THAW_TESTS_SUPPORT_PHILOX_H

#include <stddef.h>
#include <stdint.h>

/* The key of a stream, low word first. */
uint64_t support_philox_key(uint64_t seed, uint32_t purpose);

/* Number `index` of the initial values of a layer's parameter. */
uint32_t support_philox_initial(uint64_t seed, uint32_t node, uint32_t parameter, size_t index);

#endif
