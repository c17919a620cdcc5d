/* Averaged weights beside a plain loop in double over the weights after each step, frozen ones too. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/combined_network.h"
#include "support/files.h"
#include "support/mixed_network.h"

enum { SAMPLES = 40, BATCH = 8, STEPS = SAMPLES / BATCH, EPOCHS = 6, MOST_PARAMETERS = 64 };

/* ---------------------------------------------------------------- the loop */

typedef struct shadow {
    thaw_parameter *parameters[MOST_PARAMETERS];
    double *values[MOST_PARAMETERS];
    size_t count;
    int updates;
    thaw_model *model;
} shadow;

static size_t count_of(const thaw_parameter *parameter)
{
    return thaw_shape_count(thaw_parameter_shape(parameter));
}

/* Adds what the model has by now: parameters that are not statistics. */
static void watch(shadow *own)
{
    for (size_t i = 0; i < thaw_model_parameter_count(own->model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(own->model, i);
        bool known = thaw_parameter_role(parameter) == THAW_STATISTIC;
        for (size_t k = 0; k < own->count && !known; k++)
            known = own->parameters[k] == parameter;
        if (known)
            continue;
        const float *data = thaw_parameter_data(parameter);
        double *values = malloc(count_of(parameter) * sizeof *values);
        for (size_t k = 0; k < count_of(parameter); k++)
            values[k] = data[k];
        own->parameters[own->count] = parameter;
        own->values[own->count++] = values;
    }
}

static void average(shadow *own, double decay)
{
    const double rest = own->updates++ == 0 ? 1 : 1 - decay;
    for (size_t i = 0; i < own->count; i++) {
        const float *data = thaw_parameter_data(own->parameters[i]);
        for (size_t k = 0; k < count_of(own->parameters[i]); k++)
            own->values[i][k] += rest * ((double)data[k] - own->values[i][k]);
    }
}

static void compare(const shadow *own, const char *what)
{
    for (size_t i = 0; i < own->count; i++) {
        const float *data = thaw_parameter_data(own->parameters[i]);
        for (size_t k = 0; k < count_of(own->parameters[i]); k++)
            cr_assert(fabs((double)data[k] - own->values[i][k]) <= 2e-6 * fmax(1, fabs(own->values[i][k])),
                      "%s: element %zu of %s is %.9g, the loop has %.9g", what, k,
                      thaw_parameter_name(own->parameters[i]), (double)data[k], own->values[i][k]);
    }
}

static void forget(shadow *own)
{
    for (size_t i = 0; i < own->count; i++)
        free(own->values[i]);
}

static void on_rule(void *user, const thaw_rule_effect *effect)
{
    (void)effect;
    watch(user);
}

/* ---------------------------------------------------------------- runs */

typedef struct run {
    const char *name;
    thaw_model *(*build)(thaw_context *context);
    void (*before)(thaw_model *model, size_t step); /* each step, from 0; may be NULL */
    thaw_fit_options options;
    bool bfloat16;
    int threads;
} run;

static thaw_model *build(const run *taken, thaw_context *context)
{
    thaw_model *model = taken->build(context);
    support_optimize(model, "adam:lr=0.02");
    if (taken->bfloat16)
        assert_ok(context, thaw_model_set_precision(model, &(thaw_precision){ .all = THAW_BF16, .emulated = true }));
    return model;
}

static void check(const run *taken)
{
    thaw_context *context = support_context(taken->threads ? taken->threads : 2);
    thaw_model *model = build(taken, context);
    thaw_dataset *data = support_samples(context, SAMPLES, 3), *test = support_samples(context, 20, 4);
    thaw_fit_options options = taken->options;
    options.epochs = EPOCHS;
    options.batch = BATCH;
    options.test = test;
    options.on_rule = on_rule;
    thaw_trainer *trainer;
    shadow own = { .model = model };
    options.user = &own;
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    for (size_t step = 0; step < STEPS * EPOCHS; step++) {
        if (taken->before)
            taken->before(model, step);
        watch(&own);
        assert_ok(context, thaw_trainer_step(trainer, NULL));
        average(&own, options.average_decay);
        if (step % 7 != 2)
            continue;
        assert_ok(context, thaw_trainer_use_average(trainer, true));
        compare(&own, taken->name);
        if (step % 2)
            assert_ok(context, thaw_trainer_use_average(trainer, false)); /* else the next step does it */
    }
    assert_ok(context, thaw_trainer_use_average(trainer, true));
    compare(&own, taken->name);
    thaw_trainer_destroy(trainer);
    forget(&own);
    thaw_dataset_destroy(data);
    thaw_dataset_destroy(test);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_model *plain(thaw_context *context)
{
    return support_network(context, true);
}

/* Thaws late, freezes again, thaws once more; dense2 never trains. */
static void freeze_and_thaw(thaw_model *model, size_t step)
{
    if (step == 0)
        support_train_only(model, 1 << 4);
    else if (step == 4)
        support_train_only(model, 1 << 4 | 1 << 2);
    else if (step == 9)
        support_train_only(model, 1 << 4 | 1 << 1 | 1);
    else if (step == 13)
        support_train_only(model, 1 << 4 | 1 << 2);
    else if (step == 23)
        support_train_only(model, 1 << 4 | 1 << 1);
}

static void freeze_slice(thaw_model *model, size_t step)
{
    if (step == 3)
        assert_ok(thaw_model_context(model), thaw_freeze_slice(model, "dense1.weight", 0, 0, 3));
}

static thaw_model *combined(thaw_context *context)
{
    return support_combined_network(context);
}

Test(average, is_that_of_a_plain_loop)
{
    check(&(run){ .name = "plain", .build = plain, .options = { .average_decay = 0.9 } });
    check(&(run){ .name = "fast", .build = plain, .options = { .average_decay = 0.2 } });
    check(
        &(run){ .name = "shards", .build = plain, .options = { .average_decay = 0.9, .shards = 4, .clip_norm = 0.1 } });
    check(&(run){ .name = "combined", .build = combined, .options = { .average_decay = 0.9 } });
    check(&(run){ .name = "slice", .build = plain, .before = freeze_slice, .options = { .average_decay = 0.9 } });
}

Test(average, follows_what_freezes_and_thaws)
{
    check(&(run){ .name = "thawing", .build = plain, .before = freeze_and_thaw, .options = { .average_decay = 0.9 } });
    check(&(run){ .name = "cached",
                  .build = plain,
                  .before = NULL,
                  .options = { .average_decay = 0.8, .cache_bytes = 1 << 20 } });
}

Test(average, works_in_bfloat16)
{
    skip_without_bfloat16();
    check(&(run){ .name = "bf16", .build = plain, .options = { .average_decay = 0.9 }, .bfloat16 = true });
}

/* Gradual unfreezing with adapters that a rule adds. */
Test(average, begins_with_rules)
{
    const thaw_strategy_rule rules[] = {
        { .epoch = 1, .pattern = "*", .action = THAW_ACTION_FREEZE },
        { .epoch = 1, .pattern = "dense3", .action = THAW_ACTION_UNFREEZE },
        { .epoch = 2, .pattern = "dense1.weight", .action = THAW_ACTION_LORA, .value = 2 },
        { .epoch = 4, .pattern = "conv2", .action = THAW_ACTION_UNFREEZE },
    };
    const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = THAW_COUNT(rules) };
    check(&(run){ .name = "rules",
                  .build = plain,
                  .options = { .average_decay = 0.9, .strategy = &strategy, .cache_bytes = 1 << 20 } });
}

/* The gradient of the first batch overflows; see step_test.c. The first update is then the second step, and copies. */
Test(average, does_not_count_skipped_steps)
{
    static const float samples[] = { 1e30F, 0, 1, 2 }, wanted[] = { 3, 4 }, weight[] = { 1e-12F, 0 };
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_dataset *data;
    thaw_trainer *trainer;
    thaw_node x;
    thaw_step_result result;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 2 } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "line", .units = 1 }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    thaw_parameter *parameter = thaw_model_find_parameter(model, "line.weight");
    memcpy(thaw_parameter_edit(parameter), weight, sizeof weight);
    const thaw_tensor inputs = thaw_view_f32(samples, 2, (const int64_t[]){ 2, 2 });
    const thaw_tensor targets = thaw_view_f32(wanted, 2, (const int64_t[]){ 2, 1 });
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, 0, &data));
    const thaw_fit_options options = { .batch = 1, .no_shuffle = true, .average_decay = 0.9 };
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    assert_ok(context, thaw_trainer_step(trainer, &result));
    cr_assert(result.skipped);
    assert_ok(context, thaw_trainer_step(trainer, &result));
    cr_assert_not(result.skipped);
    float after[2];
    memcpy(after, thaw_parameter_data(parameter), sizeof after);
    assert_ok(context, thaw_trainer_use_average(trainer, true));
    cr_assert_eq(memcmp(thaw_parameter_data(parameter), after, sizeof after), 0);
    thaw_trainer_destroy(trainer);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
