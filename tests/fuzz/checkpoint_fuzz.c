/* Any bytes, with the checksum that they should have, as a checkpoint: what is refused changes nothing, and a run that
   continues from what is accepted trains. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/crc32c.h"
#include "fuzz/fuzz.h"

enum { SAMPLES = 8, FEATURES = 3, CLASSES = 2, FLOATS = FEATURES * CLASSES + CLASSES, CHECKSUM_BYTES = 4 };

typedef struct run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    thaw_trainer *trainer;
} run;

static thaw_status build(run *r)
{
    static const float values[SAMPLES * FEATURES] = { 1, -1, 0.5F, 2, 0.25F, -3 };
    static const int32_t labels[SAMPLES] = { 0, 1, 1 };
    const thaw_tensor inputs = thaw_view_f32(values, 2, (const int64_t[]){ SAMPLES, FEATURES });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ SAMPLES });
    const thaw_fit_options options = { .epochs = 2, .batch = 4 };
    thaw_optimizer *momentum = NULL;
    thaw_node x;
    thaw_status status = thaw_model_create(r->context, &r->model);
    if (status == THAW_OK)
        status = thaw_input(r->model, &(thaw_shape){ .rank = 1, .dims = { FEATURES } }, &x);
    if (status == THAW_OK)
        status = thaw_dense(r->model, x, &(thaw_dense_options){ .name = "fc", .units = CLASSES }, &x);
    if (status == THAW_OK)
        status = thaw_softmax_cross_entropy(r->model, x, NULL, &x);
    if (status == THAW_OK)
        status = thaw_optimizer_create(r->context, "sgd:lr=0.1,momentum=0.9", &momentum);
    if (status == THAW_OK)
        status = thaw_select_optimizer(r->model, "*", momentum);
    thaw_optimizer_destroy(momentum);
    if (status == THAW_OK)
        status = thaw_dataset_from_arrays(r->context, &inputs, &targets, CLASSES, &r->data);
    return status == THAW_OK ? thaw_trainer_create(r->model, r->data, &options, &r->trainer) : status;
}

static void copy_weights(const run *r, float values[FLOATS])
{
    memcpy(values, thaw_parameter_data(thaw_model_parameter(r->model, 0)), FEATURES * CLASSES * sizeof *values);
    memcpy(values + FEATURES * CLASSES, thaw_parameter_data(thaw_model_parameter(r->model, 1)),
           CLASSES * sizeof *values);
}

static void load(run *r, const char *path)
{
    float before[FLOATS], after[FLOATS];
    copy_weights(r, before);
    const thaw_status status = thaw_trainer_load(r->trainer, path);
    fuzz_demand_message(r->context, status);
    copy_weights(r, after);
    fuzz_demand(status == THAW_OK || memcmp(before, after, sizeof before) == 0, "what is refused changes nothing");
    if (status != THAW_OK || thaw_trainer_done(r->trainer))
        return;
    const thaw_status step = thaw_trainer_step(r->trainer, NULL);
    fuzz_demand(step == THAW_OK || step == THAW_NOT_FINITE, "a run that was accepted trains");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_BYTES];
    uint8_t *whole = malloc(size + CHECKSUM_BYTES);
    const uint32_t checksum = thaw_crc32c(0, data, size);
    run r = { .context = fuzz_context(1 << 24) };
    fuzz_demand(whole, "memory");
    memcpy(whole, data, size);
    for (size_t i = 0; i < CHECKSUM_BYTES; i++)
        whole[size + i] = (uint8_t)(checksum >> 8 * i);
    const int memory = fuzz_file(path, whole, size + CHECKSUM_BYTES);
    fuzz_demand(build(&r) == THAW_OK, "the run can be made");
    load(&r, path);
    thaw_trainer_destroy(r.trainer);
    thaw_dataset_destroy(r.data);
    thaw_model_destroy(r.model);
    thaw_context_destroy(r.context);
    close(memory);
    free(whole);
    return 0;
}
