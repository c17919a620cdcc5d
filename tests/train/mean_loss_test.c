/* The loss and the accuracy of a data set, which must not depend on how it is cut into batches. */
#include <math.h>

#include "support/network.h"
#include "train/mean_loss_reference.h"

enum { EPOCHS = 3, MOST_BATCH = 128 };

/* NAN equals NAN. */
static bool agrees(double found, double total, double weight)
{
    return weight > 0 ? fabs(found - total / weight) <= 1e-6 * fmax(1, fabs(total / weight)) : isnan(found);
}

static void check(const char *what, double loss, double accuracy, const mean_loss_expectation *wanted,
                  const mean_loss_case *c, int64_t batch)
{
    cr_assert(agrees(loss, wanted->total, wanted->weight), "%s, case %td, batch %lld: loss %.9g, wanted %.9g / %.9g",
              what, c - mean_loss_cases, (long long)batch, loss, wanted->total, wanted->weight);
    cr_assert(agrees(accuracy, (double)wanted->correct, (double)wanted->counted),
              "%s, case %td, batch %lld: accuracy %.9g, wanted %zu / %zu", what, c - mean_loss_cases, (long long)batch,
              accuracy, wanted->correct, wanted->counted);
}

/* ---- models ---- */

static void set_identity(thaw_model *model, const char *name)
{
    float *weight = thaw_parameter_edit(thaw_model_find_parameter(model, name));
    for (size_t i = 0; i < MEAN_LOSS_CLASSES * MEAN_LOSS_CLASSES; i++)
        weight[i] = i / MEAN_LOSS_CLASSES == i % MEAN_LOSS_CLASSES;
}

/* The layers, of which the first is frozen, before a loss is appended. */
static thaw_model *open_model(thaw_context *context, thaw_node *output)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { MEAN_LOSS_CLASSES } }, &x));
    assert_ok(context,
              thaw_dense(model, x, &(thaw_dense_options){ .name = "base", .units = MEAN_LOSS_CLASSES, .no_bias = true },
                         &x));
    assert_ok(context,
              thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = MEAN_LOSS_CLASSES, .no_bias = true },
                         output));
    set_identity(model, "base.weight");
    set_identity(model, "head.weight");
    assert_ok(context, thaw_model_freeze(model, "base"));
    return model;
}

static thaw_model *make_model(thaw_context *context, const mean_loss_case *c)
{
    thaw_node x;
    thaw_model *model = open_model(context, &x);
    const thaw_softmax_cross_entropy_options cross_entropy = {
        .reduction = c->reduction,
        .label_smoothing = c->smoothing,
        .class_weights = c->weights,
        .use_ignore_label = c->ignores,
        .ignore_label = c->ignored,
    };
    const thaw_binary_cross_entropy_options binary = { .reduction = c->reduction, .positive_weights = c->weights };
    if (c->kind == CROSS_ENTROPY)
        assert_ok(context, thaw_softmax_cross_entropy(model, x, &cross_entropy, &x));
    else if (c->kind == SQUARED_ERROR)
        assert_ok(context, thaw_mse(model, x, &(thaw_mse_options){ .reduction = c->reduction }, &x));
    else
        assert_ok(context, thaw_binary_cross_entropy(model, x, &binary, &x));
    support_optimize(model, "sgd:lr=0");
    return model;
}

static thaw_tensor view_samples(size_t begin, size_t end)
{
    return thaw_view_f32(mean_loss_logits + begin * MEAN_LOSS_CLASSES, 2,
                         (int64_t[]){ (int64_t)(end - begin), MEAN_LOSS_CLASSES });
}

static thaw_tensor view_targets(loss_kind kind, size_t begin, size_t end)
{
    const int64_t dims[] = { (int64_t)(end - begin), MEAN_LOSS_CLASSES };
    return kind == CROSS_ENTROPY ? thaw_view_i32(mean_loss_labels + begin, 1, dims)
                                 : thaw_view_f32(mean_loss_answers + begin * MEAN_LOSS_CLASSES, 2, dims);
}

