/* Any bytes as a safetensors file: whatever opens must be whole. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "io/safetensors.h"

static void check_tensor(const thaw_safetensors *file, const thaw_stored_tensor *tensor, size_t size)
{
    fuzz_demand(thaw_safetensors_find(file, tensor->name) == tensor, "a tensor is found by its name");
    fuzz_demand(tensor->begin <= tensor->end && file->data_start + tensor->end <= size, "a tensor is in the file");
    const bool half = strcmp(tensor->dtype, "F16") == 0 || strcmp(tensor->dtype, "BF16") == 0;
    float *values = malloc((tensor->end - tensor->begin) * (half ? 2 : 1) + 1);
    const thaw_status wanted = half || strcmp(tensor->dtype, "F32") == 0 ? THAW_OK : THAW_UNSUPPORTED;
    fuzz_demand(values && thaw_safetensors_read(file, tensor, values) == wanted, "a tensor can be read");
    fuzz_demand(wanted != THAW_OK || thaw_shape_count(&tensor->shape) * (half ? 2 : 4) == tensor->end - tensor->begin,
                "a tensor's size is that of its shape");
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_BYTES];
    const int memory = fuzz_file(path, data, size);
    thaw_context *context = fuzz_context(1 << 24);
    thaw_safetensors file;
    const thaw_status status = thaw_safetensors_open(context, path, &file);
    fuzz_demand_message(context, status);
    if (status == THAW_OK) {
        uint64_t covered = file.data_start;
        for (size_t i = 0; i < file.count; i++) {
            check_tensor(&file, &file.tensors[i], size);
            covered += file.tensors[i].end - file.tensors[i].begin;
        }
        fuzz_demand(covered == size, "the tensors cover the file");
        thaw_safetensors_close(&file);
    }
    thaw_context_destroy(context);
    close(memory);
    return 0;
}
