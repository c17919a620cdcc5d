/* Trainable branches beside frozen ones and constants, joined by sum, difference, product and concatenation: what
   trains has PyTorch's gradients, whatever stands beside it, and what is frozen is inference that the cache may
   keep. */
#include <stdio.h>
#include <string.h>

#include "support/golden.h"
#include "support/network.h"

enum {
    BATCH = 7,
    STEPS = 4,
    FEATURES = 6,
    UNITS = 5,
    OUTPUTS = 3,
    GROUPS = 3,
    PARAMETERS = 6,
    SAMPLES = 20,
    LARGEST = 45
};

static const char *const groups[GROUPS] = { "a", "b", "c" };

typedef struct network {
    const char *name; /* of the golden values */
    thaw_model *(*create)(thaw_context *context);
    thaw_shape input, output;
} network;

static thaw_node add_constant(thaw_model *model, int rank, float values[UNITS])
{
    thaw_node constant;
    support_fill(values, UNITS, 50);
    assert_ok(thaw_model_context(model),
              thaw_constant(model, &(thaw_constant_options){ .shape = { rank, { UNITS } }, .values = values },
                            &constant));
    return constant;
}

static void fill_parameters(thaw_model *model)
{
    for (size_t i = 0; i < PARAMETERS; i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        support_fill(thaw_parameter_edit(parameter), thaw_shape_count(thaw_parameter_shape(parameter)),
                     (uint32_t)i + 1);
    }
}

/* Nodes: input 0, a 1, tanh 2, b 3, relu 4, constant 5, a k 6, k - b 7, their sum 8, b a 9, concatenation 10, c 11,
   loss 12. */
static thaw_model *create_equal(thaw_context *context)
{
    thaw_model *model;
    float values[UNITS];
    thaw_node x, a, b, k, left, right, gate, node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { FEATURES } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "a", .units = UNITS }, &a));
    assert_ok(context, thaw_tanh(model, a, NULL, &a));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "b", .units = UNITS }, &b));
    assert_ok(context, thaw_relu(model, b, NULL, &b));
    k = add_constant(model, 1, values);
    assert_ok(context, thaw_multiply(model, a, k, NULL, &left));
    assert_ok(context, thaw_subtract(model, k, b, NULL, &right));
    assert_ok(context, thaw_add(model, left, right, NULL, &left));
    assert_ok(context, thaw_multiply(model, b, a, NULL, &gate));
    assert_ok(context, thaw_concatenate(model, (const thaw_node[]){ gate, left, b }, 3, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "c", .units = OUTPUTS }, &node));
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    fill_parameters(model);
    return model;
}

/* A gate for each step, a row and a number for all steps. Nodes: input 0, a 1, tanh 2, b 3, sigmoid 4, row 5, number 6,
   b a 7, row - b a 8, that times the number 9, number + b 10, their difference 11, concatenation 12, c 13, loss 14. */
static thaw_model *create_broadcast(thaw_context *context)
{
    thaw_model *model;
    float values[UNITS];
    thaw_node x, a, b, row, number, node, gate;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { STEPS, FEATURES } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "a", .units = UNITS }, &a));
    assert_ok(context, thaw_tanh(model, a, NULL, &a));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "b", .units = 1 }, &b));
    assert_ok(context, thaw_sigmoid(model, b, NULL, &b));
    row = add_constant(model, 1, values);
    number = add_constant(model, 0, values);
    assert_ok(context, thaw_multiply(model, b, a, NULL, &node));
    assert_ok(context, thaw_subtract(model, row, node, NULL, &node));
    assert_ok(context, thaw_multiply(model, node, number, NULL, &node));
    assert_ok(context, thaw_add(model, number, b, NULL, &gate));
    assert_ok(context, thaw_subtract(model, node, gate, NULL, &node));
    assert_ok(context, thaw_concatenate(model, (const thaw_node[]){ node, a, gate }, 3,
                                        &(thaw_concatenate_options){ .axis = -1 }, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "c", .units = OUTPUTS }, &node));
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    fill_parameters(model);
    return model;
}

static const network equal = { "equal", create_equal, { 1, { FEATURES } }, { 1, { OUTPUTS } } };
static const network broadcast = {
    "broadcast", create_broadcast, { 2, { STEPS, FEATURES } }, { 2, { STEPS, OUTPUTS } }
};

static void train_only(thaw_model *model, unsigned trainable)
{
    for (unsigned i = 0; i < GROUPS; i++)
        assert_ok(thaw_model_context(model),
                  trainable >> i & 1 ? thaw_model_unfreeze(model, groups[i]) : thaw_model_freeze(model, groups[i]));
}

typedef struct golden {
    float loss, gradients[PARAMETERS][LARGEST];
} golden;

