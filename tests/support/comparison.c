#include "support/comparison.h"

#include <unistd.h>

#include "support/results.h"
#include "support/schema.h"

comparison_fixture comparison;

static const char *const one_optimizer[] = { "adam:lr=0.01" };

void comparison_make_directory(void)
{
    support_make_directory(comparison.directory);
    support_path(comparison.results, comparison.directory, "results.json");
    support_path(comparison.journal, comparison.directory, "results.json.journal");
}

void comparison_begin(void)
{
    comparison = (comparison_fixture){ .context = support_context(1) };
    comparison_make_directory();
    comparison.training = support_samples(comparison.context, 40, 2);
    comparison.test = support_samples(comparison.context, 24, 3);
}

void comparison_end(void)
{
    while (comparison.strategy_count > 0)
        thaw_strategy_destroy(comparison.context, comparison.strategies[--comparison.strategy_count]);
    thaw_dataset_destroy(comparison.training);
    thaw_dataset_destroy(comparison.test);
    thaw_context_destroy(comparison.context);
    support_remove_tree(comparison.directory);
}

void comparison_use(const char *name, const char *path)
{
    assert_ok(comparison.context, thaw_strategy_create(comparison.context, name, path,
                                                       &comparison.strategies[comparison.strategy_count++]));
}

static thaw_status build(void *user, thaw_model *model)
{
    (void)user;
    thaw_node x;
    thaw_status status = thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 9, 7, 2 } }, &x);
    if (status == THAW_OK)
        status = thaw_conv2d(model, x, &(thaw_conv2d_options){ .name = "conv", .filters = 3, .kernel = { 3, 3 } }, &x);
    if (status == THAW_OK)
        status = thaw_relu(model, x, NULL, &x);
    if (status == THAW_OK)
        status = thaw_flatten(model, x, NULL, &x);
    if (status == THAW_OK)
        status = thaw_dense(model, x, &(thaw_dense_options){ .name = "dense1", .units = 16 }, &x);
    if (status == THAW_OK)
        status = thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.25 }, &x);
    if (status == THAW_OK)
        status = thaw_dense(model, x, &(thaw_dense_options){ .name = "dense2", .units = NETWORK_CLASSES }, &x);
    return status == THAW_OK ? thaw_softmax_cross_entropy(model, x, NULL, &x) : status;
}

static bool watch(void *user, const thaw_comparison_progress *progress)
{
    (void)user;
    cr_assert(progress->run >= 1 && progress->run <= progress->runs);
    cr_assert_lt(progress->job, 2);
    return progress->run != comparison.stop_at_run || progress->training.epoch < 2;
}

thaw_comparison_options comparison_options(void)
{
    return (thaw_comparison_options){
        .build = build,
        .on_progress = watch,
        .training = comparison.training,
        .test = comparison.test,
        .strategies = (const thaw_strategy *const *)comparison.strategies,
        .strategy_count = comparison.strategy_count,
        .optimizers = one_optimizer,
        .optimizer_count = 1,
        .seeds = COMPARISON_SEEDS,
        .first_seed = 1,
        .epochs = COMPARISON_EPOCHS,
        .batch = 16,
        .cache_bytes = 1 << 20,
        .target_accuracy = 0.01,
        .results = comparison.results,
        .model = "small",
        .data = "numbers",
        .command = "none",
    };
}

thaw_comparison_options comparison_of_four_runs(void)
{
    comparison_use("full", NULL);
    comparison_use("lp-ft", NULL);
    thaw_comparison_options options = comparison_options();
    options.seeds = 2;
    return options;
}

thaw_comparison *comparison_run(const thaw_comparison_options *options)
{
    thaw_comparison *made;
    assert_ok(comparison.context, thaw_comparison_create(comparison.context, options, &made));
    assert_ok(comparison.context, thaw_comparison_run(made));
    return made;
}

void comparison_assert_refused(const thaw_comparison_options *options, thaw_status status, const char *message)
{
    thaw_comparison *made;
    assert_fails(comparison.context, thaw_comparison_create(comparison.context, options, &made), status, message);
    cr_assert_null(made);
}

thaw_configuration comparison_at(thaw_comparison *made, size_t index)
{
    thaw_configuration one;
    assert_ok(comparison.context, thaw_comparison_at(made, index, &one));
    return one;
}

json_t *comparison_load(void)
{
    json_error_t error;
    json_t *file = json_load_file(comparison.results, 0, &error);
    cr_assert_not_null(file, "%s", error.text);
    comparison_assert_schema(file);
    return file;
}

json_t *comparison_load_timeless(void)
{
    json_t *file = comparison_load();
    support_forget_times(file);
    return file;
}

void comparison_assert_no_journal(void)
{
    cr_assert_neq(access(comparison.journal, F_OK), 0);
    cr_assert_eq(support_count_entries(comparison.directory), 1);
}

void comparison_assert_schema(const json_t *value)
{
    char message[600] = "";
    json_t *schema = support_project_json("bench/results.schema.json");
    cr_assert(support_schema_holds(schema, value, message, sizeof message), "%s", message);
    json_decref(schema);
}
