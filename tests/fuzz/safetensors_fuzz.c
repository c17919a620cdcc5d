/* Any bytes as a safetensors file: whatever opens must be whole.

   With clang:  CC=clang meson setup build-fuzz -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
                ninja -C build-fuzz tests/fuzz/safetensors
                build-fuzz/tests/fuzz/safetensors -max_total_time=60 tests/fuzz/corpus/safetensors
   In every other build this is linked with replay.c, and the tests run it over the corpus. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "io/safetensors.h"
#include "support/max_cpu.h"

static void demand(bool truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "not so: %s\n", what);
    abort();
}

static void check_tensor(const thaw_safetensors *file, const thaw_stored_tensor *tensor, size_t size)
{
    demand(thaw_safetensors_find(file, tensor->name) == tensor, "a tensor is found by its name");
    demand(tensor->begin <= tensor->end && file->data_start + tensor->end <= size, "a tensor is in the file");
    float *values = malloc(tensor->end - tensor->begin + 1);
    const thaw_status wanted = strcmp(tensor->dtype, "F32") == 0 ? THAW_OK : THAW_UNSUPPORTED;
    demand(values && thaw_safetensors_read(file, tensor, values) == wanted, "a tensor can be read");
    demand(wanted != THAW_OK || thaw_shape_count(&tensor->shape) * sizeof *values == tensor->end - tensor->begin,
           "a tensor's size is that of its shape");
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    thaw_context *context = NULL;
    thaw_safetensors file;
    const int memory = memfd_create("fuzz", MFD_CLOEXEC);
    demand(memory >= 0 && write(memory, data, size) == (ssize_t)size, "a file in memory can be made");
    demand(thaw_context_create(&(thaw_context_options){ .threads = 1, .max_cpu = support_max_cpu() }, &context) ==
               THAW_OK,
           "a context is made");
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    const thaw_status status = thaw_safetensors_open(context, path, &file);
    demand(status == THAW_OK || thaw_context_message(context)[0], "an error has a message");
    if (status == THAW_OK) {
        uint64_t covered = file.data_start;
        for (size_t i = 0; i < file.count; i++) {
            check_tensor(&file, &file.tensors[i], size);
            covered += file.tensors[i].end - file.tensors[i].begin;
        }
        demand(covered == size, "the tensors cover the file");
        thaw_safetensors_close(&file);
    }
    thaw_context_destroy(context);
    close(memory);
    return 0;
}
