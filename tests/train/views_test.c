/* Optimizers that evaluate other weights than they train, and runs of new kinds of state that are cut and continued. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/network.h"

enum { SAMPLES = 40, BATCH = 8, EPOCHS = 4 };

static char directory[SUPPORT_PATH_BYTES], saved[SUPPORT_PATH_BYTES], best[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(saved, directory, "run.safetensors");
    support_path(best, directory, "best.safetensors");
}

static void end(void)
{
    support_remove_directory(directory);
}

TestSuite(views, .init = begin, .fini = end);

/* conv1 freezes after it has trained, and thaws; dense2 thaws late. */
static const thaw_strategy_rule rules[] = {
    { .epoch = 1, .pattern = "dense2", .action = THAW_ACTION_FREEZE },
    { .epoch = 2, .pattern = "conv1", .action = THAW_ACTION_FREEZE },
    { .epoch = 3, .pattern = "dense2", .action = THAW_ACTION_UNFREEZE },
    { .epoch = 4, .pattern = "conv1", .action = THAW_ACTION_UNFREEZE },
};
static const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = THAW_COUNT(rules) };

typedef struct run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data, *test;
    thaw_trainer *trainer;
} run;

static run open_run(const char *optimizer, int threads, double decay)
{
    run now = { .context = support_context(threads) };
    now.model = support_network(now.context, false);
    now.data = support_samples(now.context, SAMPLES, 3);
    now.test = support_samples(now.context, 20, 4);
    support_optimize(now.model, optimizer);
    const thaw_fit_options options = { .epochs = EPOCHS,
                                       .batch = BATCH,
                                       .strategy = &strategy,
                                       .average_decay = decay,
                                       .cache_bytes = 1 << 20,
                                       .best = { .file = decay == 0 ? best : NULL },
                                       .test = now.test };
    const thaw_status status = thaw_trainer_create(now.model, now.data, &options, &now.trainer);
    if (decay == 0)
        assert_ok(now.context, status);
    else
        assert_fails(now.context, status, THAW_INVALID_ARGUMENT, "averages the weights itself");
    return now;
}

static void close_run(run *now)
{
    thaw_trainer_destroy(now->trainer);
    thaw_dataset_destroy(now->data);
    thaw_dataset_destroy(now->test);
    thaw_model_destroy(now->model);
    thaw_context_destroy(now->context);
}

static void assert_view(const thaw_parameter *parameter, const float *trained, double beta)
{
    const float *z = thaw_parameter_state(parameter, "z"), *data = thaw_parameter_data(parameter);
    for (size_t i = 0; i < thaw_shape_count(thaw_parameter_shape(parameter)); i++) {
        const double y = (double)trained[i], x = z ? y + (1 - 1 / beta) * ((double)z[i] - y) : y;
        cr_assert(fabs((double)data[i] - x) <= 1e-6 * fmax(1, fabs(x)), "%s[%zu] is %.9g, expected %.9g",
                  thaw_parameter_name(parameter), i, (double)data[i], x);
    }
}

/* With views at any time, and without. */
Test(views, are_what_the_state_says_and_are_put_back_to_the_bit)
{
    run with = open_run("schedule-free-adamw:lr=0.05,beta1=0.8", 1, 0);
    run without = open_run("schedule-free-adamw:lr=0.05,beta1=0.8", 1, 0);
    for (int step = 0; !thaw_trainer_done(with.trainer); step++) {
        size_t count;
        assert_ok(with.context, thaw_trainer_step(with.trainer, NULL));
        assert_ok(without.context, thaw_trainer_step(without.trainer, NULL));
        float *before = support_weights(with.model, &count), *at = before;
        assert_ok(with.context, thaw_model_use_view(with.model, true));
        for (size_t i = 0; i < thaw_model_parameter_count(with.model); i++) {
            const thaw_parameter *parameter = thaw_model_parameter(with.model, i);
            assert_view(parameter, at, 0.8);
            at += thaw_shape_count(thaw_parameter_shape(parameter));
        }
        if (step % 2) {
            assert_ok(with.context, thaw_model_use_view(with.model, false)); /* else the next step does it */
            float *after = support_weights(with.model, &count);
            cr_assert_eq(memcmp(before, after, count * sizeof *before), 0, "step %d", step);
            free(after);
        }
        free(before);
    }
    assert_ok(with.context, thaw_model_use_view(with.model, false));
    size_t count;
    float *own = support_weights(with.model, &count), *other = support_weights(without.model, &count);
    cr_assert_eq(memcmp(own, other, count * sizeof *own), 0, "views change training");
    free(own);
    free(other);
    close_run(&with);
    close_run(&without);
}

