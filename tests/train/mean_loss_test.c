/* The loss and the accuracy of a data set, which must not depend on how it is cut into batches. */
#include <math.h>

#include "support/network.h"

enum { SAMPLES = 11, CLASSES = 3, EPOCHS = 3, ANY = -1, MOST_BATCH = 128 };

/* The second layer trains with a rate of 0, and both are the identity: the samples are the logits. */
static float logits[SAMPLES * CLASSES], answers[SAMPLES * CLASSES];
static int32_t labels[SAMPLES];

/* Where the label is ignored, or any if none is: there are batches of 1, 2 and 3 of which nothing counts. */
static const int32_t pattern[SAMPLES] = { ANY, ANY, 0, 1, 2, ANY, ANY, ANY, ANY, 1, 0 };

static const float class_weights[CLASSES] = { 0.5F, 2, 1.25F }, some_weights[CLASSES] = { 0.5F, 0, 3 };

typedef enum loss_kind { CROSS_ENTROPY, SQUARED_ERROR, BINARY_CROSS_ENTROPY } loss_kind;

typedef struct loss_case {
    loss_kind kind;
    thaw_reduction reduction;
    double smoothing;
    const float *weights; /* of classes, or of positive targets */
    bool ignores;
    int32_t ignored;
} loss_case;

static const loss_case cases[] = {
    { CROSS_ENTROPY, THAW_REDUCE_MEAN, 0, NULL, false, 0 },
    { CROSS_ENTROPY, THAW_REDUCE_SUM, 0, NULL, false, 0 },
    { CROSS_ENTROPY, THAW_REDUCE_MEAN, 0, NULL, true, -100 },
    { CROSS_ENTROPY, THAW_REDUCE_SUM, 0, NULL, true, -100 },
    { CROSS_ENTROPY, THAW_REDUCE_MEAN, 0, class_weights, false, 0 },
    { CROSS_ENTROPY, THAW_REDUCE_SUM, 0, class_weights, false, 0 },
    { CROSS_ENTROPY, THAW_REDUCE_MEAN, 0.25, class_weights, true, 2 },
    { CROSS_ENTROPY, THAW_REDUCE_MEAN, 0.25, some_weights, false, 0 },
    { CROSS_ENTROPY, THAW_REDUCE_SUM, 0.25, some_weights, true, 255 },
    { SQUARED_ERROR, THAW_REDUCE_MEAN, 0, NULL, false, 0 },
    { SQUARED_ERROR, THAW_REDUCE_SUM, 0, NULL, false, 0 },
    { BINARY_CROSS_ENTROPY, THAW_REDUCE_MEAN, 0, class_weights, false, 0 },
    { BINARY_CROSS_ENTROPY, THAW_REDUCE_SUM, 0, class_weights, false, 0 },
};

static void make_samples(const loss_case *c)
{
    support_fill(logits, SAMPLES * CLASSES, 3);
    support_fill(answers, SAMPLES * CLASSES, 4);
    for (size_t i = 0; i < SAMPLES * CLASSES; i++) {
        logits[i] *= 3;
        answers[i] = fabsf(answers[i]);
    }
    for (size_t n = 0; n < SAMPLES; n++) {
        labels[n] = pattern[n];
        if (labels[n] == ANY)
            labels[n] = c->ignores ? c->ignored : (int32_t)(n % CLASSES);
    }
}

/* ---- what must come out ---- */

typedef struct expectation {
    double total, weight; /* of the loss */
    size_t correct, counted;
} expectation;

static void expect_cross_entropy(const loss_case *c, size_t n, expectation *sum)
{
    const float *z = logits + n * CLASSES;
    const int32_t label = labels[n];
    if (c->ignores && label == c->ignored)
        return;
    double exponentials = 0;
    size_t best = 0;
    for (size_t k = 0; k < CLASSES; k++) {
        exponentials += exp((double)z[k]);
        best = z[k] > z[best] ? k : best;
    }
    for (size_t k = 0; k < CLASSES; k++) {
        const double weight = c->weights ? (double)c->weights[k] : 1;
        const double target = (1 - c->smoothing) * (label == (int32_t)k) + c->smoothing / CLASSES;
        sum->total -= weight * target * ((double)z[k] - log(exponentials));
    }
    sum->weight += c->reduction == THAW_REDUCE_MEAN && c->weights ? (double)c->weights[label] : 1;
    sum->correct += label == (int32_t)best;
    sum->counted++;
}

