/* Any bytes as a pair of IDX files: whatever opens can be read whole. The first byte is the length of the labels. */
#include <stdlib.h>

#include "fuzz/fuzz.h"

enum { MOST_BYTES = 1 << 20 };

static void read_all(thaw_context *context, thaw_dataset *dataset)
{
    const thaw_shape *shape = thaw_dataset_sample_shape(dataset);
    const size_t count = thaw_dataset_count(dataset), elements = thaw_shape_count(shape);
    float *sample = malloc(elements * sizeof *sample);
    int32_t label;
    fuzz_demand(sample != NULL, "there is memory for a sample");
    for (size_t i = 0; i < count; i++) {
        fuzz_demand(thaw_dataset_read(dataset, &i, 1, sample, &label) == THAW_OK, thaw_context_message(context));
        fuzz_demand(label >= 0 && (size_t)label < thaw_dataset_classes(dataset), "labels are classes");
        for (size_t k = 0; k < elements; k++)
            fuzz_demand(sample[k] >= 0 && sample[k] <= 1, "pixels are shares");
    }
    free(sample);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const fuzz_pair pair = fuzz_open_pair(data, size);
    thaw_context *context = fuzz_context(MOST_BYTES);
    thaw_dataset *dataset;
    thaw_context_limit_data(context, MOST_BYTES);
    const thaw_status status = thaw_dataset_open_idx(context, pair.inputs, pair.labels, &dataset);
    fuzz_demand_message(context, status);
    fuzz_demand((status == THAW_OK) == (dataset != NULL), "a data set, or none");
    if (status == THAW_OK)
        read_all(context, dataset);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
    fuzz_close_pair(&pair);
    return 0;
}
