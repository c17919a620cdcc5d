/* Trainable branches beside frozen ones and constants, joined by sum, difference, product and concatenation: what trains
   has PyTorch's gradients, whatever stands beside it, and what is frozen is inference that the cache may keep. */
#include <stdio.h>
#include <string.h>

#include "support/golden.h"
#include "support/network.h"

enum { BATCH = 7, FEATURES = 6, UNITS = 5, OUTPUTS = 3, GROUPS = 3, PARAMETERS = 6, SAMPLES = 20, LARGEST = 45 };

static const char *const groups[GROUPS] = { "a", "b", "c" };

/* Nodes: input 0, a 1, tanh 2, b 3, relu 4, constant 5, a k 6, k - b 7, their sum 8, b a 9, concatenation 10, c 11,
   loss 12. */
static thaw_model *create(thaw_context *context)
{
    thaw_model *model;
    float values[UNITS];
    thaw_node x, a, b, k, left, right, gate, node;
    support_fill(values, UNITS, 50);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { FEATURES } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "a", .units = UNITS }, &a));
    assert_ok(context, thaw_tanh(model, a, NULL, &a));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "b", .units = UNITS }, &b));
    assert_ok(context, thaw_relu(model, b, NULL, &b));
    assert_ok(context,
              thaw_constant(model, &(thaw_constant_options){ .shape = { 1, { UNITS } }, .values = values }, &k));
    assert_ok(context, thaw_multiply(model, a, k, NULL, &left));
    assert_ok(context, thaw_subtract(model, k, b, NULL, &right));
    assert_ok(context, thaw_add(model, left, right, NULL, &left));
    assert_ok(context, thaw_multiply(model, b, a, NULL, &gate));
    assert_ok(context, thaw_concatenate(model, (const thaw_node[]){ gate, left, b }, 3, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "c", .units = OUTPUTS }, &node));
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    for (size_t i = 0; i < PARAMETERS; i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        support_fill(thaw_parameter_edit(parameter), thaw_shape_count(thaw_parameter_shape(parameter)),
                     (uint32_t)i + 1);
    }
    return model;
}

static void train_only(thaw_model *model, unsigned trainable)
{
    for (unsigned i = 0; i < GROUPS; i++)
        assert_ok(thaw_model_context(model),
                  trainable >> i & 1 ? thaw_model_unfreeze(model, groups[i]) : thaw_model_freeze(model, groups[i]));
}

typedef struct golden {
    float loss, gradients[PARAMETERS][LARGEST];
} golden;

static golden read_golden(void)
{
    static const char *const names[] = { "a.weight", "a.bias", "b.weight", "b.bias", "c.weight", "c.bias" };
    static const size_t counts[] = { UNITS * FEATURES, UNITS, UNITS * FEATURES, UNITS, OUTPUTS * 3 * UNITS, OUTPUTS };
    golden expected;
    FILE *file = golden_open("branches.txt");
    golden_case(file, "all");
    golden_read(file, "loss", &expected.loss, 1);
    for (size_t i = 0; i < PARAMETERS; i++)
        golden_read(file, names[i], expected.gradients[i], counts[i]);
    fclose(file);
    return expected;
}