static void expect_elements(const loss_case *c, size_t n, expectation *sum)
{
    double loss = 0;
    for (size_t k = 0; k < CLASSES; k++) {
        const double x = (double)logits[n * CLASSES + k], t = (double)answers[n * CLASSES + k];
        const double share = 1 / (1 + exp(-x));
        loss += c->kind == SQUARED_ERROR ? (x - t) * (x - t)
                                         : -(double)c->weights[k] * t * log(share) - (1 - t) * log(1 - share);
    }
    sum->total += c->reduction == THAW_REDUCE_MEAN ? loss / CLASSES : loss;
    sum->weight++;
}

/* Of samples [begin, end). */
static expectation expect(const loss_case *c, size_t begin, size_t end)
{
    expectation sum = { 0 };
    for (size_t n = begin; n < end; n++)
        if (c->kind == CROSS_ENTROPY)
            expect_cross_entropy(c, n, &sum);
        else
            expect_elements(c, n, &sum);
    return sum;
}

/* NAN equals NAN. */
static bool agrees(double found, double total, double weight)
{
    return weight > 0 ? fabs(found - total / weight) <= 1e-6 * fmax(1, fabs(total / weight)) : isnan(found);
}

static void check(const char *what, double loss, double accuracy, const expectation *wanted, const loss_case *c,
                  int64_t batch)
{
    cr_assert(agrees(loss, wanted->total, wanted->weight), "%s, case %td, batch %lld: loss %.9g, wanted %.9g / %.9g",
              what, c - cases, (long long)batch, loss, wanted->total, wanted->weight);
    cr_assert(agrees(accuracy, (double)wanted->correct, (double)wanted->counted),
              "%s, case %td, batch %lld: accuracy %.9g, wanted %zu / %zu", what, c - cases, (long long)batch, accuracy,
              wanted->correct, wanted->counted);
}

/* ---- models ---- */

static void set_identity(thaw_model *model, const char *name)
{
    float *weight = thaw_parameter_edit(thaw_model_find_parameter(model, name));
    for (size_t i = 0; i < CLASSES * CLASSES; i++)
        weight[i] = i / CLASSES == i % CLASSES;
}

/* The layers, of which the first is frozen, before a loss is appended. */
static thaw_model *open_model(thaw_context *context, thaw_node *output)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { CLASSES } }, &x));
    assert_ok(context,
              thaw_dense(model, x, &(thaw_dense_options){ .name = "base", .units = CLASSES, .no_bias = true }, &x));
    assert_ok(context,
              thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = CLASSES, .no_bias = true }, output));
    set_identity(model, "base.weight");
    set_identity(model, "head.weight");
    assert_ok(context, thaw_model_freeze(model, "base"));
    return model;
}

static thaw_model *make_model(thaw_context *context, const loss_case *c)
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
    return thaw_view_f32(logits + begin * CLASSES, 2, (int64_t[]){ (int64_t)(end - begin), CLASSES });
}

static thaw_tensor view_targets(loss_kind kind, size_t begin, size_t end)
{
    const int64_t dims[] = { (int64_t)(end - begin), CLASSES };
    return kind == CROSS_ENTROPY ? thaw_view_i32(labels + begin, 1, dims)
                                 : thaw_view_f32(answers + begin * CLASSES, 2, dims);
}

static thaw_dataset *open_data(thaw_context *context, loss_kind kind)
{
    const thaw_tensor samples = view_samples(0, SAMPLES), targets = view_targets(kind, 0, SAMPLES);
    thaw_dataset *data;
    assert_ok(context,
              thaw_dataset_from_arrays(context, &samples, &targets, kind == CROSS_ENTROPY ? CLASSES : 0, &data));
    return data;
}

/* ---- evaluation and training ---- */

static void check_evaluation(thaw_model *model, thaw_dataset *data, const loss_case *c, int64_t batch)
{
    const expectation wanted = expect(c, 0, SAMPLES);
    thaw_evaluation found;
    assert_ok(thaw_model_context(model), thaw_evaluate(model, data, batch, &found));
    check("evaluation", found.loss, found.accuracy, &wanted, c, batch);
    cr_assert_eq(found.samples, SAMPLES);
}