static thaw_dataset *open_data(thaw_context *context, loss_kind kind)
{
    const thaw_tensor samples = view_samples(0, MEAN_LOSS_SAMPLES), targets = view_targets(kind, 0, MEAN_LOSS_SAMPLES);
    thaw_dataset *data;
    assert_ok(context, thaw_dataset_from_arrays(context, &samples, &targets,
                                                kind == CROSS_ENTROPY ? MEAN_LOSS_CLASSES : 0, &data));
    return data;
}

/* ---- evaluation and training ---- */

static void check_evaluation(thaw_model *model, thaw_dataset *data, const mean_loss_case *c, int64_t batch)
{
    const mean_loss_expectation wanted = mean_loss_expect(c, 0, MEAN_LOSS_SAMPLES);
    thaw_evaluation found;
    assert_ok(thaw_model_context(model), thaw_evaluate(model, data, batch, &found));
    check("evaluation", found.loss, found.accuracy, &wanted, c, batch);
    cr_assert_eq(found.samples, MEAN_LOSS_SAMPLES);
}

/* What callbacks compare with. */
typedef struct fit_check {
    const mean_loss_case *loss;
    int64_t batch;
    size_t epochs, cached_epochs, steps;
} fit_check;

static bool check_progress(void *user, const thaw_progress *progress)
{
    fit_check *seen = user;
    const size_t end = progress->step * (size_t)seen->batch;
    const mean_loss_expectation wanted =
        mean_loss_expect(seen->loss, 0, end < MEAN_LOSS_SAMPLES ? end : MEAN_LOSS_SAMPLES);
    cr_assert(agrees(progress->loss, wanted.total, wanted.weight),
              "case %td, batch %lld, step %zu: loss %.9g, wanted %.9g / %.9g", seen->loss - mean_loss_cases,
              (long long)seen->batch, progress->step, progress->loss, wanted.total, wanted.weight);
    seen->steps++;
    return true;
}

static bool check_epoch(void *user, const thaw_epoch_result *epoch_result)
{
    fit_check *seen = user;
    const mean_loss_expectation wanted = mean_loss_expect(seen->loss, 0, MEAN_LOSS_SAMPLES);
    check(epoch_result->cached ? "cached epoch" : "epoch", epoch_result->loss, epoch_result->accuracy, &wanted,
          seen->loss, seen->batch);
    check("test", epoch_result->test_loss, epoch_result->test_accuracy, &wanted, seen->loss, seen->batch);
    seen->epochs++;
    seen->cached_epochs += epoch_result->cached;
    return true;
}

static void check_training(thaw_model *model, thaw_dataset *data, const mean_loss_case *c, int64_t batch)
{
    fit_check seen = { .loss = c, .batch = batch };
    const thaw_fit_options options = {
        .epochs = EPOCHS,
        .batch = batch,
        .no_shuffle = true,
        .test = data,
        .cache_bytes = 1 << 20,
        .on_epoch = check_epoch,
        .on_step = check_progress,
        .user = &seen,
    };
    assert_ok(thaw_model_context(model), thaw_fit(model, data, &options, NULL));
    cr_assert_eq(seen.epochs, EPOCHS);
    cr_assert_eq(seen.cached_epochs, EPOCHS - 1, "%zu epochs from the cache", seen.cached_epochs);
    cr_assert_eq(seen.steps, EPOCHS * ((MEAN_LOSS_SAMPLES + (size_t)batch - 1) / (size_t)batch));
}

