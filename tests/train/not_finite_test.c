/* A NaN or an infinity is never lost on its way, whatever kernels do with it: in a sample it gives outputs that are no
   numbers, or an error in training; in a parameter, an error everywhere. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/network.h"
#include "support/random_network.h"

enum { BATCH = 5, BAD = 2, SEEDS = 12 };

typedef struct fixture {
    thaw_context *context;
    thaw_model *model;
    size_t values, outputs;
    thaw_tensor inputs, targets;
    float *samples;
    int32_t labels[BATCH];
} fixture;

static fixture with_batch(thaw_context *context, thaw_model *model)
{
    fixture f = { .context = context, .model = model, .labels = { 0, 1, 2, 1, 0 } };
    const thaw_shape *sample = thaw_model_node_shape(model, 0);
    int64_t dims[THAW_MAX_RANK] = { BATCH };
    memcpy(dims + 1, sample->dims, (size_t)sample->rank * sizeof *dims);
    f.values = thaw_shape_count(sample);
    f.outputs = thaw_shape_count(thaw_model_node_shape(model, thaw_model_output(model)));
    f.samples = malloc(BATCH * f.values * sizeof *f.samples);
    support_fill(f.samples, BATCH * f.values, 7);
    f.inputs = thaw_view_f32(f.samples, sample->rank + 1, dims);
    return f;
}

static void release(fixture *f)
{
    free(f->samples);
    thaw_model_destroy(f->model);
    thaw_context_destroy(f->context);
}

/* *status of a prediction, and its outputs, which the caller frees. */
static float *predict(const fixture *f, thaw_status *status)
{
    float *outputs = malloc(BATCH * f->outputs * sizeof *outputs);
    const thaw_shape *output = thaw_model_node_shape(f->model, thaw_model_output(f->model));
    int64_t dims[THAW_MAX_RANK] = { BATCH };
    memcpy(dims + 1, output->dims, (size_t)output->rank * sizeof *dims);
    const thaw_tensor into = thaw_view_f32(outputs, output->rank + 1, dims);
    *status = thaw_predict(f->model, &f->inputs, &into);
    return outputs;
}

static thaw_status step(fixture *f, thaw_step_result *result)
{
    const thaw_tensor targets = thaw_view_i32(f->labels, 1, (const int64_t[]){ BATCH });
    return thaw_step(f->model, &f->inputs, &targets, NULL, result);
}

static void check_sample(fixture *f, float bad, uint64_t seed)
{
    char message[96];
    thaw_status status;
    const size_t at = (size_t)seed * 31 % f->values;
    float *clean = predict(f, &status), *value = f->samples + BAD * f->values + at;
    const float kept = *value;
    cr_assert_eq(status, THAW_OK);
    *value = bad;
    float *found = predict(f, &status);
    cr_assert_eq(status, THAW_OK);
    for (size_t i = 0; i < BATCH * f->outputs; i++)
        if (i / f->outputs == BAD)
            cr_assert(!isfinite(found[i]), "seed %d: %g becomes %g", (int)seed, (double)bad, (double)found[i]);
        else
            cr_assert(memcmp(&found[i], &clean[i], sizeof *clean) == 0, "seed %d: sample %zu is another", (int)seed,
                      i / f->outputs);
    snprintf(message, sizeof message, "value %zu of sample %d of the batch is %g", at, BAD,
             isnan(bad) ? fabs((double)bad) : (double)bad); /* never "-nan" */
    thaw_step_result result;
    assert_fails(f->context, step(f, &result), THAW_NOT_FINITE, message);
    cr_assert(isnan(result.loss));
    *value = kept;
    assert_ok(f->context, step(f, &result));
    free(clean);
    free(found);
}

/* In each parameter in turn. */
static void check_parameters(fixture *f, float bad, const char *path)
{
    for (size_t i = 0; i < thaw_model_parameter_count(f->model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(f->model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter)), at = (i * 17) % count;
        const float kept = thaw_parameter_data(parameter)[at];
        char message[128];
        thaw_status status;
        snprintf(message, sizeof message, "element %zu of %s is %g", at, thaw_parameter_name(parameter), (double)bad);
        thaw_parameter_edit(parameter)[at] = bad;
        assert_fails(f->context, step(f, NULL), THAW_NOT_FINITE, message);
        free(predict(f, &status));
        cr_assert_eq(status, THAW_NOT_FINITE);
        assert_fails(f->context, thaw_weights_save(f->model, path), THAW_NOT_FINITE, message);
        thaw_parameter_edit(parameter)[at] = kept;
    }
    assert_ok(f->context, step(f, NULL));
}

