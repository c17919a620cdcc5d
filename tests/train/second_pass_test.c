/* Steps whose gradient is taken at other weights: SAM, against passes that the test makes itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/network.h"

enum { BATCH = 8, STEPS = 4 };

/* What trains: weights and biases of what is not frozen. */
static size_t trained(thaw_model *model, thaw_parameter *found[2 * NETWORK_GROUPS])
{
    static const char *const kinds[] = { "weight", "bias" };
    size_t count = 0;
    for (size_t g = 0; g < NETWORK_GROUPS; g++)
        for (size_t k = 0; k < THAW_COUNT(kinds); k++) {
            char name[64];
            snprintf(name, sizeof name, "%s.%s", network_groups[g], kinds[k]);
            thaw_parameter *one = thaw_model_find_parameter(model, name);
            if (thaw_parameter_trainable(one))
                found[count++] = one;
        }
    return count;
}

static size_t size_of(const thaw_parameter *parameter)
{
    return thaw_shape_count(thaw_parameter_shape(parameter));
}

/* Rows 2 and 3 of dense1's weight, if they are frozen. */
static bool is_held(const thaw_parameter *parameter, size_t index, bool slices)
{
    if (!slices || strcmp(thaw_parameter_name(parameter), "dense1.weight") != 0)
        return false;
    const size_t row = index / (size_t)thaw_parameter_shape(parameter)->dims[1];
    return row == 2 || row == 3;
}

typedef struct variant {
    const char *wrapper;
    double rho;
    bool adaptive, slices;
    thaw_step_options options;
} variant;

/* A step of plain descent with the gradient of a second pass. */
static void step_by_hand(thaw_model *model, const variant *v, uint32_t seed, double rate)
{
    thaw_context *context = thaw_model_context(model);
    thaw_parameter *all[2 * NETWORK_GROUPS];
    float *before[2 * NETWORK_GROUPS];
    thaw_step_options first = { .gradients_only = true, .shards = v->options.shards }, second = v->options;
    second.gradients_only = true;
    const size_t count = trained(model, all);
    assert_ok(context, support_step(model, BATCH, seed, &first, NULL));
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        const float *g = thaw_parameter_gradient(all[i]), *p = thaw_parameter_data(all[i]);
        before[i] = malloc(size_of(all[i]) * sizeof(float));
        memcpy(before[i], p, size_of(all[i]) * sizeof(float));
        for (size_t k = 0; k < size_of(all[i]); k++)
            if (!is_held(all[i], k, v->slices))
                squares += pow((double)g[k] * (v->adaptive ? fabs((double)p[k]) : 1), 2);
    }
    for (size_t i = 0; i < count; i++) {
        const float *g = thaw_parameter_gradient(all[i]);
        float *moved = malloc(size_of(all[i]) * sizeof(float));
        for (size_t k = 0; k < size_of(all[i]); k++) {
            const double p = (double)before[i][k];
            moved[k] = (float)(p + v->rho / sqrt(squares) * (double)g[k] * (v->adaptive ? p * p : 1));
            if (is_held(all[i], k, v->slices))
                moved[k] = before[i][k];
        }
        memcpy(thaw_parameter_edit(all[i]), moved, size_of(all[i]) * sizeof(float));
        free(moved);
    }
    assert_ok(context, support_step(model, BATCH, seed, &second, NULL));
    for (size_t i = 0; i < count; i++) {
        const float *g = thaw_parameter_gradient(all[i]);
        float *p = thaw_parameter_edit(all[i]);
        for (size_t k = 0; k < size_of(all[i]); k++)
            p[k] = is_held(all[i], k, v->slices) ? before[i][k] : (float)((double)before[i][k] - rate * (double)g[k]);
        free(before[i]);
    }
}

static thaw_model *make(thaw_context *context, const char *optimizer, const variant *v)
{
    thaw_model *model = support_network(context, false);
    support_optimize(model, optimizer);
    assert_ok(context, thaw_model_freeze(model, "conv1"));
    assert_ok(context, thaw_model_freeze(model, "dense2.bias"));
    if (v->slices)
        assert_ok(context, thaw_freeze_slice(model, "dense1.weight", 0, 2, 4));
    return model;
}

