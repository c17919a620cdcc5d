/* Data with a label that is in no class, and losses that ignore it or do not. */
#include <stdlib.h>
#include <string.h>

#include "support/network.h"

enum { SAMPLES = 12, KEPT = 8, FEATURES = 5, CLASSES = 3, IGNORED = -100 };

static float values[SAMPLES * FEATURES], kept_values[KEPT * FEATURES];
static int32_t labels[SAMPLES], kept_labels[KEPT];

/* Every third sample has the ignored label; `kept_*` hold the others, in order. */
static void make_samples(int32_t ignored)
{
    support_fill(values, SAMPLES * FEATURES, 7);
    size_t kept = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        labels[i] = i % 3 == 1 ? ignored : (int32_t)(i / 2 % CLASSES);
        if (labels[i] == ignored)
            continue;
        memcpy(kept_values + kept * FEATURES, values + i * FEATURES, FEATURES * sizeof *values);
        kept_labels[kept++] = labels[i];
    }
    cr_assert_eq(kept, KEPT);
}

static thaw_status open_data(thaw_context *context, float *inputs, int32_t *targets, int64_t count, thaw_dataset **data)
{
    const thaw_tensor samples = thaw_view_f32(inputs, 2, (int64_t[]){ count, FEATURES });
    const thaw_tensor answers = thaw_view_i32(targets, 1, &count);
    return thaw_dataset_from_arrays(context, &samples, &answers, CLASSES, data);
}

static thaw_model *make_model(thaw_context *context, const thaw_softmax_cross_entropy_options *loss)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { FEATURES } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = 6 }, &x));
    assert_ok(context, thaw_relu(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, loss, &x));
    support_optimize(model, "adam:lr=0.05");
    return model;
}

/* Trains for five steps on all samples at once, and returns the weights. */
static float *train(thaw_context *context, thaw_model *model, thaw_dataset *data, size_t *count, double *loss)
{
    const thaw_fit_options options = { .epochs = 5, .batch = SAMPLES, .no_shuffle = true };
    thaw_epoch_result epoch_result;
    assert_ok(context, thaw_fit(model, data, &options, &epoch_result));
    *loss = epoch_result.loss;
    return support_weights(model, count);
}

/* Samples that the loss ignores might as well not be there. */
static void check_trains(int32_t ignored)
{
    const thaw_softmax_cross_entropy_options ignoring = { .use_ignore_label = true, .ignore_label = ignored };
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, &ignoring), *other = make_model(context, NULL);
    thaw_dataset *all, *kept;
    size_t count, kept_count;
    double loss, kept_loss;
    make_samples(ignored);
    assert_ok(context, open_data(context, values, labels, SAMPLES, &all));
    assert_ok(context, open_data(context, kept_values, kept_labels, KEPT, &kept));
    float *found = train(context, model, all, &count, &loss);
    float *expected = train(context, other, kept, &kept_count, &kept_loss);
    cr_assert_eq(count, kept_count);
    assert_close(found, expected, count, 1e-5, "weights");
    cr_assert_float_eq(loss, kept_loss, 1e-5, "losses %g and %g", loss, kept_loss);
    free(found);
    free(expected);
    thaw_dataset_destroy(all);
    thaw_dataset_destroy(kept);
    thaw_model_destroy(model);
    thaw_model_destroy(other);
    thaw_context_destroy(context);
}

Test(ignored_label, below_the_classes_trains_as_if_its_samples_were_not_there)
{
    check_trains(IGNORED);
}

Test(ignored_label, above_the_classes_trains_as_if_its_samples_were_not_there)
{
    check_trains(255);
}

Test(ignored_label, is_refused_before_the_first_step_by_a_loss_that_does_not_ignore_it)
{
    static const struct {
        thaw_softmax_cross_entropy_options options;
        const char *message;
    } losses[] = {
        { { .name = "loss" }, "label -100 of sample 1 must be in [0, 3), and loss ignores no label" },
        { { .name = "loss", .use_ignore_label = true, .ignore_label = -1 },
          "label -100 of sample 1 must be in [0, 3), and loss ignores label -1" },
    };
    thaw_context *context = support_context(1);
    thaw_dataset *data, *test;
    make_samples(IGNORED);
    assert_ok(context, open_data(context, values, labels, SAMPLES, &data));
    assert_ok(context, open_data(context, kept_values, kept_labels, KEPT, &test));
    for (size_t i = 0; i < THAW_COUNT(losses); i++) {
        thaw_model *model = make_model(context, &losses[i].options);
        thaw_evaluation evaluation;
        assert_fails(context, thaw_fit(model, data, NULL, NULL), THAW_INVALID_ARGUMENT, losses[i].message);
        assert_fails(context, thaw_fit(model, test, &(thaw_fit_options){ .test = data }, NULL), THAW_INVALID_ARGUMENT,
                     losses[i].message);
        assert_fails(context, thaw_evaluate(model, data, 0, &evaluation), THAW_INVALID_ARGUMENT, losses[i].message);
        cr_assert_eq(thaw_parameter_steps(thaw_model_parameter(model, 0)), 0);
        thaw_model_destroy(model);
    }
    thaw_dataset_destroy(data);
    thaw_dataset_destroy(test);
    thaw_context_destroy(context);
}

Test(ignored_label, is_left_out_where_classes_are_selected)
{
    thaw_context *context = support_context(1);
    thaw_dataset *data, *selected;
    make_samples(IGNORED);
    assert_ok(context, open_data(context, values, labels, SAMPLES, &data));
    assert_ok(context, thaw_dataset_select(context, data, &(thaw_dataset_selection){ .repeat = 2 }, &selected));
    cr_assert_eq(thaw_dataset_count(selected), 2 * KEPT);
    thaw_model *model = make_model(context, NULL);
    assert_ok(context, thaw_fit(model, selected, NULL, NULL));
    thaw_model_destroy(model);
    thaw_dataset_destroy(selected);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}
