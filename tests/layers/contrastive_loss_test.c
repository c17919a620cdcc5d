#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/gradients.h"
#include "support/layer.h"
#include "support/network.h"

/* A model whose sample is an anchor and a positive. */
static thaw_model *pairs(thaw_context *context, int64_t width, double scale)
{
    thaw_model *model;
    thaw_node anchors, positives;
    assert_ok(context, thaw_model_create(context, &model));
    const thaw_shape shape = { 1, { width } };
    assert_ok(context, thaw_named_input(model, &(thaw_input_options){ .name = "anchor", .shape = shape }, &anchors));
    assert_ok(context,
              thaw_named_input(model, &(thaw_input_options){ .name = "positive", .shape = shape }, &positives));
    assert_ok(context, thaw_contrastive_loss(model, anchors, positives,
                                             &(thaw_contrastive_loss_options){ .scale = scale }, &positives));
    return model;
}

Test(contrastive_loss, equals_pytorch)
{
    static const struct {
        int64_t batch, width;
        double scale;
    } cases[] = { { 1, 3, 20 }, { 2, 4, 20 }, { 7, 16, 5 }, { 33, 10, 1 } };
    FILE *file = golden_open("contrastive_loss.txt");
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const size_t count = (size_t)(cases[i].batch * cases[i].width);
        float loss, gradient[33 * 10];
        char settings[80];
        snprintf(settings, sizeof settings, "batch %d width %d scale %g", (int)cases[i].batch, (int)cases[i].width,
                 cases[i].scale);
        thaw_context *context = support_context(2);
        thaw_model *model = pairs(context, cases[i].width, cases[i].scale == 20 ? 0 : cases[i].scale);
        layer l =
            layer_open(model, &(layer_wish){ .batch = cases[i].batch, .training = true, .input_gradients = true });
        layer_forward(&l);
        layer_backward(&l);
        golden_case(file, settings);
        golden_read(file, "loss", &loss, 1);
        assert_close(l.output, &loss, 1, 2e-6, "loss");
        golden_read(file, "anchors", gradient, count);
        assert_close(l.input_gradients[0], gradient, count, 2e-6, "anchors");
        golden_read(file, "positives", gradient, count);
        assert_close(l.input_gradients[1], gradient, count, 2e-6, "positives");
        cr_assert(l.needs.mixes_samples);
        layer_close(&l, model);
        thaw_context_destroy(context);
    }
    fclose(file);
}

/* ---- in a network ---- */

enum { WIDTH = 6, INPUTS = 5, SAMPLES = 9 };

static thaw_model *encoder(thaw_context *context)
{
    thaw_model *model;
    thaw_node x[2];
    const thaw_shape shape = { 1, { INPUTS } };
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_named_input(model, &(thaw_input_options){ .name = "a", .shape = shape }, &x[0]));
    assert_ok(context, thaw_named_input(model, &(thaw_input_options){ .name = "b", .shape = shape }, &x[1]));
    for (int i = 0; i < 2; i++) {
        assert_ok(context, thaw_dense(model, x[i], &(thaw_dense_options){ .units = WIDTH }, &x[i]));
        assert_ok(context, thaw_l2_normalise(model, x[i], NULL, &x[i]));
    }
    assert_ok(context, thaw_contrastive_loss(model, x[0], x[1], NULL, &x[0]));
    support_optimize(model, "sgd:lr=0.005");
    return model;
}

/* The samples from `first` on; no targets. */
static thaw_status step(thaw_model *model, int64_t first, int64_t count, int64_t shards, thaw_step_result *result)
{
    static float values[2][SAMPLES * INPUTS];
    const int64_t dims[] = { count, INPUTS };
    thaw_tensor inputs[2];
    for (int i = 0; i < 2; i++) {
        support_fill(values[i], SAMPLES * INPUTS, (uint32_t)i + 1);
        inputs[i] = thaw_view_f32(values[i] + first * INPUTS, 2, dims);
    }
    return thaw_step(model, inputs, NULL, &(thaw_step_options){ .shards = shards, .gradients_only = true }, result);
}