/* With batches of 1 to 4, of which the last is partial, the whole data set, and more. */
static void check_batches(const mean_loss_case *c,
                          void (*check_one)(thaw_model *, thaw_dataset *, const mean_loss_case *, int64_t))
{
    static const int64_t batches[] = { 1, 2, 3, 4, MEAN_LOSS_SAMPLES, MOST_BATCH };
    mean_loss_fill(c);
    thaw_context *context = support_context(2);
    thaw_model *model = make_model(context, c);
    thaw_dataset *data = open_data(context, c->kind);
    for (size_t i = 0; i < THAW_COUNT(batches); i++)
        check_one(model, data, c, batches[i]);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(mean_loss, is_what_evaluation_finds_with_any_batch)
{
    for (size_t i = 0; i < MEAN_LOSS_CASES; i++)
        check_batches(&mean_loss_cases[i], check_evaluation);
}

Test(mean_loss, is_what_training_reports_with_any_batch_from_the_cache_too)
{
    for (size_t i = 0; i < MEAN_LOSS_CASES; i++)
        check_batches(&mean_loss_cases[i], check_training);
}

Test(mean_loss, adds_up_over_steps_of_different_sizes)
{
    static const size_t ends[] = { 2, 3, 7, MEAN_LOSS_SAMPLES };
    for (size_t i = 0; i < MEAN_LOSS_CASES; i++) {
        const mean_loss_case *c = &mean_loss_cases[i];
        mean_loss_fill(c);
        thaw_context *context = support_context(1);
        thaw_model *model = make_model(context, c);
        double total = 0, weight = 0;
        for (size_t k = 0, begin = 0; k < THAW_COUNT(ends); begin = ends[k++]) {
            const thaw_tensor inputs = view_samples(begin, ends[k]), targets = view_targets(c->kind, begin, ends[k]);
            const mean_loss_expectation wanted = mean_loss_expect(c, begin, ends[k]);
            thaw_step_result result;
            assert_ok(context, thaw_step(model, &inputs, &targets, NULL, &result));
            cr_assert_eq(result.correct, wanted.correct);
            cr_assert_eq(result.counted, wanted.counted);
            total += result.loss_total;
            weight += result.loss_weight;
        }
        const mean_loss_expectation wanted = mean_loss_expect(c, 0, MEAN_LOSS_SAMPLES);
        cr_assert(agrees(total / weight, wanted.total, wanted.weight), "case %zu: %.9g, wanted %.9g / %.9g", i,
                  total / weight, wanted.total, wanted.weight);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

/* A sum of squares: 1 for each sample, however many there are. */
Test(mean_loss, of_four_samples_of_loss_1_is_1)
{
    const mean_loss_case c = { .kind = SQUARED_ERROR, .reduction = THAW_REDUCE_SUM };
    float samples[4 * MEAN_LOSS_CLASSES] = { 0 },
                      targets[4 * MEAN_LOSS_CLASSES] = { 1, 0, 0, 0, 1, 0, 0, 0, -1, -1, 0, 0 };
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, &c);
    const thaw_tensor inputs = thaw_view_f32(samples, 2, (int64_t[]){ 4, MEAN_LOSS_CLASSES });
    const thaw_tensor wanted = thaw_view_f32(targets, 2, (int64_t[]){ 4, MEAN_LOSS_CLASSES });
    thaw_dataset *data;
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &wanted, 0, &data));
    for (int64_t batch = 1; batch <= 5; batch++) {
        thaw_evaluation found;
        thaw_epoch_result epoch_result;
        assert_ok(context, thaw_evaluate(model, data, batch, &found));
        assert_ok(context, thaw_fit(model, data, &(thaw_fit_options){ .batch = batch }, &epoch_result));
        cr_assert(found.loss == 1 && epoch_result.loss == 1, "batch %lld: evaluation %g, training %g", (long long)batch,
                  found.loss, epoch_result.loss);
    }
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(mean_loss, is_no_number_where_nothing_counts)
{
    const mean_loss_case c = { .kind = CROSS_ENTROPY, .ignores = true, .ignored = -100 };
    mean_loss_fill(&c);
    for (size_t n = 0; n < MEAN_LOSS_SAMPLES; n++)
        mean_loss_labels[n] = -100;
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, &c);
    thaw_dataset *data = open_data(context, c.kind);
    thaw_evaluation found;
    thaw_epoch_result epoch_result;
    assert_ok(context, thaw_evaluate(model, data, 4, &found));
    assert_ok(context, thaw_fit(model, data, &(thaw_fit_options){ .batch = 4 }, &epoch_result));
    cr_assert(isnan(found.loss) && isnan(found.accuracy), "loss %g, accuracy %g", found.loss, found.accuracy);
    cr_assert(isnan(epoch_result.loss) && isnan(epoch_result.accuracy), "loss %g, accuracy %g", epoch_result.loss,
              epoch_result.accuracy);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
