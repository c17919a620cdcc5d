/* How a loss of the host's own enters the loss of a data set: as its `weigh` says, and without that by samples. */
#include <math.h>

#include "support/network.h"
#include "support/toys.h"

enum { SAMPLES = 11, FEATURES = 3, BATCH = 4 };

static float values[SAMPLES * FEATURES], answers[SAMPLES * FEATURES];

/* What the toy loss must be over samples [begin, end). */
static double mean_between(size_t begin, size_t end)
{
    double sum = 0;
    for (size_t i = begin * FEATURES; i < end * FEATURES; i++)
        sum += pow((double)values[i] - (double)answers[i], 2);
    return sum / 2 / (double)(end - begin);
}

static double evaluate(const thaw_layer_module *module)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_dataset *data;
    thaw_node x;
    thaw_evaluation found;
    support_fill(values, SAMPLES * FEATURES, 5);
    support_fill(answers, SAMPLES * FEATURES, 6);
    const thaw_tensor samples = thaw_view_f32(values, 2, (int64_t[]){ SAMPLES, FEATURES });
    const thaw_tensor targets = thaw_view_f32(answers, 2, (int64_t[]){ SAMPLES, FEATURES });
    assert_ok(context, thaw_dataset_from_arrays(context, &samples, &targets, 0, &data));
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { FEATURES } }, &x));
    assert_ok(context, thaw_model_append(model, module, NULL, &x, 1, NULL, &x));
    assert_ok(context, thaw_evaluate(model, data, BATCH, &found));
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return found.loss;
}

Test(host_loss, counts_samples_without_weigh)
{
    const double found = evaluate(&toy_quadratic), wanted = mean_between(0, SAMPLES);
    cr_assert_null(toy_quadratic.weigh);
    cr_assert_float_eq(found, wanted, 1e-6, "loss %.9g, wanted %.9g", found, wanted);
}

/* The batches so far; the k-th counts k times. */
static size_t batches;

static void weigh_by_batch(const thaw_layer_run *run, double *total, double *weight)
{
    const double loss = (double)*(const float *)run->output;
    const double samples = batches < SAMPLES / BATCH ? BATCH : SAMPLES % BATCH;
    cr_assert(*weight == samples, "batch %zu of %g samples comes as %g", batches, samples, *weight);
    cr_assert(*total == loss * samples, "batch %zu of loss %g comes as %g", batches, loss, *total);
    *weight = (double)++batches;
    *total = loss * *weight;
}

Test(host_loss, counts_as_its_module_weighs)
{
    thaw_layer_module module = toy_quadratic;
    module.weigh = weigh_by_batch;
    const double found = evaluate(&module);
    const double wanted = (mean_between(0, 4) + 2 * mean_between(4, 8) + 3 * mean_between(8, SAMPLES)) / (1 + 2 + 3);
    cr_assert_eq(batches, 3);
    cr_assert_float_eq(found, wanted, 1e-6, "loss %.9g, wanted %.9g", found, wanted);
}