static void assert_same_weights(thaw_model *actual, thaw_model *expected, const char *what)
{
    size_t count, other;
    float *own = support_weights(actual, &count), *wanted = support_weights(expected, &other);
    cr_assert_eq(count, other);
    for (size_t i = 0; i < count; i++)
        cr_assert(fabs((double)own[i] - (double)wanted[i]) <= 2e-6, "%s: number %zu is %.9g, expected %.9g", what, i,
                  (double)own[i], (double)wanted[i]);
    free(own);
    free(wanted);
}

Test(second_pass, equals_two_passes_by_hand)
{
    static const variant variants[] = {
        { "sam/sgd:lr=0.1", 0.05, false, false, { .shards = 1 } },
        { "sam:rho=0.5/sgd:lr=0.1", 0.5, false, true, { .shards = 1 } },
        { "sam:rho=0.5,adaptive=1/sgd:lr=0.1", 0.5, true, true, { .shards = 1 } },
        { "sam:rho=0.2/sgd:lr=0.1", 0.2, false, false, { .clip_norm = 0.05 } },
        { "sam:rho=0.2/sgd:lr=0.1", 0.2, false, false, { .shards = 3 } },
    };
    for (size_t i = 0; i < THAW_COUNT(variants); i++) {
        const variant *v = &variants[i];
        thaw_context *context = support_context(2);
        thaw_model *model = make(context, v->wrapper, v), *by_hand = make(context, "sgd:lr=0.1", v);
        for (uint32_t step = 1; step <= STEPS; step++) {
            assert_ok(context, support_step(model, BATCH, step, &v->options, NULL));
            step_by_hand(by_hand, v, step, 0.1);
        }
        assert_same_weights(model, by_hand, v->wrapper);
        thaw_model_destroy(model);
        thaw_model_destroy(by_hand);
        thaw_context_destroy(context);
    }
}

/* The loss that a step tells is the one at the weights themselves. */
Test(second_pass, tells_the_loss_of_the_first)
{
    const variant plain = { 0 };
    thaw_context *context = support_context(1);
    thaw_model *model = make(context, "sam:rho=0.5/sgd:lr=0.1", &plain), *other = make(context, "sgd:lr=0.1", &plain);
    thaw_step_result own, wanted;
    assert_ok(context, support_step(model, BATCH, 1, NULL, &own));
    assert_ok(context, support_step(other, BATCH, 1, NULL, &wanted));
    cr_assert_eq(own.loss, wanted.loss);
    thaw_model_destroy(model);
    thaw_model_destroy(other);
    thaw_context_destroy(context);
}

static void assert_puts_back(const char *optimizer, const thaw_step_options *options, thaw_status status)
{
    const variant plain = { 0 };
    thaw_context *context = support_context(1);
    thaw_model *model = make(context, optimizer, &plain);
    thaw_step_result result;
    size_t count;
    float *before = support_weights(model, &count);
    cr_assert_eq(support_step(model, BATCH, 1, options, &result), status);
    float *after = support_weights(model, &count);
    cr_assert_eq(memcmp(before, after, count * sizeof *before), 0, "%s", optimizer);
    free(before);
    free(after);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(second_pass, puts_the_weights_back_to_the_bit)
{
    assert_puts_back("sam:rho=0.5/sgd:lr=0", NULL, THAW_OK);
    assert_puts_back("sam:rho=0.5/sgd:lr=0.1", &(thaw_step_options){ .gradients_only = true }, THAW_OK);
    assert_puts_back("sam:rho=1e38/sgd:lr=0.1", NULL, THAW_NOT_FINITE); /* fails in the second pass */
}

Test(second_pass, does_not_depend_on_the_number_of_threads)
{
    const variant plain = { .slices = true };
    float *first = NULL;
    size_t count;
    for (int threads = 1; threads <= 3; threads++) {
        thaw_context *context = support_context(threads);
        thaw_model *model = make(context, "lookahead:k=2/sam:rho=0.3/adamw:lr=0.01", &plain);
        for (uint32_t step = 1; step <= STEPS; step++)
            assert_ok(context, support_step(model, BATCH, step, NULL, NULL));
        float *own = support_weights(model, &count);
        if (first)
            for (size_t i = 0; i < count; i++)
                cr_assert(fabs((double)own[i] - (double)first[i]) <= 1e-5, "%d threads", threads);
        else
            first = own;
        if (first != own)
            free(own);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
    free(first);
}
