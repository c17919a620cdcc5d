/* Any bytes as arrays of NumPy: an archive where they begin as one, else two files. The first byte is then the length
   of the targets. Whatever opens can be read whole. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

enum { MOST_BYTES = 1 << 20 };

static void read_all(thaw_context *context, thaw_dataset *dataset)
{
    const size_t count = thaw_dataset_count(dataset);
    const thaw_task task = thaw_dataset_task(dataset);
    float *sample = malloc(thaw_shape_count(thaw_dataset_sample_shape(dataset)) * sizeof *sample);
    float *targets = malloc(MOST_BYTES);
    fuzz_demand(sample && targets, "there is memory for a sample");
    for (size_t i = 0; i < count; i++) {
        fuzz_demand(thaw_dataset_read(dataset, &i, 1, sample, targets) == THAW_OK, thaw_context_message(context));
        int32_t label;
        memcpy(&label, targets, sizeof label);
        if (task == THAW_TASK_CLASSES)
            fuzz_demand(label >= 0 && (size_t)label < thaw_dataset_classes(dataset), "labels are classes");
        else
            fuzz_demand(isfinite(targets[0]), "targets are numbers");
    }
    free(sample);
    free(targets);
}

static thaw_status open_archive(thaw_context *context, const uint8_t *data, size_t size, thaw_dataset **dataset)
{
    char path[FUZZ_PATH_BYTES], text[2 * FUZZ_PATH_BYTES];
    const int file = fuzz_file(path, data, size);
    snprintf(text, sizeof text, "npz:%s", path);
    const thaw_status status = thaw_dataset_open(context, text, dataset, NULL);
    close(file);
    return status;
}

static thaw_status open_pair(thaw_context *context, const uint8_t *data, size_t size, thaw_dataset **dataset)
{
    char text[3 * FUZZ_PATH_BYTES];
    const fuzz_pair pair = fuzz_open_pair(data, size);
    snprintf(text, sizeof text, "npy:%s,%s", pair.inputs, pair.labels);
    const thaw_status status = thaw_dataset_open(context, text, dataset, NULL);
    fuzz_close_pair(&pair);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bool archive = size > 1 && data[0] == 'P' && data[1] == 'K';
    thaw_context *context = fuzz_context(MOST_BYTES);
    thaw_dataset *dataset;
    thaw_context_limit_data(context, MOST_BYTES / 2);
    const thaw_status status = (archive ? open_archive : open_pair)(context, data, size, &dataset);
    fuzz_demand_message(context, status);
    fuzz_demand((status == THAW_OK) == (dataset != NULL), "a data set, or none");
    if (status == THAW_OK)
        read_all(context, dataset);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
    return 0;
}