/* What callbacks compare with. */
typedef struct fit_check {
    const loss_case *loss;
    int64_t batch;
    size_t epochs, cached_epochs, steps;
} fit_check;

static bool check_progress(void *user, const thaw_progress *progress)
{
    fit_check *seen = user;
    const size_t end = progress->step * (size_t)seen->batch;
    const expectation wanted = expect(seen->loss, 0, end < SAMPLES ? end : SAMPLES);
    cr_assert(agrees(progress->loss, wanted.total, wanted.weight),
              "case %td, batch %lld, step %zu: loss %.9g, wanted %.9g / %.9g", seen->loss - cases,
              (long long)seen->batch, progress->step, progress->loss, wanted.total, wanted.weight);
    seen->steps++;
    return true;
}

static bool check_epoch(void *user, const thaw_epoch_result *epoch_result)
{
    fit_check *seen = user;
    const expectation wanted = expect(seen->loss, 0, SAMPLES);
    check(epoch_result->cached ? "cached epoch" : "epoch", epoch_result->loss, epoch_result->accuracy, &wanted,
          seen->loss, seen->batch);
    check("test", epoch_result->test_loss, epoch_result->test_accuracy, &wanted, seen->loss, seen->batch);
    seen->epochs++;
    seen->cached_epochs += epoch_result->cached;
    return true;
}

static void check_training(thaw_model *model, thaw_dataset *data, const loss_case *c, int64_t batch)
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
    cr_assert_eq(seen.steps, EPOCHS * ((SAMPLES + (size_t)batch - 1) / (size_t)batch));
}

/* With batches of 1 to 4, of which the last is partial, the whole data set, and more. */
static void check_batches(const loss_case *c,
                          void (*check_one)(thaw_model *, thaw_dataset *, const loss_case *, int64_t))
{
    static const int64_t batches[] = { 1, 2, 3, 4, SAMPLES, MOST_BATCH };
    make_samples(c);
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
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        check_batches(&cases[i], check_evaluation);
}

Test(mean_loss, is_what_training_reports_with_any_batch_from_the_cache_too)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        check_batches(&cases[i], check_training);
}

Test(mean_loss, adds_up_over_steps_of_different_sizes)
{
    static const size_t ends[] = { 2, 3, 7, SAMPLES };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const loss_case *c = &cases[i];
        make_samples(c);
        thaw_context *context = support_context(1);
        thaw_model *model = make_model(context, c);
        double total = 0, weight = 0;
        for (size_t k = 0, begin = 0; k < THAW_COUNT(ends); begin = ends[k++]) {
            const thaw_tensor inputs = view_samples(begin, ends[k]), targets = view_targets(c->kind, begin, ends[k]);
            const expectation wanted = expect(c, begin, ends[k]);
            thaw_step_result result;
            assert_ok(context, thaw_step(model, &inputs, &targets, NULL, &result));
            cr_assert_eq(result.correct, wanted.correct);
            cr_assert_eq(result.counted, wanted.counted);
            total += result.loss_total;
            weight += result.loss_weight;
        }
        const expectation wanted = expect(c, 0, SAMPLES);
        cr_assert(agrees(total / weight, wanted.total, wanted.weight), "case %zu: %.9g, wanted %.9g / %.9g", i,
                  total / weight, wanted.total, wanted.weight);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

/* A sum of squares: 1 for each sample, however many there are. */
Test(mean_loss, of_four_samples_of_loss_1_is_1)
{
    const loss_case c = { .kind = SQUARED_ERROR, .reduction = THAW_REDUCE_SUM };
    float samples[4 * CLASSES] = { 0 }, targets[4 * CLASSES] = { 1, 0, 0, 0, 1, 0, 0, 0, -1, -1, 0, 0 };
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context, &c);
    const thaw_tensor inputs = thaw_view_f32(samples, 2, (int64_t[]){ 4, CLASSES });
    const thaw_tensor wanted = thaw_view_f32(targets, 2, (int64_t[]){ 4, CLASSES });
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
    const loss_case c = { .kind = CROSS_ENTROPY, .ignores = true, .ignored = -100 };
    make_samples(&c);
    for (size_t n = 0; n < SAMPLES; n++)
        labels[n] = -100;
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