static void check_networks(bool fusion, bool narrow)
{
    for (uint64_t seed = 10; seed < 10 + SEEDS; seed++) {
        thaw_context *context = support_context(2);
        fixture f = with_batch(context, random_network(context, seed, fusion));
        if (narrow)
            assert_ok(context,
                      thaw_model_set_precision(f.model, &(thaw_precision){ .all = THAW_BF16, .emulated = true }));
        check_sample(&f, NAN, seed);
        check_sample(&f, INFINITY, seed + 1);
        check_sample(&f, -NAN, seed + 2);
        check_parameters(&f, seed % 2 ? NAN : -INFINITY, "/nowhere/at/all");
        release(&f);
    }
}

Test(not_finite, is_not_lost_in_fused_layers)
{
    check_networks(true, false);
}

Test(not_finite, is_not_lost_in_single_layers)
{
    check_networks(false, false);
}

Test(not_finite, is_not_lost_in_bfloat16)
{
    skip_without_bfloat16();
    check_networks(true, true);
}

/* Convolution, ReLU, max-pool, dense: what swallows most. */
Test(not_finite, gives_no_finite_loss_in_evaluation)
{
    thaw_context *context = support_context(2);
    fixture f = with_batch(context, support_network(context, false));
    thaw_dataset *data;
    thaw_evaluation found;
    f.samples[BAD * f.values + 3] = NAN;
    const thaw_tensor labels = thaw_view_i32(f.labels, 1, (const int64_t[]){ BATCH });
    assert_ok(context, thaw_dataset_from_arrays(context, &f.inputs, &labels, NETWORK_CLASSES, &data));
    assert_ok(context, thaw_evaluate(f.model, data, 2, &found));
    cr_assert(isnan(found.loss), "the loss is %g", found.loss);
    support_optimize(f.model, "sgd:lr=0.1");
    assert_fails(context, thaw_fit(f.model, data, &(thaw_fit_options){ .batch = 2 }, NULL), THAW_NOT_FINITE,
                 "value 3 of sample 2 of the data set is nan");
    thaw_dataset_destroy(data);
    release(&f);
}

/* The step that breaks the weights is the one that says so, and no file is replaced by them. */
Test(not_finite, weights_stop_the_step_that_made_them)
{
    static const char *const optimizers[] = { "sgd:lr=1e39", "sgd:lr=1e39,momentum=0.9", "adam:lr=1e39",
                                              "rmsprop:lr=1e39" };
    for (size_t i = 0; i < THAW_COUNT(optimizers); i++) {
        char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES], old[1 << 16], now[1 << 16];
        thaw_context *context = support_context(2);
        fixture f = with_batch(context, support_network(context, false));
        support_make_directory(directory);
        support_path(path, directory, "good.safetensors");
        support_optimize(f.model, "sgd:lr=0.1");
        assert_ok(context, step(&f, NULL));
        assert_ok(context, thaw_weights_save(f.model, path));
        const long bytes = support_read_file(path, old, sizeof old);
        support_optimize(f.model, optimizers[i]);
        assert_fails(context, step(&f, NULL), THAW_NOT_FINITE, "step 2 made");
        cr_assert_not_null(strstr(thaw_context_message(context), "of conv1.weight is"), "%s",
                           thaw_context_message(context));
        assert_fails(context, thaw_weights_save(f.model, path), THAW_NOT_FINITE, "conv1.weight");
        cr_assert_eq(support_read_file(path, now, sizeof now), bytes);
        cr_assert(memcmp(old, now, bytes < (long)sizeof old ? (size_t)bytes : sizeof old) == 0);
        assert_ok(context, thaw_weights_load(f.model, path, NULL, NULL));
        support_optimize(f.model, "sgd:lr=0.1");
        assert_ok(context, step(&f, NULL));
        support_remove_directory(directory);
        release(&f);
    }
}
