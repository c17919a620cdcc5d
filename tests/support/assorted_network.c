#include "support/assorted_network.h"

#include <math.h>
#include <string.h>

#include "onednn/kernel.h"
#include "support/assorted_pieces.h"
#include "support/network.h"

enum { SIDE = 8, WIDE_SIDE = 14, CHANNELS = 18, WIDE_CHANNELS = 64, STEPS = 9, FEATURES = 12, IDS = 23, UNITS = 33 };
enum { OUTPUTS = 6, MOST_LAYERS = 6 };

/* Numbers below `below`, by Knuth's MMIX constants. */
static size_t pick(uint64_t *random, size_t below)
{
    *random = *random * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(*random >> 33) % below;
}

/* Networks of a family take its pieces in turn. */
typedef struct family {
    thaw_shape sample;
    const assorted_pieces *pieces;
    size_t layers, variant;
    bool ids;
} family;

static family family_of(size_t index)
{
    const bool wide = index % 8 == 0;
    const int64_t side = wide ? WIDE_SIDE : SIDE, channels = wide ? WIDE_CHANNELS : CHANNELS;
    if (index % 2 == 0)
        return (family){ { 3, { side, side, channels } }, &assorted_image_pieces, 6, index / 2, false };
    if (index % 4 == 1)
        return (family){ { 2, { STEPS, FEATURES } }, &assorted_sequence_pieces, 4, index / 4, false };
    if (index % 8 == 3)
        return (family){ { 1, { STEPS } }, &assorted_sequence_pieces, 4, index / 8, true };
    return (family){ { 1, { UNITS } }, &assorted_row_pieces, 6, index / 8, false };
}

static void append_pieces(thaw_model *model, const family *kin, uint64_t *random, thaw_node *x)
{
    thaw_node before[MOST_LAYERS + 1] = { *x };
    for (size_t i = 0; i < kin->layers; i++) {
        assorted_piece *next = kin->pieces->list[(kin->variant * kin->layers + i) % kin->pieces->count];
        assert_ok(thaw_model_context(model), next(model, *x, before[pick(random, i + 1)], x));
        before[i + 1] = *x;
    }
}

static void append_head(thaw_model *model, size_t index, thaw_node *x)
{
    thaw_context *context = thaw_model_context(model);
    const int rank = thaw_model_node_shape(model, *x)->rank;
    const thaw_recurrent_options last_state = { .units = FEATURES, .last_only = true };
    if (rank == 3 && index % 4 == 0)
        assert_ok(context, thaw_global_average_pool2d(model, *x, NULL, x));
    else if (rank == 2)
        assert_ok(context, (index % 8 == 1 ? thaw_gru : thaw_lstm)(model, *x, &last_state, x));
    else
        assert_ok(context, thaw_flatten(model, *x, NULL, x));
    assert_ok(context, thaw_dense(model, *x, &(thaw_dense_options){ .name = "last", .units = OUTPUTS }, x));
    if (index % 3 == 0)
        assert_ok(context, thaw_softmax_cross_entropy(model, *x, NULL, x));
    else if (index % 3 == 2)
        assert_ok(context, thaw_binary_cross_entropy(model, *x, NULL, x));
    else if (index % 9 == 1)
        assert_ok(context, thaw_mse(model, *x, NULL, x));
    else if (index % 9 == 4)
        assert_ok(context, thaw_mae(model, *x, NULL, x));
    else
        assert_ok(context, thaw_huber(model, *x, NULL, x));
}

/* A third of the networks have a frozen prefix at least, the others what chance brings. */
static void freeze(thaw_model *model, size_t index, uint64_t *random)
{
    const size_t count = thaw_model_group_count(model);
    for (size_t i = 0; i < count; i++) {
        const char *name = thaw_group_name(thaw_model_group(model, i));
        const bool frozen = index % 3 == 0 ? i < count / 2 : pick(random, 3) == 0;
        if (frozen && strcmp(name, "last") != 0)
            assert_ok(thaw_model_context(model), thaw_model_freeze(model, name));
    }
}

/* The weight in the middle of the network. */
static thaw_parameter *middle_weight(thaw_model *model)
{
    thaw_parameter *weights[4 * MOST_LAYERS];
    size_t count = 0;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++)
        if (thaw_parameter_role(thaw_model_parameter(model, i)) == THAW_WEIGHT && count < THAW_COUNT(weights))
            weights[count++] = thaw_model_parameter(model, i);
    return weights[count / 2];
}

