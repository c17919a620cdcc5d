/* The range test: the rules on curves that are known, and that a model is as before. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/optimizer.h>
#include <thaw/rate_finder.h>
#include <thaw/runtime.h>
#include <thaw/zoo.h>

#include "support/support.h"
#include "train/rate_curve.h"

enum { COUNT = 100, SAMPLES = 64, FEATURES = 6 };

static void fill(thaw_rate_point *points, double (*loss)(double logarithm))
{
    for (size_t i = 0; i < COUNT; i++) {
        const double logarithm = -7 + 8 * (double)i / (COUNT - 1);
        points[i] = (thaw_rate_point){ pow(10, logarithm), 0, loss(logarithm) };
    }
}

/* Flat up to 1e-4, falling to 1e-1, rising after that. */
static double valley(double x)
{
    return x < -4 ? 2 : x < -1 ? 2 - (x + 4) / 2 : 0.5 + (x + 1) * 3;
}

/* Falls as a logistic curve, steepest at 1e-2. */
static double logistic(double x)
{
    return 2 - 1 / (1 + exp(-4 * (x + 2)));
}

static double rising(double x)
{
    return x + 9;
}

Test(rate_finder, rules_find_the_known_places)
{
    thaw_rate_point points[COUNT];
    size_t lengths[COUNT], before[COUNT];
    fill(points, valley);
    const double middle = log10(thaw_rate_valley(points, COUNT, lengths, before));
    cr_assert_float_eq(middle, -2.5, 0.1, "%g", middle);
    fill(points, logistic);
    const double steepest = log10(thaw_rate_steepest(points, COUNT));
    cr_assert_float_eq(steepest, -2, 0.1, "%g", steepest);
    fill(points, rising);
    cr_assert(isnan(thaw_rate_valley(points, COUNT, lengths, before)) && isnan(thaw_rate_steepest(points, COUNT)));
    cr_assert(isnan(thaw_rate_valley(points, 4, lengths, before)) && isnan(thaw_rate_steepest(points, 4)));
}

static thaw_context *context;
static thaw_model *model;
static thaw_dataset *dataset;
static float samples[SAMPLES * FEATURES];
static int32_t labels[SAMPLES];

static void begin(void)
{
    thaw_optimizer *adam, *sgd;
    context = support_context(2);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, "mlp:input=6,hidden=16x8,norm=batch,dropout=0.1", 2));
    assert_ok(context, thaw_optimizer_create(context, "adam:lr=1e-3", &adam));
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=1e-4", &sgd));
    assert_ok(context, thaw_select_optimizer(model, "*", adam));
    assert_ok(context, thaw_select_optimizer(model, "dense2", sgd));
    assert_ok(context, thaw_model_freeze(model, "dense1"));
    thaw_optimizer_destroy(adam);
    thaw_optimizer_destroy(sgd);
    support_fill(samples, SAMPLES * FEATURES, 3);
    for (size_t i = 0; i < SAMPLES; i++)
        labels[i] = samples[i * FEATURES] > 0;
    const thaw_tensor inputs = thaw_view_f32(samples, 2, (const int64_t[]){ SAMPLES, FEATURES });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ SAMPLES });
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, 2, &dataset));
}

static void end(void)
{
    thaw_dataset_destroy(dataset);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(rate_finder, takes_exponential_rates_and_leaves_the_model_as_it_was, .init = begin, .fini = end)
{
    static float before[4096], after[4096];
    float *const copies[] = { before, after };
    thaw_rate_result result;
    for (int round = 0; round < 2; round++) {
        size_t count = 0;
        for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
            const thaw_parameter *one = thaw_model_parameter(model, i);
            const size_t elements = thaw_shape_count(thaw_parameter_shape(one));
            memcpy(copies[round] + count, thaw_parameter_data(one), elements * sizeof(float));
            count += elements;
            cr_assert_eq(thaw_parameter_steps(one), 0);
        }
        if (round == 0)
            assert_ok(context,
                      thaw_find_rate(model, dataset,
                                     &(thaw_rate_options){ .from = 1e-5, .to = 1, .steps = 51, .batch = 16 }, &result));
    }
    cr_assert_arr_eq(before, after, sizeof before);
    cr_assert_geq(result.count, 5);
    for (size_t i = 0; i < result.count; i++) {
        const double rate = 1e-5 * pow(10, 5 * (double)i / 50);
        cr_assert_float_eq(result.points[i].rate, rate, 1e-9 * rate);
    }
    /* The definition of the smoothed loss, with all weights at once. */
    double sum = 0, weights = 0;
    for (size_t i = 0; i < 5; i++) {
        sum += pow(0.98, 4 - (double)i) * result.points[i].loss;
        weights += pow(0.98, 4 - (double)i);
    }
    cr_assert_float_eq(result.points[4].smoothed, sum / weights, 1e-9);
    cr_assert(result.valley > 1e-5 && result.valley < 1, "%g", result.valley);
    thaw_release(context, result.points);
}

Test(rate_finder, stops_when_the_loss_diverges, .init = begin, .fini = end)
{
    thaw_rate_result result;
    thaw_optimizer *sgd;
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=1", &sgd));
    assert_ok(context, thaw_select_optimizer(model, "*", sgd));
    thaw_optimizer_destroy(sgd);
    assert_ok(context,
              thaw_find_rate(model, dataset, &(thaw_rate_options){ .from = 1e-3, .to = 1e12, .batch = 16 }, &result));
    cr_assert(result.diverged && result.count < 100, "%zu", result.count);
    thaw_release(context, result.points);
    assert_fails(context, thaw_find_rate(model, dataset, &(thaw_rate_options){ .from = 1, .to = 0.1 }, &result),
                 THAW_INVALID_ARGUMENT, "learning rates go from 1 to 0.1");
    assert_fails(context, thaw_find_rate(model, dataset, &(thaw_rate_options){ .steps = 3 }, &result),
                 THAW_INVALID_ARGUMENT, "steps is 3, must be from 10 to 10000");
    assert_ok(context, thaw_model_freeze(model, "*"));
    assert_fails(context, thaw_find_rate(model, dataset, NULL, &result), THAW_INVALID_ARGUMENT,
                 "no group that trains has a learning rate above 0");
}

static bool stop_at_seven(void *user, size_t step, size_t steps)
{
    (void)user, (void)steps;
    return step < 7;
}

Test(rate_finder, gives_the_part_of_the_curve_when_it_is_stopped, .init = begin, .fini = end)
{
    const thaw_rate_options options = { .from = 1e-5, .to = 1, .steps = 51, .batch = 16 };
    thaw_rate_options stopping = options;
    thaw_rate_result whole, part;
    stopping.on_step = stop_at_seven;
    assert_ok(context, thaw_find_rate(model, dataset, &options, &whole));
    assert_fails(context, thaw_find_rate(model, dataset, &stopping, &part), THAW_STOPPED, "was stopped");
    cr_assert_eq(part.count, 7);
    cr_assert(isnan(part.valley) && isnan(part.steepest));
    cr_assert_arr_eq(part.points, whole.points, 7 * sizeof *part.points);
    thaw_release(context, part.points);
    thaw_release(context, whole.points);
}