Test(views, are_tested_and_are_the_best_weights)
{
    run now = open_run("schedule-free-sgd:lr=0.02", 1, 0);
    double least = INFINITY;
    while (!thaw_trainer_done(now.trainer)) {
        thaw_epoch_result tested;
        thaw_evaluation trained, viewed;
        assert_ok(now.context, thaw_trainer_epoch(now.trainer, &tested));
        assert_ok(now.context, thaw_evaluate(now.model, now.test, BATCH, &trained));
        assert_ok(now.context, thaw_model_use_view(now.model, true));
        assert_ok(now.context, thaw_evaluate(now.model, now.test, BATCH, &viewed));
        assert_ok(now.context, thaw_model_use_view(now.model, false));
        cr_assert_float_eq(tested.test_loss, viewed.loss, 1e-6);
        cr_assert(fabs(tested.test_loss - trained.loss) > 1e-6, "%g: the weights that train", trained.loss);
        least = fmin(least, tested.test_loss);
    }
    thaw_evaluation loaded;
    assert_ok(now.context, thaw_weights_load(now.model, best, NULL, NULL));
    assert_ok(now.context, thaw_evaluate(now.model, now.test, BATCH, &loaded));
    cr_assert_float_eq(loaded.loss, least, 1e-6, "%g, the best was %g", loaded.loss, least);
    close_run(&now);
}

Test(views, do_not_go_with_averages)
{
    run now = open_run("schedule-free-adamw", 1, 0.9);
    cr_assert_null(now.trainer);
    close_run(&now);
}

Test(views, of_other_optimizers_are_their_weights)
{
    run now = open_run("adam", 1, 0);
    size_t count;
    assert_ok(now.context, thaw_trainer_step(now.trainer, NULL));
    float *before = support_weights(now.model, &count);
    assert_ok(now.context, thaw_model_use_view(now.model, true));
    float *after = support_weights(now.model, &count);
    cr_assert_eq(memcmp(before, after, count * sizeof *before), 0);
    free(before);
    free(after);
    close_run(&now);
}

/* ---- cut and continued ---- */

static const char *const optimizers[] = { "muon:lr=0.02",
                                          "adafactor:lr=0.05",
                                          "shampoo:precondition_frequency=3,momentum=0.5",
                                          "soap:precondition_frequency=3",
                                          "schedule-free-adamw:warmup_steps=9",
                                          "schedule-free-sgd:lr=0.02",
                                          "prodigy:d0=1e-3",
                                          "lookahead:k=3/cautious/adamw:lr=0.01",
                                          "lookahead:k=3/muon:lr=0.02",
                                          "sam/schedule-free-sgd:lr=0.02" };

/* In the second epoch, conv1 is frozen, and the view may be in the model. */
Test(views, and_slots_of_other_shapes_continue_to_the_bit)
{
    for (size_t o = 0; o < THAW_COUNT(optimizers); o++) {
        size_t count;
        run whole = open_run(optimizers[o], 1, 0), first = open_run(optimizers[o], 1, 0);
        for (int epoch = 0; epoch < 2; epoch++)
            assert_ok(first.context, thaw_trainer_epoch(first.trainer, NULL));
        assert_ok(first.context, thaw_model_use_view(first.model, true));
        assert_ok(first.context, thaw_trainer_save(first.trainer, saved));
        close_run(&first);
        run second = open_run(optimizers[o], 1, 0);
        assert_ok(second.context, thaw_trainer_load(second.trainer, saved));
        while (!thaw_trainer_done(whole.trainer))
            assert_ok(whole.context, thaw_trainer_epoch(whole.trainer, NULL));
        while (!thaw_trainer_done(second.trainer))
            assert_ok(second.context, thaw_trainer_epoch(second.trainer, NULL));
        float *own = support_weights(whole.model, &count), *other = support_weights(second.model, &count);
        cr_assert_eq(memcmp(own, other, count * sizeof *own), 0, "%s", optimizers[o]);
        free(own);
        free(other);
        close_run(&whole);
        close_run(&second);
    }
}