static golden read_golden(const network *n, thaw_model *model)
{
    golden expected;
    FILE *file = golden_open("branches.txt");
    if (n == &broadcast) /* the second case */
        for (int lines = 0; lines < PARAMETERS + 2; lines++)
            while (fgetc(file) != '\n')
                cr_assert(!feof(file));
    golden_case(file, n->name);
    golden_read(file, "loss", &expected.loss, 1);
    for (size_t i = 0; i < PARAMETERS; i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        golden_read(file, thaw_parameter_name(parameter), expected.gradients[i],
                    thaw_shape_count(thaw_parameter_shape(parameter)));
    }
    fclose(file);
    return expected;
}

/* So many samples, in the memory of the caller. */
static thaw_tensor fill_tensor(const thaw_shape *sample, size_t count, uint32_t seed, float *values)
{
    thaw_tensor tensor = { THAW_F32, { sample->rank + 1, { (int64_t)count } }, values };
    memcpy(&tensor.shape.dims[1], sample->dims, (size_t)sample->rank * sizeof sample->dims[0]);
    support_fill(values, count * thaw_shape_count(sample), seed);
    return tensor;
}

static void check_gradients(const network *n)
{
    thaw_context *context = support_context(2);
    thaw_model *model = n->create(context);
    const golden expected = read_golden(n, model);
    float samples[BATCH * STEPS * FEATURES], targets[BATCH * STEPS * OUTPUTS];
    const thaw_tensor inputs = fill_tensor(&n->input, BATCH, 100, samples);
    const thaw_tensor wanted = fill_tensor(&n->output, BATCH, 200, targets);
    for (unsigned subset = 1; subset < 1U << GROUPS; subset++) {
        thaw_step_result result;
        train_only(model, subset);
        assert_ok(context, thaw_step(model, &inputs, &wanted, &(thaw_step_options){ .gradients_only = true }, &result));
        const float loss = (float)result.loss;
        assert_close(&loss, &expected.loss, 1, 1e-6, "loss");
        for (size_t i = 0; i < PARAMETERS; i++) {
            const thaw_parameter *parameter = thaw_model_parameter(model, i);
            const float *gradient = thaw_parameter_gradient(parameter);
            cr_assert_eq(gradient != NULL, subset >> i / 2 & 1, "%s, subset %u: %s", n->name, subset,
                         thaw_parameter_name(parameter));
            if (gradient)
                assert_close(gradient, expected.gradients[i], thaw_shape_count(thaw_parameter_shape(parameter)), 2e-6,
                             thaw_parameter_name(parameter));
        }
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(branches, gradients_of_what_trains_are_pytorchs_whatever_is_frozen)
{
    check_gradients(&equal);
    check_gradients(&broadcast);
}

/* ---- plans ---- */

typedef struct expectation {
    const network *network;
    const char *frozen;
    const char *regions, *backward, *boundaries; /* one character a node */
    size_t cached_floats;
} expectation;

static void check_plan(const expectation *e)
{
    thaw_context *context = support_context(1);
    thaw_model *model = e->network->create(context);
    const thaw_plan *plan;
    char regions[16] = "", backward[16] = "", boundaries[16] = "";
    assert_ok(context, thaw_model_freeze(model, e->frozen));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    for (size_t i = 0; i < thaw_plan_entry_count(plan); i++) {
        thaw_plan_entry entry;
        assert_ok(context, thaw_plan_entry_at(plan, i, &entry));
        regions[i] = "PLF"[entry.region];
        backward[i] = entry.input_gradient || entry.parameter_gradient ? '1' : '0';
        boundaries[i] = entry.cache_boundary ? '1' : '0';
    }
    cr_assert_str_eq(regions, e->regions, "%s frozen: regions %s, wanted %s", e->frozen, regions, e->regions);
    cr_assert_str_eq(backward, e->backward, "%s frozen: backward %s, wanted %s", e->frozen, backward, e->backward);
    cr_assert_str_eq(boundaries, e->boundaries, "%s frozen: boundaries %s, wanted %s", e->frozen, boundaries,
                     e->boundaries);
    const size_t bytes = thaw_plan_totals_of(plan).cached_bytes_per_sample;
    cr_assert_eq(bytes, e->cached_floats * sizeof(float), "%s frozen: %zu bytes cached", e->frozen, bytes);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(branches, compute_nothing_backward_in_what_is_frozen)
{
    /* a trains: it reads the input, and what joins it reads the branch of b, twice, and the difference. */
    check_plan(&(expectation){ .network = &equal,
                               .frozen = "b",
                               .regions = "PLLPPPLPLLLLL",
                               .backward = "0110001011111",
                               .boundaries = "1000100100000",
                               .cached_floats = FEATURES + UNITS + UNITS });
    check_plan(&(expectation){ .network = &equal,
                               .frozen = "b|c",
                               .regions = "PLLPPPLPLLLFL",
                               .backward = "0110001011111",
                               .boundaries = "1000100100000",
                               .cached_floats = FEATURES + UNITS + UNITS });
    check_plan(&(expectation){ .network = &equal,
                               .frozen = "a",
                               .regions = "PPPLLPPLLLLLL",
                               .backward = "0001100111111",
                               .boundaries = "1010001000000",
                               .cached_floats = FEATURES + UNITS + UNITS });
    check_plan(&(expectation){ .network = &equal,
                               .frozen = "a|b",
                               .regions = "PPPPPPPPPPPLL",
                               .backward = "0000000000011",
                               .boundaries = "0000000000100",
                               .cached_floats = 3 * UNITS });
}

Test(branches, compute_nothing_backward_in_what_is_frozen_and_repeats)
{
    check_plan(&(expectation){ .network = &broadcast,
                               .frozen = "b",
                               .regions = "PLLPPPPLLLPLLLL",
                               .backward = "011000011101111",
                               .boundaries = "100010000010000",
                               .cached_floats = STEPS * FEATURES + STEPS + STEPS });
    check_plan(&(expectation){ .network = &broadcast,
                               .frozen = "a",
                               .regions = "PPPLLPPLLLLLLLL",
                               .backward = "000110011111111",
                               .boundaries = "101000000000000",
                               .cached_floats = STEPS * FEATURES + STEPS * UNITS });
    check_plan(&(expectation){ .network = &broadcast,
                               .frozen = "a|b",
                               .regions = "PPPPPPPPPPPPPLL",
                               .backward = "000000000000011",
                               .boundaries = "000000000000100",
                               .cached_floats = STEPS * (2 * UNITS + 1) });
}

/* ---- the cache ---- */

static bool count_cached(void *user, const thaw_epoch_result *epoch_result)
{
    *(size_t *)user += epoch_result->cached;
    return true;
}

typedef struct outcome {
    float weights[PARAMETERS * LARGEST];
    double loss;
    size_t cached_epochs, cache_bytes;
} outcome;

static outcome fit(const network *n, unsigned trainable, size_t cache_bytes)
{
    outcome result = { 0 };
    float samples[SAMPLES * STEPS * FEATURES], targets[SAMPLES * STEPS * OUTPUTS];
    thaw_context *context = support_context(2);
    thaw_model *model = n->create(context);
    thaw_dataset *dataset;
    const thaw_tensor inputs = fill_tensor(&n->input, SAMPLES, 1, samples);
    const thaw_tensor wanted = fill_tensor(&n->output, SAMPLES, 2, targets);
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &wanted, 0, &dataset));
    support_optimize(model, "adam:lr=0.01");
    train_only(model, trainable);
    const thaw_fit_options options = {
        .epochs = 4, .batch = 8, .cache_bytes = cache_bytes, .on_epoch = count_cached, .user = &result.cached_epochs
    };
    thaw_epoch_result epoch_result;
    assert_ok(context, thaw_fit(model, dataset, &options, &epoch_result));
    float *next = result.weights;
    for (size_t i = 0; i < PARAMETERS; i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        memcpy(next, thaw_parameter_data(parameter), count * sizeof(float));
        next += count;
    }
    result.loss = epoch_result.loss;
    result.cache_bytes = epoch_result.cache_bytes;
    thaw_dataset_destroy(dataset);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return result;
}

static void check_cache(const network *n, unsigned trainable, size_t cached_floats)
{
    const outcome plain = fit(n, trainable, 0), cached = fit(n, trainable, 1 << 20);
    cr_assert_eq(plain.cached_epochs, 0);
    cr_assert_eq(cached.cached_epochs, cached_floats ? 3 : 0, "subset %u: %zu epochs", trainable, cached.cached_epochs);
    cr_assert_eq(cached.cache_bytes,
                 cached_floats ? SAMPLES * (cached_floats + thaw_shape_count(&n->output)) * sizeof(float) : 0,
                 "subset %u: %zu bytes", trainable, cached.cache_bytes);
    cr_assert_eq(memcmp(plain.weights, cached.weights, sizeof plain.weights), 0, "subset %u", trainable);
    cr_assert_eq(plain.loss, cached.loss);
}

Test(branches, train_from_the_cache_to_the_same_bits)
{
    check_cache(&equal, 0x7, 0);
    check_cache(&equal, 0x5, FEATURES + UNITS + UNITS); /* b is frozen */
    check_cache(&equal, 0x1, FEATURES + UNITS + UNITS);
    check_cache(&equal, 0x6, FEATURES + UNITS + UNITS); /* a is */
    check_cache(&equal, 0x4, 3 * UNITS);
    check_cache(&broadcast, 0x7, 0);
    check_cache(&broadcast, 0x5, STEPS * FEATURES + STEPS + STEPS);
    check_cache(&broadcast, 0x6, STEPS * FEATURES + STEPS * UNITS);
    check_cache(&broadcast, 0x4, STEPS * (2 * UNITS + 1));
}
