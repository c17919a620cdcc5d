#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/printable.h"
#include "support/max_cpu.h"

void fuzz_demand(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort();
}

void fuzz_demand_message(const thaw_context *context, thaw_status status)
{
    const char *message = thaw_context_message(context);
    fuzz_demand(status == THAW_OK || status == THAW_OUT_OF_MEMORY || *message, "a failure has a reason");
    fuzz_demand(status != THAW_INTERNAL, "no bytes are a bug");
    fuzz_demand(thaw_is_printable(message), "a message can be printed");
}

/* ---------------------------------------------------------------- memory */

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    const size_t most_bytes = *(const size_t *)user;
    return bytes > most_bytes ? NULL : aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void release(void *user, void *memory, size_t bytes)
{
    (void)user, (void)bytes;
    free(memory);
}

thaw_context *fuzz_context(size_t most_bytes)
{
    static size_t most;
    thaw_context *context = NULL;
    most = most_bytes;
    const thaw_context_options options = {
        .threads = 1,
        .max_cpu = support_max_cpu(),
        .allocator = { .allocate = allocate, .release = release, .user = &most },
    };
    fuzz_demand(thaw_context_create(&options, &context) == THAW_OK, "a context is made");
    return context;
}

/* ---------------------------------------------------------------- files */

static void write_all(int file, const uint8_t *data, size_t size)
{
    fuzz_demand(file >= 0 && write(file, data, size) == (ssize_t)size, "a file can be made");
}

int fuzz_file(char path[FUZZ_PATH_BYTES], const uint8_t *data, size_t size)
{
    const int file = memfd_create("fuzz", MFD_CLOEXEC);
    write_all(file, data, size);
    snprintf(path, FUZZ_PATH_BYTES, "/proc/self/fd/%d", file);
    return file;
}

fuzz_pair fuzz_open_pair(const uint8_t *data, size_t size)
{
    fuzz_pair pair;
    const size_t rest_bytes = size - (size > 0), label_bytes = size && data[0] < rest_bytes ? data[0] : rest_bytes;
    const uint8_t *rest = data + (size > 0);
    pair.files[0] = fuzz_file(pair.labels, rest, label_bytes);
    pair.files[1] = fuzz_file(pair.inputs, rest + label_bytes, rest_bytes - label_bytes);
    return pair;
}

void fuzz_close_pair(const fuzz_pair *pair)
{
    for (int i = 0; i < 2; i++)
        close(pair->files[i]);
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_demand(text != NULL, "there is memory for a text");
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

static char directory[FUZZ_PATH_BYTES];

static void remove_directory(void)
{
    char command[FUZZ_PATH_BYTES + 16];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    if (system(command) != 0)
        perror(directory);
}

const char *fuzz_path(const char *name)
{
    static char path[2 * FUZZ_PATH_BYTES];
    if (!*directory) {
        strcpy(directory, access("/dev/shm", W_OK) == 0 ? "/dev/shm/thaw-fuzz-XXXXXX" : "/tmp/thaw-fuzz-XXXXXX");
        fuzz_demand(mkdtemp(directory) != NULL, "a directory can be made");
        atexit(remove_directory);
    }
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

void fuzz_write(const char *path, const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    fuzz_demand(file && fwrite(data, 1, size, file) == size, "a file can be written");
    fuzz_demand(fclose(file) == 0, "a file can be closed");
}
