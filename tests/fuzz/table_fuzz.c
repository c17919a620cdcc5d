/* Any bytes as a table, whose second column is the label. The first byte chooses options. What opens can be read whole. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

enum { MOST_BYTES = 1 << 20 };

static const char *const options[] = { "", ";missing=mean", ";missing=drop;task=regression",
                                       ";header=no;delimiter=semicolon" };

static void read_all(thaw_context *context, thaw_dataset *dataset)
{
    const size_t elements = thaw_shape_count(thaw_dataset_sample_shape(dataset));
    float *sample = malloc(elements * sizeof *sample), target;
    fuzz_demand(sample != NULL, "there is memory for a sample");
    for (size_t i = 0; i < thaw_dataset_count(dataset); i++) {
        fuzz_demand(thaw_dataset_read(dataset, &i, 1, sample, &target) == THAW_OK, thaw_context_message(context));
        int32_t label;
        memcpy(&label, &target, sizeof label);
        if (thaw_dataset_classes(dataset))
            fuzz_demand(label >= 0 && (size_t)label < thaw_dataset_classes(dataset), "labels are classes");
        else
            fuzz_demand(isfinite(target), "targets are numbers");
        for (size_t k = 0; k < elements; k++)
            fuzz_demand(isfinite(sample[k]), "inputs are numbers");
    }
    free(sample);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_BYTES], text[2 * FUZZ_PATH_BYTES + 64];
    const size_t which = size ? data[0] % 4 : 0;
    const int file = fuzz_file(path, data + (size > 0), size - (size > 0));
    thaw_context *context = fuzz_context(MOST_BYTES);
    thaw_dataset *training, *test;
    thaw_context_limit_data(context, MOST_BYTES / 2);
    snprintf(text, sizeof text, "csv:%s;label=2%s;split=0.3", path, options[which]);
    const thaw_status status = thaw_dataset_open(context, text, &training, &test);
    fuzz_demand_message(context, status);
    fuzz_demand((status == THAW_OK) == (training != NULL), "a data set, or none");
    fuzz_demand((status == THAW_OK) == (test != NULL), "test data, or none");
    if (status == THAW_OK)
        read_all(context, training);
    if (status == THAW_OK)
        read_all(context, test);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    thaw_context_destroy(context);
    close(file);
    return 0;
}
