#include "train/phases.h"

#include <stdlib.h>
#include <unistd.h>

#include "support/support.h"

enum { SAMPLES = 12, BATCH = 4 };

static float values[SAMPLES * SMALL_NETWORK_SAMPLE];
static int32_t labels[SAMPLES];
size_t phase_live_blocks;

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    void *memory = NULL;
    (void)user;
    if (posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
    __atomic_add_fetch(&phase_live_blocks, 1, __ATOMIC_SEQ_CST);
    return memory;
}

static void release(void *user, void *memory, size_t bytes)
{
    (void)user;
    (void)bytes;
    __atomic_sub_fetch(&phase_live_blocks, 1, __ATOMIC_SEQ_CST);
    free(memory);
}

static thaw_tensor inputs(const phase_subject *s, int64_t count)
{
    int64_t dims[1 + THAW_MAX_RANK] = { count };
    for (int i = 0; i < s->network->sample.rank; i++)
        dims[i + 1] = s->network->sample.dims[i];
    return thaw_view_f32(values, s->network->sample.rank + 1, dims);
}

static thaw_tensor targets(int64_t count)
{
    return thaw_view_i32(labels, 1, &count);
}

static thaw_status create(phase_subject *s)
{
    const thaw_context_options options = { .threads = s->threads, .seed = 1, .allocator = { allocate, release, NULL } };
    return thaw_context_create(&options, &s->context);
}

static thaw_status build(phase_subject *s)
{
    thaw_model *model;
    const thaw_status status = thaw_model_create(s->context, &model);
    if (status != THAW_OK)
        return status;
    const thaw_status built = small_network_build(s->network, model);
    if (built == THAW_OK)
        s->model = model;
    else
        thaw_model_destroy(model);
    return built;
}

static thaw_status step(phase_subject *s)
{
    const thaw_tensor samples = inputs(s, BATCH), wanted = targets(BATCH);
    return thaw_step(s->model, &samples, &wanted, NULL, NULL);
}

static thaw_status save(phase_subject *s)
{
    return thaw_weights_save(s->model, s->weights);
}

static thaw_status load(phase_subject *s)
{
    return thaw_weights_load(s->model, s->weights, NULL, NULL);
}

static thaw_status open_data(phase_subject *s)
{
    const thaw_tensor samples = inputs(s, SAMPLES), wanted = targets(SAMPLES);
    return thaw_dataset_from_arrays(s->context, &samples, &wanted, SMALL_NETWORK_CLASSES, &s->data);
}

static thaw_status evaluate(phase_subject *s)
{
    return thaw_evaluate(s->model, s->data, 5, &s->evaluation);
}

static thaw_status freeze(phase_subject *s)
{
    return thaw_model_freeze(s->model, "first");
}

static thaw_status fit(phase_subject *s)
{
    const thaw_fit_options options = {
        .epochs = 2, .batch = BATCH, .cache_bytes = 1 << 20, .average_decay = 0.5, .test = s->data
    };
    return thaw_fit(s->model, s->data, &options, &s->epoch);
}

static thaw_status fit_with_file(phase_subject *s)
{
    const thaw_fit_options options = { .epochs = 2, .batch = BATCH, .cache_file = s->cache };
    unlink(s->cache);
    return thaw_fit(s->model, s->data, &options, &s->epoch);
}

const phase phase_list[] = {
    { .name = "create", .run = create },
    { .name = "build", .before = { create }, .run = build, .after = step },
    { .name = "first step", .before = { create, build }, .run = step },
    { .name = "later step", .before = { create, build, step }, .run = step },
    { .name = "save", .before = { create, build, step }, .run = save },
    { .name = "load", .before = { create, build, step, save, step }, .run = load, .after = step },
    { .name = "evaluate", .before = { create, build, step, open_data }, .run = evaluate, .after = step },
    { .name = "fit", .before = { create, build, open_data, freeze }, .run = fit, .goes_on = true },
    { .name = "fit with a file",
      .before = { create, build, open_data, freeze },
      .run = fit_with_file,
      .goes_on = true },
};

void phase_fill_samples(void)
{
    support_fill(values, THAW_COUNT(values), 7);
    for (size_t i = 0; i < SAMPLES; i++)
        labels[i] = (int32_t)((i * 7 + i / 3) % SMALL_NETWORK_CLASSES);
}

uint64_t phase_digest_parameters(const phase_subject *s)
{
    uint64_t hash = 14695981039346656037U; /* FNV-1a's */
    for (size_t i = 0; s->model && i < thaw_model_parameter_count(s->model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(s->model, i);
        const uint8_t *bytes = (const void *)thaw_parameter_data(parameter);
        for (size_t k = 0; k < thaw_shape_count(thaw_parameter_shape(parameter)) * sizeof(float); k++)
            hash = (hash ^ bytes[k]) * 1099511628211U;
    }
    return hash;
}

uint64_t phase_digest(const phase_subject *s)
{
    const double found[] = { s->evaluation.loss, s->epoch.loss, s->epoch.test_loss };
    uint64_t hash = phase_digest_parameters(s);
    for (size_t i = 0; i < sizeof found; i++)
        hash = (hash ^ ((const uint8_t *)found)[i]) * 1099511628211U;
    return hash;
}
