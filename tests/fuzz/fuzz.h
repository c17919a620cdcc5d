/* What libFuzzer calls, and replay.c. */
#ifndef THAW_TESTS_FUZZ_H
#define THAW_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
