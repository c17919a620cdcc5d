/* A fuzz target: libFuzzer calls it with any bytes, and the tests with its corpus (replay.c). See meson.build. */
#ifndef THAW_TESTS_FUZZ_FUZZ_H
#define THAW_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <thaw/thaw.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process where something does not hold. */
void fuzz_demand(bool truth, const char *what);

/* That a call has failed with a message that a terminal may see, or has not. */
void fuzz_demand_message(const thaw_context *context, thaw_status status);

/* A context of one thread. Blocks above `most_bytes` are refused: much memory takes time and shows no more. */
thaw_context *fuzz_context(size_t most_bytes);

/* A file in memory with this content: its descriptor, which the caller closes, and its path. */
enum { FUZZ_PATH_BYTES = 64 };
int fuzz_file(char path[FUZZ_PATH_BYTES], const uint8_t *data, size_t size);

/* Two such files. The first byte is the length of the second one, the labels. */
typedef struct fuzz_pair {
    char inputs[FUZZ_PATH_BYTES], labels[FUZZ_PATH_BYTES];
    int files[2];
} fuzz_pair;
fuzz_pair fuzz_open_pair(const uint8_t *data, size_t size);
void fuzz_close_pair(const fuzz_pair *pair);

/* The bytes as a text, up to the first zero, which the caller frees. */
char *fuzz_text(const uint8_t *data, size_t size);

/* The path of a file in a directory of this process, which goes when the process ends. */
const char *fuzz_path(const char *name);
void fuzz_write(const char *path, const uint8_t *data, size_t size);

#endif
