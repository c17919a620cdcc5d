/* Steps with a loss over tokens: of shorter sequences, and in shards. */
#include <math.h>
#include <string.h>

#include "support/golden.h"
#include "support/network.h"
#include "train/token_network.h"

enum { SAMPLES = 6, STEPS = 4 };

static const thaw_token_cross_entropy_options smoothed = { .label_smoothing = 0.1 };

static void check_steps(bool cuts, int64_t shards)
{
    thaw_context *context = support_context(2);
    thaw_model *model = token_network(context, cuts, &smoothed, "sgd:lr=0.5");
    FILE *file = golden_open("token_training.txt");
    float losses[STEPS];
    golden_case(file, "steps");
    golden_read(file, "losses", losses, STEPS);
    for (uint32_t step = 0; step < STEPS; step++) {
        token_batch batch;
        thaw_step_result result;
        token_batch_fill(&batch, SAMPLES, step);
        assert_ok(context,
                  thaw_step(model, batch.inputs, &batch.targets, &(thaw_step_options){ .shards = shards }, &result));
        cr_assert(fabs(result.loss - (double)losses[step]) <= 2e-6 * result.loss, "%d shards, step %u: %.9g, not %.9g",
                  (int)shards, step, result.loss, (double)losses[step]);
    }
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        float expected[TOKEN_ROWS * 6];
        golden_read(file, "weight", expected, count);
        assert_close(thaw_parameter_data(parameter), expected, count, 2e-6, "weight");
    }
    fclose(file);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(token_steps, equal_pytorch_at_any_length_and_in_any_shards)
{
    for (int64_t shards = 1; shards <= SAMPLES + 1; shards++) {
        check_steps(false, shards);
        check_steps(true, shards);
    }
}

Test(token_steps, count_tokens)
{
    thaw_context *context = support_context(1);
    thaw_model *model = token_network(context, true, NULL, "sgd:lr=0.5");
    static float outputs[SAMPLES * TOKEN_LONGEST * TOKEN_CLASSES];
    const thaw_tensor into = thaw_view_f32(outputs, 3, (int64_t[]){ SAMPLES, TOKEN_LONGEST, TOKEN_CLASSES });
    token_batch batch;
    thaw_step_result result;
    size_t counted = 0, correct = 0;
    token_batch_fill(&batch, SAMPLES, 1);
    assert_ok(context, thaw_predict(model, batch.inputs, &into));
    for (size_t i = 0; i < SAMPLES * TOKEN_LONGEST; i++) {
        size_t best = 0;
        for (size_t k = 1; k < TOKEN_CLASSES; k++)
            best = outputs[i * TOKEN_CLASSES + k] > outputs[i * TOKEN_CLASSES + best] ? k : best;
        counted += batch.labels[i] != THAW_IGNORED_TOKEN;
        correct += batch.labels[i] == (int32_t)best;
    }
    for (int64_t shards = 1; shards <= 3; shards++) {
        const thaw_step_options options = { .shards = shards, .gradients_only = true };
        assert_ok(context, thaw_step(model, batch.inputs, &batch.targets, &options, &result));
        cr_assert_eq(result.counted, counted, "%zu counted, not %zu", result.counted, counted);
        cr_assert_eq(result.correct, correct, "%zu correct, not %zu", result.correct, correct);
        cr_assert_float_eq(result.loss_weight, (double)counted, 0);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Otherwise it would count in some batches and not in others. */
Test(token_steps, refuse_labels_behind_the_end_of_all_samples)
{
    thaw_context *context = support_context(1);
    thaw_model *model = token_network(context, true, NULL, "sgd:lr=0.5");
    token_batch batch;
    size_t count;
    token_batch_fill(&batch, SAMPLES, 1);
    batch.labels[2 * TOKEN_LONGEST + 20] = 3;
    float *before = support_weights(model, &count);
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_INVALID_ARGUMENT,
                 "sample 2 has label 3 at place 20, behind the end of all samples, must be the one that is ignored");
    float *after = support_weights(model, &count);
    cr_assert_arr_eq(before, after, count * sizeof *before);
    batch.labels[2 * TOKEN_LONGEST + 20] = THAW_IGNORED_TOKEN;
    batch.labels[1] = TOKEN_CLASSES;
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_INVALID_ARGUMENT,
                 "sample 0 has label 7 at place 1, must be from 0 to 6");
    batch.targets.shape = (thaw_shape){ 1, { SAMPLES } };
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_SHAPE_MISMATCH,
                 "targets have shape [6], must be a batch of samples of shape [24]");
    assert_fails(context, thaw_step(model, batch.inputs, NULL, NULL, NULL), THAW_INVALID_ARGUMENT,
                 "targets are missing");
    free(before);
    free(after);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(token_steps, with_nothing_that_counts_change_nothing)
{
    thaw_context *context = support_context(1);
    thaw_model *model = token_network(context, true, NULL, "sgd:lr=0.5");
    token_batch batch;
    thaw_step_result result;
    size_t count;
    token_batch_fill(&batch, SAMPLES, 1);
    for (size_t i = 0; i < SAMPLES * TOKEN_LONGEST; i++)
        batch.labels[i] = THAW_IGNORED_TOKEN;
    float *before = support_weights(model, &count);
    assert_ok(context, thaw_step(model, batch.inputs, &batch.targets, NULL, &result));
    float *after = support_weights(model, &count);
    cr_assert_arr_eq(before, after, count * sizeof *before);
    cr_assert(result.loss == 0 && result.counted == 0 && result.loss_weight == 0);
    free(before);
    free(after);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