static void prune(thaw_parameter *weight)
{
    float *values = thaw_parameter_edit(weight);
    for (size_t i = 0; i < thaw_shape_count(thaw_parameter_shape(weight)); i += 3)
        values[i] = 0;
}

static void combine(thaw_model *model, size_t index)
{
    thaw_context *context = thaw_model_context(model);
    thaw_parameter *weight = middle_weight(model);
    const char *name = thaw_parameter_name(weight);
    switch (index % 5) {
    case 1:
        assert_ok(context, thaw_lora(model, name, 2, 3));
        break;
    case 2:
        prune(weight);
        assert_ok(context, thaw_mask(model, name, NULL));
        break;
    case 3:
        assert_ok(context, thaw_freeze_slice(model, name, 0, 1, 3));
        break;
    case 4:
        assert_ok(context, thaw_scale_adapter(model, name, 0));
        break;
    default:;
    }
}

static void choose_optimizer(thaw_model *model, size_t index)
{
    static const char *const optimizers[] = { "sgd:lr=0.01,momentum=0.9", "adam:lr=0.003", "sgd:lr=0.01",
                                              "adamw:lr=0.003", "rmsprop:lr=0.001" };
    support_optimize(model, optimizers[index % THAW_COUNT(optimizers)]);
}

static thaw_model *build(thaw_context *context, size_t index, const family *kin)
{
    uint64_t random = index;
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &kin->sample, &x));
    if (kin->ids)
        assert_ok(context, thaw_embedding(model, x, &(thaw_embedding_options){ .rows = IDS, .width = FEATURES }, &x));
    append_pieces(model, kin, &random, &x);
    append_head(model, index, &x);
    choose_optimizer(model, index);
    freeze(model, index, &random);
    combine(model, index);
    if (index % 6 == 4 && thaw_dnn_bfloat16() != THAW_BFLOAT16_MISSING)
        assert_ok(context, thaw_model_set_precision(model, &(thaw_precision){ .all = THAW_BF16, .emulated = true }));
    return model;
}

static thaw_shape batch_of(thaw_shape sample)
{
    thaw_shape batch = { .rank = sample.rank + 1, .dims = { ASSORTED_SAMPLES } };
    memcpy(batch.dims + 1, sample.dims, (size_t)sample.rank * sizeof *batch.dims);
    return batch;
}

static void fill_inputs(float *inputs, size_t count, bool ids)
{
    support_fill(inputs, count, 5);
    for (size_t i = 0; ids && i < count; i++)
        inputs[i] = floorf((inputs[i] + 1) / 2 * IDS);
}

static void *make_targets(thaw_context *context, bool labels)
{
    const size_t count = ASSORTED_SAMPLES * OUTPUTS;
    float *values = thaw_allocate(context, count * sizeof *values);
    cr_assert_not_null(values);
    support_fill(values, count, 6);
    for (size_t i = 0; i < count; i++)
        values[i] = fabsf(values[i]);
    for (size_t i = 0; labels && i < ASSORTED_SAMPLES; i++)
        ((int32_t *)values)[i] = (int32_t)(i * i % OUTPUTS);
    return values;
}

assorted_network assorted_open(thaw_context *context, size_t index)
{
    const family kin = family_of(index);
    const bool labels = index % 3 == 0;
    const thaw_shape batch = batch_of(kin.sample);
    assorted_network made = { .model = build(context, index, &kin), .classes = labels ? OUTPUTS : 0 };
    float *inputs = thaw_allocate(context, thaw_shape_count(&batch) * sizeof *inputs);
    cr_assert_not_null(inputs);
    fill_inputs(inputs, thaw_shape_count(&batch), kin.ids);
    made.inputs = (thaw_tensor){ THAW_F32, batch, inputs };
    made.targets = (thaw_tensor){ labels ? THAW_I32 : THAW_F32,
                                  { labels ? 1 : 2, { ASSORTED_SAMPLES, OUTPUTS } },
                                  make_targets(context, labels) };
    made.results = OUTPUTS;
    return made;
}

void assorted_close(assorted_network *network)
{
    thaw_context *context = thaw_model_context(network->model);
    thaw_release(context, network->inputs.data);
    thaw_release(context, network->targets.data);
    thaw_model_destroy(network->model);
}
