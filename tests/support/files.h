/* Small files for tests: a directory of their own, golden values, IDX content, gzip. */
#ifndef THAW_TESTS_SUPPORT_FILES_H
#define THAW_TESTS_SUPPORT_FILES_H

#include <stddef.h>
#include <stdint.h>

enum { SUPPORT_PATH_BYTES = 512 };

/* Makes a fresh directory under TMPDIR or /tmp. */
void support_make_directory(char directory[SUPPORT_PATH_BYTES]);

/* Removes it and the files in it; anything else in it is a failure. */
void support_remove_directory(const char *directory);

/* Removes it and all that is in it, folders too. */
void support_remove_tree(const char *directory);

/* Writes "directory/name" to `path` and returns it. */
const char *support_path(char path[SUPPORT_PATH_BYTES], const char *directory, const char *name);

/* Writes the path of "tests/golden/name" to `path` and returns it. */
const char *support_golden(char path[SUPPORT_PATH_BYTES], const char *name);

/* Entries of a directory: to see that nothing was left in it, or no descriptor open ("/proc/self/fd"). */
size_t support_count_entries(const char *directory);

void support_write_file(const char *path, const void *bytes, size_t count);

/* A file in memory with this content: its descriptor, which the caller closes, and its path. For many small changes. */
int support_memory_file(char path[SUPPORT_PATH_BYTES], const void *bytes, size_t count);

/* Returns the number of bytes of the file, of which the first `capacity` are in `bytes`; -1 when it does not open. */
long support_read_file(const char *path, void *bytes, size_t capacity);

/* The same for the tensors of a safetensors file, without its header, which names the command that wrote it. */
long support_read_tensors(const char *path, void *bytes, size_t capacity);

/* An IDX file of unsigned bytes; returns its length. */
size_t support_idx(uint8_t *file, size_t rank, const uint32_t *dims, const uint8_t *elements);

/* Packs as gzip; returns the packed length. */
size_t support_gzip(uint8_t *packed, size_t capacity, const uint8_t *bytes, size_t count);

#endif
