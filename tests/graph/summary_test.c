#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/toy_network.h"

static thaw_summary_entry find_row(thaw_model *model, const char *name)
{
    thaw_summary_entry row = { 0 };
    for (size_t i = 0; i < thaw_model_node_count(model); i++) {
        assert_ok(thaw_model_context(model), thaw_model_summary_entry(model, i, &row));
        if (strcmp(row.name, name) == 0)
            return row;
    }
    cr_assert_fail("no row %s", name);
    return row;
}

static thaw_model *build(thaw_context *context, const char *name, size_t classes)
{
    thaw_model *model = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, name, classes));
    return model;
}

static void assert_totals(const thaw_model *model, size_t total, size_t trainable, size_t statistics)
{
    const thaw_summary_totals totals = thaw_model_summary_totals(model);
    cr_assert_eq(totals.total_parameters, total, "%zu parameters, wanted %zu", totals.total_parameters, total);
    cr_assert_eq(totals.trainable_parameters, trainable, "%zu train, wanted %zu", totals.trainable_parameters,
                 trainable);
    cr_assert_eq(totals.non_trainable_parameters, total - trainable);
    cr_assert_eq(totals.statistics, statistics);
}

/* Keras prints these figures for its MNIST transfer example. */
Test(summary, counts_the_transfer_network_as_published)
{
    thaw_context *context = support_context(1);
    thaw_model *model = build(context, "transfer-cnn", 5);
    assert_totals(model, 320 + 9248 + 589952 + 645, 600165, 0);
    cr_assert_eq(find_row(model, "conv1").parameters, 320);
    cr_assert_eq(find_row(model, "conv2").parameters, 9248);
    cr_assert_eq(find_row(model, "dense1").parameters, 589952);
    cr_assert_eq(find_row(model, "dense2").parameters, 645);
    const thaw_summary_entry conv = find_row(model, "conv2");
    cr_assert_str_eq(conv.kind, "conv2d");
    cr_assert(thaw_shape_equal(&conv.output_shape, &(thaw_shape){ 3, { 24, 24, 32 } }));
    assert_ok(context, thaw_model_freeze(model, "conv*"));
    assert_totals(model, 600165, 590597, 0);
    cr_assert_eq(find_row(model, "conv2").trainable, 0);
    cr_assert_eq(find_row(model, "dense1").trainable, 589952);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A bias is no matrix. */
Test(summary, tells_which_parameters_go_to_a_fallback)
{
    thaw_context *context = support_context(1);
    thaw_model *model = build(context, "transfer-cnn", 5);
    thaw_optimizer *muon, *adam;
    char *text;
    assert_ok(context, thaw_optimizer_create(context, "muon:lr=0.02", &muon));
    assert_ok(context, thaw_optimizer_create(context, "adam", &adam));
    assert_ok(context, thaw_select_optimizer(model, "*", muon));
    assert_ok(context, thaw_select_optimizer(model, "dense2", adam));
    cr_assert_str_eq(find_row(model, "conv2").optimizer, "muon");
    cr_assert_str_eq(find_row(model, "conv2").fallback, "adamw");
    cr_assert_str_eq(find_row(model, "dense2").optimizer, "adam");
    cr_assert_null(find_row(model, "dense2").fallback);
    cr_assert_null(find_row(model, "flatten1").fallback);
    assert_ok(context, thaw_model_summary(model, &text));
    cr_assert_not_null(strstr(text, "trainable 0.02 muon, adamw for bias\n"), "%s", text);
    cr_assert_not_null(strstr(text, "trainable 0.001 adam\n"), "%s", text);
    thaw_text_destroy(context, text);
    thaw_optimizer_destroy(muon);
    thaw_optimizer_destroy(adam);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(summary, counts_the_other_networks_as_by_hand)
{
    const struct {
        const char *name;
        size_t parameters;
    } cases[] = {
        { "cnn-8-16", 8 * (9 + 1) + 16 * (8 * 9 + 1) + 10 * (7 * 7 * 16 + 1) },
        { "mlp-512", 512 * (784 + 1) + 512 * (512 + 1) + 10 * (512 + 1) },
        { "mlp-500", 500 * (784 + 1) + 10 * (500 + 1) },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_model *model = build(context, cases[i].name, 0);
        assert_totals(model, cases[i].parameters, cases[i].parameters, 0);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

/* Two scales and a center, whose statistic has three elements; c's factor frozen alone. */
static thaw_model *with_statistics(thaw_context *context)
{
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "a", 0, -1);
    toy_append(model, &toy_center, "b", 1, -1);
    toy_append(model, &toy_center, "c", 2, -1);
    assert_ok(context, thaw_model_freeze(model, "c.factor"));
    return model;
}

Test(summary, counts_statistics_apart)
{
    thaw_context *context = support_context(1);
    thaw_model *model = with_statistics(context);
    assert_totals(model, 3, 2, 6);
    const thaw_summary_entry row = find_row(model, "b");
    cr_assert_eq(row.parameters, 1);
    cr_assert_eq(row.trainable, 1);
    cr_assert_eq(row.statistics, 3);
    assert_ok(context, thaw_model_unfreeze(model, "*"));
    assert_totals(model, 3, 3, 6);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(summary, gives_the_rate_in_effect_and_the_optimizers_name)
{
    thaw_context *context = support_context(1);
    thaw_model *model = with_statistics(context);
    assert_ok(context, thaw_select_learning_rate(model, "b", 0.5));
    cr_assert(isnan(find_row(model, "b").learning_rate), "without an optimizer there is no rate");
    cr_assert_null(find_row(model, "b").optimizer);
    thaw_optimizer *adam;
    assert_ok(context, thaw_optimizer_create(context, "adam:lr=0.125", &adam));
    assert_ok(context, thaw_select_optimizer(model, "[ab]", adam));
    thaw_optimizer_destroy(adam);
    cr_assert_eq(find_row(model, "a").learning_rate, 0.125);
    cr_assert_eq(find_row(model, "b").learning_rate, 0.5);
    cr_assert_str_eq(find_row(model, "b").optimizer, "adam");
    cr_assert(isnan(find_row(model, "c").learning_rate));
    cr_assert(isnan(find_row(model, "input").learning_rate));
    cr_assert_str_eq(find_row(model, "input").kind, "input");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(summary, has_no_entry_past_the_last)
{
    thaw_context *context = support_context(1);
    thaw_model *model = with_statistics(context);
    thaw_summary_entry row;
    assert_fails(context, thaw_model_summary_entry(model, 4, &row), THAW_INVALID_ARGUMENT,
                 "entry is 4, must be below 4");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* The table's line of a layer. */
static void copy_line(const char *table, const char *name, char line[256])
{
    const char *found = strstr(table, name);
    cr_assert_not_null(found, "no line %s", name);
    snprintf(line, 256, "%.*s", (int)strcspn(found, "\n"), found);
}

Test(summary, as_text_shows_each_layer_and_the_totals)
{
    thaw_context *context = support_context(1);
    thaw_model *model = with_statistics(context);
    thaw_optimizer *sgd;
    char *text, line[256];
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=0.0625", &sgd));
    assert_ok(context, thaw_select_optimizer(model, "*", sgd));
    thaw_optimizer_destroy(sgd);
    assert_ok(context, thaw_model_summary(model, &text));
    copy_line(text, "b  ", line);
    cr_assert(strstr(line, "center") && strstr(line, "[3]") && strstr(line, "trainable") && strstr(line, "0.0625 sgd"),
              "%s", line);
    copy_line(text, "c  ", line);
    cr_assert(strstr(line, "frozen") && !strstr(line, "sgd"), "%s", line);
    cr_assert(strstr(text, "total parameters 3, trainable 2, non-trainable 1, statistics 6\n"), "%s", text);
    thaw_text_destroy(context, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
