/* Trainable branches beside frozen ones and constants, joined by sum, difference, product and concatenation: what
   trains has PyTorch's gradients, whatever stands beside it, and what is frozen is inference that the cache may
   keep. */
#include <stdio.h>
#include <string.h>

#include "support/golden.h"
#include "support/network.h"
#include "train/branched_network.h"

enum { BATCH = 7, SAMPLES = 20, LARGEST = 45 };

typedef struct golden {
    float loss, gradients[BRANCHED_PARAMETERS][LARGEST];
} golden;

static golden read_golden(const branched_network *n, thaw_model *model)
{
    golden expected;
    FILE *file = golden_open("branches.txt");
    if (n == &branched_broadcast) /* the second case */
        for (int lines = 0; lines < BRANCHED_PARAMETERS + 2; lines++)
            while (fgetc(file) != '\n')
                cr_assert(!feof(file));
    golden_case(file, n->name);
    golden_read(file, "loss", &expected.loss, 1);
    for (size_t i = 0; i < BRANCHED_PARAMETERS; i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        golden_read(file, thaw_parameter_name(parameter), expected.gradients[i],
                    thaw_shape_count(thaw_parameter_shape(parameter)));
    }
    fclose(file);
    return expected;
}

static void check_gradients(const branched_network *n)
{
    thaw_context *context = support_context(2);
    thaw_model *model = n->create(context);
    const golden expected = read_golden(n, model);
    float samples[BATCH * BRANCHED_STEPS * BRANCHED_FEATURES], targets[BATCH * BRANCHED_STEPS * BRANCHED_OUTPUTS];
    const thaw_tensor inputs = branched_fill(&n->input, BATCH, 100, samples);
    const thaw_tensor wanted = branched_fill(&n->output, BATCH, 200, targets);
    for (unsigned subset = 1; subset < 1U << BRANCHED_GROUPS; subset++) {
        thaw_step_result result;
        branched_train_only(model, subset);
        assert_ok(context, thaw_step(model, &inputs, &wanted, &(thaw_step_options){ .gradients_only = true }, &result));
        const float loss = (float)result.loss;
        assert_close(&loss, &expected.loss, 1, 1e-6, "loss");
        for (size_t i = 0; i < BRANCHED_PARAMETERS; i++) {
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
    check_gradients(&branched_equal);
    check_gradients(&branched_broadcast);
}

/* ---- plans ---- */

typedef struct expectation {
    const branched_network *network;
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
    check_plan(&(expectation){ .network = &branched_equal,
                               .frozen = "b",
                               .regions = "PLLPPPLPLLLLL",
                               .backward = "0110001011111",
                               .boundaries = "1000100100000",
                               .cached_floats = BRANCHED_FEATURES + BRANCHED_UNITS + BRANCHED_UNITS });
    check_plan(&(expectation){ .network = &branched_equal,
                               .frozen = "b|c",
                               .regions = "PLLPPPLPLLLFL",
                               .backward = "0110001011111",
                               .boundaries = "1000100100000",
                               .cached_floats = BRANCHED_FEATURES + BRANCHED_UNITS + BRANCHED_UNITS });
    check_plan(&(expectation){ .network = &branched_equal,
                               .frozen = "a",
                               .regions = "PPPLLPPLLLLLL",
                               .backward = "0001100111111",
                               .boundaries = "1010001000000",
                               .cached_floats = BRANCHED_FEATURES + BRANCHED_UNITS + BRANCHED_UNITS });
    check_plan(&(expectation){ .network = &branched_equal,
                               .frozen = "a|b",
                               .regions = "PPPPPPPPPPPLL",
                               .backward = "0000000000011",
                               .boundaries = "0000000000100",
                               .cached_floats = 3 * BRANCHED_UNITS });
}

Test(branches, compute_nothing_backward_in_what_is_frozen_and_repeats)
{
    check_plan(&(expectation){ .network = &branched_broadcast,
                               .frozen = "b",
                               .regions = "PLLPPPPLLLPLLLL",
                               .backward = "011000011101111",
                               .boundaries = "100010000010000",
                               .cached_floats = BRANCHED_STEPS * BRANCHED_FEATURES + BRANCHED_STEPS + BRANCHED_STEPS });
    check_plan(&(expectation){ .network = &branched_broadcast,
                               .frozen = "a",
                               .regions = "PPPLLPPLLLLLLLL",
                               .backward = "000110011111111",
                               .boundaries = "101000000000000",
                               .cached_floats = BRANCHED_STEPS * BRANCHED_FEATURES + BRANCHED_STEPS * BRANCHED_UNITS });
    check_plan(&(expectation){ .network = &branched_broadcast,
                               .frozen = "a|b",
                               .regions = "PPPPPPPPPPPPPLL",
                               .backward = "000000000000011",
                               .boundaries = "000000000000100",
                               .cached_floats = BRANCHED_STEPS * (2 * BRANCHED_UNITS + 1) });
}

/* ---- the cache ---- */

static bool count_cached(void *user, const thaw_epoch_result *epoch_result)
{
    *(size_t *)user += epoch_result->cached;
    return true;
}

typedef struct outcome {
    float weights[BRANCHED_PARAMETERS * LARGEST];
    double loss;
    size_t cached_epochs, cache_bytes;
} outcome;

static outcome fit(const branched_network *n, unsigned trainable, size_t cache_bytes)
{
    outcome result = { 0 };
    float samples[SAMPLES * BRANCHED_STEPS * BRANCHED_FEATURES], targets[SAMPLES * BRANCHED_STEPS * BRANCHED_OUTPUTS];
    thaw_context *context = support_context(2);
    thaw_model *model = n->create(context);
    thaw_dataset *dataset;
    const thaw_tensor inputs = branched_fill(&n->input, SAMPLES, 1, samples);
    const thaw_tensor wanted = branched_fill(&n->output, SAMPLES, 2, targets);
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &wanted, 0, &dataset));
    support_optimize(model, "adam:lr=0.01");
    branched_train_only(model, trainable);
    const thaw_fit_options options = {
        .epochs = 4, .batch = 8, .cache_bytes = cache_bytes, .on_epoch = count_cached, .user = &result.cached_epochs
    };
    thaw_epoch_result epoch_result;
    assert_ok(context, thaw_fit(model, dataset, &options, &epoch_result));
    float *next = result.weights;
    for (size_t i = 0; i < BRANCHED_PARAMETERS; i++) {
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

static void check_cache(const branched_network *n, unsigned trainable, size_t cached_floats)
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
    check_cache(&branched_equal, 0x7, 0);
    check_cache(&branched_equal, 0x5, BRANCHED_FEATURES + BRANCHED_UNITS + BRANCHED_UNITS); /* b is frozen */
    check_cache(&branched_equal, 0x1, BRANCHED_FEATURES + BRANCHED_UNITS + BRANCHED_UNITS);
    check_cache(&branched_equal, 0x6, BRANCHED_FEATURES + BRANCHED_UNITS + BRANCHED_UNITS); /* a is */
    check_cache(&branched_equal, 0x4, 3 * BRANCHED_UNITS);
    check_cache(&branched_broadcast, 0x7, 0);
    check_cache(&branched_broadcast, 0x5, BRANCHED_STEPS * BRANCHED_FEATURES + BRANCHED_STEPS + BRANCHED_STEPS);
    check_cache(&branched_broadcast, 0x6, BRANCHED_STEPS * BRANCHED_FEATURES + BRANCHED_STEPS * BRANCHED_UNITS);
    check_cache(&branched_broadcast, 0x4, BRANCHED_STEPS * (2 * BRANCHED_UNITS + 1));
}
