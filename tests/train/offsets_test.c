/* Training and inference do not depend on where memory lies, or on what new memory holds: equal bits, for any number of
   threads. */
#include <stdlib.h>
#include <string.h>

#include "support/assorted_network.h"
#include "support/layer_kinds.h"
#include "support/max_cpu.h"
#include "support/moving_memory.h"
#include "support/network.h"

enum { BATCH = 6, LAYOUTS = 3 };

typedef struct outcome {
    float *weights, *outputs;
    size_t weight_count, output_count;
    thaw_epoch_result epoch_result;
} outcome;

/* Host memory need not lie as the library's own does: samples begin `shift` floats past a multiple of 64 bytes. */
static float *predict(const assorted_network *network, size_t shift, size_t *count)
{
    const size_t sample_count = thaw_shape_count(&network->inputs.shape);
    thaw_context *context = thaw_model_context(network->model);
    float *inputs = thaw_allocate(context, (sample_count + shift) * sizeof *inputs);
    memcpy(inputs + shift, network->inputs.data, sample_count * sizeof *inputs);
    *count = ASSORTED_SAMPLES * network->results;
    float *outputs = malloc(*count * sizeof *outputs);
    const thaw_tensor from = { THAW_F32, network->inputs.shape, inputs + shift };
    const thaw_tensor into =
        thaw_view_f32(outputs, 2, (const int64_t[]){ ASSORTED_SAMPLES, (int64_t)network->results });
    assert_ok(context, thaw_predict(network->model, &from, &into));
    thaw_release(context, inputs);
    return outputs;
}

static outcome train(size_t index, int threads, unsigned layout, layer_kinds *kinds)
{
    static const int fillings[LAYOUTS] = { 0, 0xFF, 0x40 }; /* zeros, NaN, 3.0 */
    outcome result;
    thaw_context *context;
    moving_memory memory = { .random = (uint64_t)layout << 32, .filling = fillings[layout] };
    const thaw_context_options options = {
        .threads = threads, .max_cpu = support_max_cpu(), .seed = 1, .allocator = moving_allocator(&memory)
    };
    cr_assert_eq(thaw_context_create(&options, &context), THAW_OK);
    assorted_network network = assorted_open(context, index);
    layer_kinds_add(kinds, network.model);
    thaw_dataset *data;
    assert_ok(context, thaw_dataset_from_arrays(context, &network.inputs, &network.targets, network.classes, &data));
    const thaw_fit_options fit = {
        .epochs = 2, .batch = BATCH, .clip_norm = index % 2 ? 1 : 0, .test = data, .cache_bytes = 1 << 24
    };
    assert_ok(context, thaw_fit(network.model, data, &fit, &result.epoch_result));
    result.weights = support_weights(network.model, &result.weight_count);
    result.outputs = predict(&network, layout, &result.output_count);
    thaw_dataset_destroy(data);
    assorted_close(&network);
    thaw_context_destroy(context);
    cr_assert_eq(memory.live, 0, "network %zu: %zu blocks were not released", index, memory.live);
    return result;
}

static void assert_equal(const outcome *found, const outcome *expected, size_t index, int threads, unsigned layout)
{
    const thaw_epoch_result *left = &found->epoch_result, *right = &expected->epoch_result;
    cr_assert(left->loss == right->loss && left->test_loss == right->test_loss,
              "network %zu, %d threads, layout %u: losses %.9g and %.9g, wanted %.9g and %.9g", index, threads, layout,
              left->loss, left->test_loss, right->loss, right->test_loss);
    for (size_t i = 0; i < found->weight_count; i++)
        cr_assert(memcmp(&found->weights[i], &expected->weights[i], sizeof(float)) == 0,
                  "network %zu, %d threads, layout %u, weight %zu: %.9g, wanted %.9g", index, threads, layout, i,
                  (double)found->weights[i], (double)expected->weights[i]);
    for (size_t i = 0; i < found->output_count; i++)
        cr_assert(memcmp(&found->outputs[i], &expected->outputs[i], sizeof(float)) == 0,
                  "network %zu, %d threads, layout %u, output %zu: %.9g, wanted %.9g", index, threads, layout, i,
                  (double)found->outputs[i], (double)expected->outputs[i]);
}

static void drop(outcome *result)
{
    free(result->weights);
    free(result->outputs);
}

Test(offsets, change_no_bit, .timeout = 300)
{
    static const int threads[] = { 1, 2, 3, 5 };
    layer_kinds kinds = { .count = 0 };
    size_t cached = 0;
    for (size_t index = 0; index < ASSORTED_NETWORKS; index++)
        for (size_t i = 0; i < THAW_COUNT(threads); i++) {
            outcome expected = train(index, threads[i], 0, &kinds);
            for (unsigned layout = 1; layout < LAYOUTS; layout++) {
                outcome found = train(index, threads[i], layout, &kinds);
                assert_equal(&found, &expected, index, threads[i], layout);
                drop(&found);
            }
            cached += expected.epoch_result.cached;
            drop(&expected);
        }
    layer_kinds_assert_all(&kinds);
    cr_assert_geq(cached, ASSORTED_NETWORKS, "%zu trainings started at the feature cache", cached);
}