Test(branches, gradients_of_what_trains_are_pytorchs_whatever_is_frozen)
{
    const golden expected = read_golden();
    thaw_context *context = support_context(2);
    thaw_model *model = create(context);
    float samples[BATCH * FEATURES], targets[BATCH * OUTPUTS];
    support_fill(samples, BATCH * FEATURES, 100);
    support_fill(targets, BATCH * OUTPUTS, 200);
    const thaw_tensor inputs = thaw_view_f32(samples, 2, (const int64_t[]){ BATCH, FEATURES });
    const thaw_tensor wanted = thaw_view_f32(targets, 2, (const int64_t[]){ BATCH, OUTPUTS });
    for (unsigned subset = 1; subset < 1U << GROUPS; subset++) {
        thaw_step_result result;
        train_only(model, subset);
        assert_ok(context, thaw_step(model, &inputs, &wanted, &(thaw_step_options){ .gradients_only = true }, &result));
        const float loss = (float)result.loss;
        assert_close(&loss, &expected.loss, 1, 1e-6, "loss");
        for (size_t i = 0; i < PARAMETERS; i++) {
            const thaw_parameter *parameter = thaw_model_parameter(model, i);
            const float *gradient = thaw_parameter_gradient(parameter);
            cr_assert_eq(gradient != NULL, subset >> i / 2 & 1, "subset %u: %s", subset,
                         thaw_parameter_name(parameter));
            if (gradient)
                assert_close(gradient, expected.gradients[i], thaw_shape_count(thaw_parameter_shape(parameter)), 2e-6,
                             thaw_parameter_name(parameter));
        }
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- plans ---- */

typedef struct expectation {
    const char *frozen;
    const char *regions, *backward, *boundaries; /* one character a node */
    size_t cached_floats;
} expectation;

static void check_plan(const expectation *e)
{
    thaw_context *context = support_context(1);
    thaw_model *model = create(context);
    const thaw_plan *plan;
    char regions[16] = "", backward[16] = "", boundaries[16] = "";
    assert_ok(context, thaw_model_freeze(model, e->frozen));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    for (size_t i = 0; i < thaw_plan_row_count(plan); i++) {
        thaw_plan_row row;
        assert_ok(context, thaw_plan_row_at(plan, i, &row));
        regions[i] = "PLF"[row.region];
        backward[i] = row.input_gradient || row.parameter_gradient ? '1' : '0';
        boundaries[i] = row.cache_boundary ? '1' : '0';
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
    check_plan(&(expectation){ .frozen = "b",
                               .regions = "PLLPPPLPLLLLL",
                               .backward = "0110001011111",
                               .boundaries = "1000100100000",
                               .cached_floats = FEATURES + UNITS + UNITS });
    check_plan(&(expectation){ .frozen = "b|c",
                               .regions = "PLLPPPLPLLLFL",
                               .backward = "0110001011111",
                               .boundaries = "1000100100000",
                               .cached_floats = FEATURES + UNITS + UNITS });
    check_plan(&(expectation){ .frozen = "a",
                               .regions = "PPPLLPPLLLLLL",
                               .backward = "0001100111111",
                               .boundaries = "1010001000000",
                               .cached_floats = FEATURES + UNITS + UNITS });
    check_plan(&(expectation){ .frozen = "a|b",
                               .regions = "PPPPPPPPPPPLL",
                               .backward = "0000000000011",
                               .boundaries = "0000000000100",
                               .cached_floats = 3 * UNITS });
}

/* ---- the cache ---- */

static bool count_cached(void *user, const thaw_epoch_report *report)
{
    *(size_t *)user += report->cached;
    return true;
}

typedef struct outcome {
    float weights[2 * (UNITS * FEATURES + UNITS) + OUTPUTS * 3 * UNITS + OUTPUTS];
    double loss;
    size_t cached_epochs, cache_bytes;
} outcome;

static outcome fit(unsigned trainable, size_t cache_bytes)
{
    outcome result = { 0 };
    float samples[SAMPLES * FEATURES], targets[SAMPLES * OUTPUTS];
    thaw_context *context = support_context(2);
    thaw_model *model = create(context);
    thaw_dataset *dataset;
    support_fill(samples, SAMPLES * FEATURES, 1);
    support_fill(targets, SAMPLES * OUTPUTS, 2);
    const thaw_tensor inputs = thaw_view_f32(samples, 2, (const int64_t[]){ SAMPLES, FEATURES });
    const thaw_tensor wanted = thaw_view_f32(targets, 2, (const int64_t[]){ SAMPLES, OUTPUTS });
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &wanted, 0, &dataset));
    support_optimize(model, "adam:lr=0.01");
    train_only(model, trainable);
    const thaw_fit_options options = {
        .epochs = 4, .batch = 8, .cache_bytes = cache_bytes, .on_epoch = count_cached, .user = &result.cached_epochs
    };
    thaw_epoch_report report;
    assert_ok(context, thaw_fit(model, dataset, &options, &report));
    float *next = result.weights;
    for (size_t i = 0; i < PARAMETERS; i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        memcpy(next, thaw_parameter_data(parameter), count * sizeof(float));
        next += count;
    }
    result.loss = report.loss;
    result.cache_bytes = report.cache_bytes;
    thaw_dataset_destroy(dataset);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return result;
}

static void check_cache(unsigned trainable, size_t cached_floats)
{
    const outcome plain = fit(trainable, 0), cached = fit(trainable, 1 << 20);
    cr_assert_eq(plain.cached_epochs, 0);
    cr_assert_eq(cached.cached_epochs, cached_floats ? 3 : 0, "subset %u: %zu epochs", trainable, cached.cached_epochs);
    cr_assert_eq(cached.cache_bytes, cached_floats ? SAMPLES * (cached_floats + OUTPUTS) * sizeof(float) : 0,
                 "subset %u: %zu bytes", trainable, cached.cache_bytes);
    cr_assert_eq(memcmp(plain.weights, cached.weights, sizeof plain.weights), 0, "subset %u", trainable);
    cr_assert_eq(plain.loss, cached.loss);
}

Test(branches, train_from_the_cache_to_the_same_bits)
{
    check_cache(0x7, 0);
    check_cache(0x5, FEATURES + UNITS + UNITS); /* b is frozen */
    check_cache(0x1, FEATURES + UNITS + UNITS);
    check_cache(0x6, FEATURES + UNITS + UNITS); /* a is */
    check_cache(0x4, 3 * UNITS);
}
