#include "support/cached_run.h"

#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/network.h"

void cached_run_create(cached_run *run)
{
    *run = (cached_run){ .context = support_context(1) };
    run->model = support_network(run->context, false);
    run->data = support_samples(run->context, CACHED_RUN_SAMPLES, 5);
    support_optimize(run->model, "sgd:lr=0.1");
    support_train_only(run->model, 0x1C);
    run->first = support_weights(run->model, &run->count);
    thaw_epoch_result epoch;
    assert_ok(run->context, cached_run_train(run, NULL, false, &epoch));
    run->plain = support_weights(run->model, &run->count);
    cr_assert_neq(memcmp(run->first, run->plain, run->count * sizeof(float)), 0, "nothing trains");
}

void cached_run_destroy(cached_run *run)
{
    free(run->plain);
    free(run->first);
    thaw_dataset_destroy(run->data);
    thaw_model_destroy(run->model);
    thaw_context_destroy(run->context);
}

static void restore(const cached_run *run)
{
    const float *next = run->first;
    for (size_t i = 0; i < thaw_model_parameter_count(run->model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(run->model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        memcpy(thaw_parameter_edit(parameter), next, count * sizeof(float));
        next += count;
    }
}

thaw_status cached_run_train(const cached_run *run, const char *file, bool optional, thaw_epoch_result *epoch)
{
    restore(run);
    const thaw_fit_options options = {
        .epochs = CACHED_RUN_EPOCHS,
        .batch = CACHED_RUN_SAMPLES / 2,
        .cache_file = file,
        .cache_optional = optional,
    };
    return thaw_fit(run->model, run->data, &options, epoch);
}

size_t cached_run_fill(const cached_run *run, const char *path, char *whole, size_t capacity)
{
    thaw_epoch_result epoch;
    assert_ok(run->context, cached_run_train(run, path, false, &epoch));
    const long count = support_read_file(path, whole, capacity);
    cr_assert(count > 0 && (size_t)count < capacity);
    return (size_t)count;
}

bool cached_run_is_plain(const cached_run *run)
{
    size_t count;
    float *now = support_weights(run->model, &count);
    const bool equal = count == run->count && memcmp(now, run->plain, count * sizeof(float)) == 0;
    free(now);
    return equal;
}
