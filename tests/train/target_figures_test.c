/* Figures of regression and of several labels equal those of a naive loop in double. */
#include <math.h>
#include <string.h>

#include "data/dataset.h"
#include "support/support.h"

enum { ROWS = 300, FEATURES = 3, COLUMNS = 2 };

static float x[ROWS * FEATURES], y[ROWS * COLUMNS];

static thaw_dataset *open_rows(thaw_context *context, float offset)
{
    thaw_dataset *dataset;
    support_fill(x, ROWS * FEATURES, 5);
    support_fill(y, ROWS * COLUMNS, 6);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        y[i] += offset * (float)(i % COLUMNS);
    const thaw_tensor inputs = thaw_view_f32(x, 2, (const int64_t[]){ ROWS, FEATURES });
    const thaw_tensor targets = thaw_view_f32(y, 2, (const int64_t[]){ ROWS, COLUMNS });
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, 0, &dataset));
    return dataset;
}

static thaw_model *make_model(thaw_context *context)
{
    thaw_model *model;
    thaw_node node;
    const thaw_shape shape = { .rank = 1, .dims = { FEATURES } };
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &shape, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .units = COLUMNS }, &node));
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    return model;
}

static void check(thaw_context *context, thaw_model *model, thaw_dataset *dataset, int64_t batch, double tolerance)
{
    static float outputs[ROWS * COLUMNS];
    thaw_target_figures found[COLUMNS], all;
    const thaw_tensor inputs = thaw_view_f32(x, 2, (const int64_t[]){ ROWS, FEATURES });
    const thaw_tensor results = thaw_view_f32(outputs, 2, (const int64_t[]){ ROWS, COLUMNS });
    double r2 = 0, absolute = 0, squared = 0, right = 0;
    assert_ok(context, thaw_predict(model, &inputs, &results));
    assert_ok(context, thaw_evaluate_targets(model, dataset, batch, found, &all));
    for (size_t k = 0; k < COLUMNS; k++) {
        double mean = 0, spread = 0, mae = 0, mse = 0, share = 0;
        for (size_t i = 0; i < ROWS; i++)
            mean += (double)y[i * COLUMNS + k] / ROWS;
        for (size_t i = 0; i < ROWS; i++) {
            const double t = (double)y[i * COLUMNS + k], o = (double)outputs[i * COLUMNS + k];
            mae += fabs(o - t) / ROWS;
            mse += (o - t) * (o - t) / ROWS;
            spread += (t - mean) * (t - mean) / ROWS;
            share += (o > 0) == (t > 0.5) ? 1.0 / ROWS : 0;
        }
        cr_assert_float_eq(found[k].mae, mae, tolerance, "column %zu: %.12g, wanted %.12g", k, found[k].mae, mae);
        cr_assert_float_eq(found[k].rmse, sqrt(mse), tolerance);
        cr_assert_float_eq(found[k].r2 / (1 - mse / spread), 1, tolerance, "column %zu: %.12g, wanted %.12g", k,
                           found[k].r2, 1 - mse / spread);
        cr_assert_float_eq(found[k].accuracy, share, 1e-9);
        r2 += (1 - mse / spread) / COLUMNS;
        absolute += mae / COLUMNS;
        squared += mse / COLUMNS;
        right += share / COLUMNS;
    }
    cr_assert_float_eq(all.mae, absolute, tolerance);
    cr_assert_float_eq(all.rmse, sqrt(squared), tolerance);
    cr_assert_float_eq(all.r2 / r2, 1, tolerance);
    cr_assert_float_eq(all.accuracy, right, 1e-9);
}

Test(target_figures, equal_their_definitions)
{
    thaw_context *context = support_context(2);
    thaw_model *model = make_model(context);
    thaw_dataset *dataset = open_rows(context, 1);
    check(context, model, dataset, 0, 1e-6);
    check(context, model, dataset, 7, 1e-6);
    thaw_dataset_destroy(dataset);
    /* A mean that is far above the deviation must not cancel. */
    dataset = open_rows(context, 10000);
    check(context, model, dataset, 64, 1e-6);
    thaw_dataset_destroy(dataset);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Scaled targets: errors are those in the units of the targets, so many times larger. */
Test(target_figures, are_in_the_units_of_the_targets)
{
    thaw_target_column columns[COLUMNS] = { { 200000, 75000 }, { -3, 0.01 } };
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    thaw_dataset *dataset = open_rows(context, 1);
    thaw_target_figures raw[COLUMNS], found[COLUMNS], all;
    assert_ok(context, thaw_evaluate_targets(model, dataset, 0, raw, &all));
    assert_ok(context, thaw_target_scale_copy(context, &(thaw_target_scale){ COLUMNS, columns }, &dataset->scale));
    assert_ok(context, thaw_evaluate_targets(model, dataset, 0, found, &all));
    for (size_t k = 0; k < COLUMNS; k++) {
        const double unit = columns[k].deviation;
        cr_assert_float_eq(found[k].mae, unit * raw[k].mae, 1e-6 * unit);
        cr_assert_float_eq(found[k].rmse, unit * raw[k].rmse, 1e-6 * unit);
        cr_assert_float_eq(found[k].r2, raw[k].r2, 1e-6);
    }
    cr_assert_float_eq(all.mae, (found[0].mae + found[1].mae) / 2, 1e-6 * all.mae);
    thaw_dataset_destroy(dataset);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(target_figures, targets_without_spread_have_no_r2)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    thaw_dataset *dataset = open_rows(context, 0);
    thaw_target_figures all;
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        y[i] = 3;
    assert_ok(context, thaw_evaluate_targets(model, dataset, 0, NULL, &all));
    cr_assert(isnan(all.r2) && isfinite(all.mae) && isfinite(all.rmse));
    assert_fails(context, thaw_evaluate_targets(model, dataset, -1, NULL, &all), THAW_INVALID_ARGUMENT, "batch is -1");
    thaw_dataset_destroy(dataset);
    const int32_t labels[2] = { 0, 1 };
    const thaw_tensor inputs = thaw_view_f32(x, 2, (const int64_t[]){ 2, FEATURES });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ 2 });
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, 2, &dataset));
    assert_fails(context, thaw_evaluate_targets(model, dataset, 0, NULL, &all), THAW_INVALID_ARGUMENT,
                 "labels of classes");
    thaw_dataset_destroy(dataset);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