/* Nine samples in three shards: as three batches of their own, whose gradients are averaged. */
Test(contrastive_loss, takes_each_shard_as_a_batch)
{
    thaw_context *context = support_context(1);
    thaw_model *model = encoder(context);
    thaw_step_result whole, part;
    size_t count;
    double loss = 0;
    assert_ok(context, step(model, 0, SAMPLES, 3, &whole));
    float *found = support_gradients(model, &count), *expected = calloc(count, sizeof *expected);
    for (int64_t i = 0; i < 3; i++) {
        assert_ok(context, step(model, 3 * i, 3, 1, &part));
        float *gradients = support_gradients(model, &count);
        for (size_t k = 0; k < count; k++)
            expected[k] += gradients[k] / 3;
        loss += part.loss / 3;
        free(gradients);
    }
    cr_assert_float_eq(whole.loss, loss, 1e-6, "%.9g, not %.9g", whole.loss, loss);
    assert_close(found, expected, count, 1e-6, "gradients");
    assert_ok(context, step(model, 0, SAMPLES, 1, &part));
    cr_assert_gt(part.loss, whole.loss + 0.1, "a larger batch is harder: %g, %g", part.loss, whole.loss);
    free(found);
    free(expected);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* One batch as large as the data: what is frozen may then come from the cache. */
Test(contrastive_loss, trains_and_evaluates_without_targets)
{
    double losses[2];
    for (int cached = 0; cached < 2; cached++) {
        thaw_context *context = support_context(2);
        thaw_model *model = encoder(context);
        float values[2][SAMPLES * INPUTS], unread[SAMPLES] = { 0 };
        const int64_t dims[] = { SAMPLES, INPUTS };
        thaw_tensor inputs[2];
        thaw_dataset *data;
        thaw_epoch_result result;
        for (int i = 0; i < 2; i++) {
            support_fill(values[i], SAMPLES * INPUTS, (uint32_t)i + 1);
            inputs[i] = thaw_view_f32(values[i], 2, dims);
        }
        const thaw_tensor targets = thaw_view_f32(unread, 1, dims);
        assert_ok(context,
                  thaw_dataset_from_fields(context, inputs, (const char *[]){ "a", "b" }, 2, &targets, 0, &data));
        assert_ok(context, thaw_model_freeze(model, "dense1"));
        const thaw_fit_options options = {
            .epochs = 5, .batch = SAMPLES, .test = data, .cache_bytes = cached ? 1 << 20 : 0
        };
        assert_ok(context, thaw_fit(model, data, &options, &result));
        losses[cached] = result.test_loss;
        thaw_step_result before;
        assert_ok(context, step(model, 0, SAMPLES, 1, &before));
        cr_assert_float_eq(result.test_loss, before.loss, 1e-5, "%g, %g", result.test_loss, before.loss);
        cr_assert_lt(result.test_loss, result.loss + 1e-9);
        thaw_dataset_destroy(data);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
    cr_assert_float_eq(losses[0], losses[1], 1e-5, "%g, %g", losses[0], losses[1]);
}

Test(contrastive_loss, refuses_what_it_cannot_compute)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_node a, b, y;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 4 } }, &a));
    assert_ok(context, thaw_dense(model, a, &(thaw_dense_options){ .units = 3 }, &b));
    assert_fails(context, thaw_contrastive_loss(model, a, b, NULL, &y), THAW_SHAPE_MISMATCH,
                 "anchors have shape [4] and positives [3], must both be [width]");
    assert_fails(context, thaw_contrastive_loss(model, a, a, &(thaw_contrastive_loss_options){ .scale = -1 }, &y),
                 THAW_INVALID_ARGUMENT, "scale is -1, must be finite and above 0");
    assert_fails(context, thaw_contrastive_loss(model, a, a, &(thaw_contrastive_loss_options){ .scale = NAN }, &y),
                 THAW_INVALID_ARGUMENT, "scale is nan");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
