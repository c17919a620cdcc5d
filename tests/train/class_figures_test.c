/* Top-5 accuracy and macro F1 of an evaluation, against loops of the test's own. The network's outputs are its inputs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/ranks.h"

enum { SAMPLES = 203, MOST_CLASSES = 12, IGNORED = 3 };

typedef struct figures_case {
    size_t classes;
    bool ignores; /* label IGNORED */
    bool equal;   /* many outputs are equal */
    float values[SAMPLES * MOST_CLASSES];
    int32_t labels[SAMPLES];
    thaw_evaluation found[MOST_RANKS];
} figures_case;

static void fill(figures_case *told)
{
    const size_t classes = told->classes;
    support_fill(told->values, SAMPLES * classes, 5);
    for (size_t i = 0; i < SAMPLES; i++) {
        told->labels[i] = (int32_t)(i * 7 % (classes - 1)); /* the last class is no sample's */
        told->values[i * classes + (size_t)told->labels[i]] += 0.5F;
    }
    for (size_t i = 0; told->equal && i < SAMPLES * classes; i++)
        told->values[i] = roundf(2 * told->values[i]);
}

static void evaluate(void *argument, const thaw_communicator *communicator)
{
    figures_case *told = argument;
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_dataset *data;
    thaw_node x;
    const int64_t count = SAMPLES, dims[] = { SAMPLES, (int64_t)told->classes };
    const thaw_tensor inputs = thaw_view_f32(told->values, 2, dims), targets = thaw_view_i32(told->labels, 1, &count);
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, told->classes, &data));
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { dims[1] } }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x,
                                                  &(thaw_softmax_cross_entropy_options){
                                                      .use_ignore_label = told->ignores, .ignore_label = IGNORED },
                                                  &x));
    thaw_evaluation *found = &told->found[communicator ? communicator->rank : 0];
    assert_ok(context, communicator ? thaw_ranks_evaluate(model, data, 16, communicator, found)
                                    : thaw_evaluate(model, data, 16, found));
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* The place of the label's output among the others, sorted, of equal ones the first first. */
static size_t rank_of(const figures_case *told, size_t i, size_t class)
{
    const float *row = &told->values[i * told->classes];
    size_t rank = 0;
    for (size_t k = 0; k < told->classes; k++)
        rank += row[k] > row[class] || (row[k] == row[class] && k < class);
    return rank;
}

static size_t prediction_of(const figures_case *told, size_t i)
{
    size_t class = 0;
    while (rank_of(told, i, class) > 0)
        class ++;
    return class;
}

/* By precision and recall: F1 = 2 P R / (P + R). */
static double f1_of(const figures_case *told, size_t class, bool *there)
{
    double right = 0, predicted = 0, labelled = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        if (told->ignores && told->labels[i] == IGNORED)
            continue;
        const bool is = told->labels[i] == (int32_t) class, said = prediction_of(told, i) == class;
        right += is && said;
        predicted += said;
        labelled += is;
    }
    *there = predicted > 0 || labelled > 0;
    if (right == 0)
        return 0;
    const double precision = right / predicted, recall = right / labelled;
    return 2 * precision * recall / (precision + recall);
}

static void check(figures_case *told)
{
    double top = 0, counted = 0, sum = 0, classes = 0;
    fill(told);
    for (size_t i = 0; i < SAMPLES; i++) {
        if (told->ignores && told->labels[i] == IGNORED)
            continue;
        counted++;
        top += rank_of(told, i, (size_t)told->labels[i]) < 5;
    }
    for (size_t c = 0; c < told->classes; c++) {
        bool there;
        sum += f1_of(told, c, &there);
        classes += there;
    }
    evaluate(told, NULL);
    const thaw_evaluation alone = told->found[0];
    cr_assert_float_eq(alone.macro_f1, sum / classes, 1e-12, "%g, not %g", alone.macro_f1, sum / classes);
    cr_assert(alone.macro_f1 > 0.1 && alone.macro_f1 < 0.99 && fabs(alone.macro_f1 - alone.accuracy) > 1e-4,
              "the data decide nothing");
    if (told->classes > 5)
        cr_assert(alone.top5_accuracy == top / counted && alone.top5_accuracy < 1, "%g, not %g", alone.top5_accuracy,
                  top / counted);
    else
        cr_assert(isnan(alone.top5_accuracy));
    for (int ranks = 2; ranks <= 3; ranks++) {
        run_ranks(ranks, evaluate, told);
        for (int i = 0; i < ranks; i++) {
            cr_assert_eq(told->found[i].macro_f1, alone.macro_f1, "rank %d of %d", i, ranks);
            cr_assert(told->classes <= 5 || told->found[i].top5_accuracy == alone.top5_accuracy);
        }
    }
}

Test(class_figures, are_those_of_plain_loops)
{
    check(&(figures_case){ .classes = 12 });
    check(&(figures_case){ .classes = 12, .equal = true });
    check(&(figures_case){ .classes = 9, .ignores = true });
    check(&(figures_case){ .classes = 6 });
    check(&(figures_case){ .classes = 5, .ignores = true });
}

/* All outputs are NaN: torch.topk gives the first five places. */
Test(class_figures, take_nan_as_the_largest)
{
    figures_case told = { .classes = 12 };
    fill(&told);
    for (size_t i = 0; i < SAMPLES * told.classes; i++)
        told.values[i] = NAN;
    size_t first = 0;
    for (size_t i = 0; i < SAMPLES; i++)
        first += told.labels[i] < 5;
    evaluate(&told, NULL);
    cr_assert_eq(told.found[0].top5_accuracy, (double)first / SAMPLES);
}
