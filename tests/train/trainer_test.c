/* A run that the host drives, beside a loop of thaw_step over the same batches. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/shuffle.h"
#include "support/network.h"

enum { SAMPLES = 45, BATCH = 16, STEPS = 3, LAST = 13, EPOCHS = 4 }; /* the last batch is smaller */

static float values[SAMPLES * NETWORK_SAMPLE];
static int32_t labels[SAMPLES];

static const thaw_strategy_rule rules[] = {
    { .epoch = 1, .pattern = "conv*", .action = THAW_ACTION_FREEZE },
    { .epoch = 3, .pattern = "conv2", .action = THAW_ACTION_UNFREEZE },
    { .epoch = 4, .pattern = "dense3", .action = THAW_ACTION_FREEZE },
};

static const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = THAW_COUNT(rules) };

typedef struct fixture {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
} fixture;

static fixture open_fixture(void)
{
    fixture made = { .context = support_context(2) };
    made.model = support_network(made.context, true);
    support_optimize(made.model, "adam:lr=0.01");
    support_fill(values, SAMPLES * NETWORK_SAMPLE, 3);
    for (size_t i = 0; i < SAMPLES; i++)
        labels[i] = (int32_t)(i * 5 % NETWORK_CLASSES);
    const int64_t count = SAMPLES;
    const thaw_tensor inputs = thaw_view_f32(values, 4, (const int64_t[]){ SAMPLES, 9, 7, 2 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, &count);
    assert_ok(made.context, thaw_dataset_from_arrays(made.context, &inputs, &targets, NETWORK_CLASSES, &made.data));
    return made;
}

static void close_fixture(fixture *made)
{
    thaw_dataset_destroy(made->data);
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
}

/* ---------------------------------------------------------------- the loop that a host would write */

static thaw_status step_by_hand(fixture *f, const size_t *indices, int64_t count, const thaw_step_options *options)
{
    static float batch[BATCH * NETWORK_SAMPLE];
    int32_t batch_labels[BATCH];
    for (int64_t i = 0; i < count; i++) {
        memcpy(batch + i * NETWORK_SAMPLE, values + indices[i] * NETWORK_SAMPLE, NETWORK_SAMPLE * sizeof(float));
        batch_labels[i] = labels[indices[i]];
    }
    const thaw_tensor inputs = thaw_view_f32(batch, 4, (const int64_t[]){ count, 9, 7, 2 });
    const thaw_tensor targets = thaw_view_i32(batch_labels, 1, &count);
    return thaw_step(f->model, &inputs, &targets, options, NULL);
}

/* EPOCHS epochs with the rules, half the learning rate in each epoch, and clipped gradients. */
static float *train_by_hand(size_t *count)
{
    fixture f = open_fixture();
    size_t order[SAMPLES];
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        for (size_t i = 0; i < THAW_COUNT(rules); i++)
            if (rules[i].epoch == epoch)
                assert_ok(f.context,
                          (rules[i].action == THAW_ACTION_FREEZE ? thaw_model_freeze
                                                                 : thaw_model_unfreeze)(f.model, rules[i].pattern));
        thaw_shuffle(f.context, 1, (uint64_t)epoch, order, SAMPLES);
        const thaw_step_options options = { .rate_factor = ldexp(1, 1 - epoch), .clip_norm = 0.5 };
        for (size_t first = 0; first < SAMPLES; first += BATCH)
            assert_ok(f.context, step_by_hand(&f, order + first, first / BATCH + 1 < STEPS ? BATCH : LAST, &options));
    }
    float *weights = support_weights(f.model, count);
    close_fixture(&f);
    return weights;
}

/* ---------------------------------------------------------------- the ways to drive a trainer */

typedef struct record {
    size_t steps, epochs, cached, stops, stop_each; /* stop_each: stop after each so many steps and each epoch */
} record;

static bool on_step(void *user, const thaw_progress *progress)
{
    record *seen = user;
    cr_assert_eq(progress->step, seen->steps % STEPS + 1);
    seen->steps++;
    const bool stops = seen->stop_each && seen->steps % seen->stop_each == 0;
    seen->stops += stops;
    return !stops;
}

static bool on_epoch(void *user, const thaw_epoch_result *epoch_result)
{
    record *seen = user;
    seen->epochs++;
    seen->cached += epoch_result->cached;
    cr_assert_eq(seen->steps, seen->epochs * STEPS);
    cr_assert(epoch_result->test_loss > 0);
    seen->stops += seen->stop_each != 0;
    return seen->stop_each == 0;
}

typedef enum way { BY_FIT, BY_EPOCHS, BY_STEPS, BY_BOTH, BY_STOPS } way;

static void assert_place(const thaw_trainer *trainer, size_t steps)
{
    const thaw_trainer_position position = thaw_trainer_position_of(trainer);
    const size_t epoch = steps ? (steps - 1) / STEPS + 1 : 0, step = steps ? (steps - 1) % STEPS + 1 : 0;
    const size_t samples = epoch ? (epoch - 1) * SAMPLES + (step == STEPS ? SAMPLES : step * BATCH) : 0;
    cr_assert(position.epoch == (int)epoch && position.step == step, "epoch %d, step %zu, wanted %zu and %zu",
              position.epoch, position.step, epoch, step);
    cr_assert(position.all_steps == steps && position.samples == samples, "step %zu, sample %zu, wanted %zu and %zu",
              position.all_steps, position.samples, steps, samples);
    cr_assert_eq(thaw_trainer_done(trainer), steps == EPOCHS * STEPS);
}

static thaw_status advance(thaw_trainer *trainer, way by, size_t *steps)
{
    thaw_step_result result;
    if (by == BY_EPOCHS || (by == BY_BOTH && *steps % STEPS == 2)) {
        *steps += STEPS - *steps % STEPS;
        return thaw_trainer_epoch(trainer, NULL);
    }
    ++*steps;
    const thaw_status status = thaw_trainer_step(trainer, &result);
    cr_assert(result.loss > 0 && result.counted == (*steps % STEPS ? BATCH : LAST));
    return status;
}

static void drive(fixture *f, way by, const thaw_fit_options *options)
{
    thaw_trainer *trainer;
    size_t steps = 0;
    assert_ok(f->context, thaw_trainer_create(f->model, f->data, options, &trainer));
    cr_assert_eq(thaw_trainer_epoch_steps(trainer), STEPS);
    cr_assert_eq(thaw_trainer_options(trainer)->seed, 1);
    assert_place(trainer, 0);
    while (!thaw_trainer_done(trainer)) {
        if (by == BY_STOPS) {
            const thaw_status status = thaw_trainer_epoch(trainer, NULL);
            cr_assert(status == THAW_STOPPED, "%s", thaw_context_message(f->context));
            continue;
        }
        assert_ok(f->context, advance(trainer, by, &steps));
        assert_place(trainer, steps);
    }
    assert_place(trainer, EPOCHS * STEPS);
    cr_assert_eq(thaw_trainer_result(trainer)->epoch, EPOCHS);
    assert_fails(f->context, thaw_trainer_step(trainer, NULL), THAW_INVALID_ARGUMENT, "all 4 are done");
    assert_fails(f->context, thaw_trainer_epoch(trainer, NULL), THAW_INVALID_ARGUMENT, "all 4 are done");
    thaw_trainer_destroy(trainer);
}

static float *train(way by, size_t cache_bytes, size_t stop_each, record *seen)
{
    fixture f = open_fixture();
    *seen = (record){ .stop_each = stop_each };
    const thaw_fit_options options = {
        .epochs = EPOCHS,
        .batch = BATCH,
        .schedule = { .kind = THAW_SCHEDULE_STEP, .gamma = 0.5 },
        .clip_norm = 0.5,
        .test = f.data,
        .strategy = &strategy,
        .cache_bytes = cache_bytes,
        .on_epoch = on_epoch,
        .on_step = on_step,
        .user = seen,
    };
    if (by == BY_FIT)
        assert_ok(f.context, thaw_fit(f.model, f.data, &options, NULL));
    else
        drive(&f, by, &options);
    size_t count;
    float *weights = support_weights(f.model, &count);
    close_fixture(&f);
    return weights;
}

Test(trainer, gives_the_bits_of_a_loop_of_steps_however_it_is_driven)
{
    size_t count;
    float *expected = train_by_hand(&count);
    for (way by = BY_FIT; by <= BY_STOPS; by++)
        for (size_t cache = 0; cache < 2; cache++)
            for (size_t stop_each = by == BY_STOPS; stop_each <= (by == BY_STOPS ? 3 : 0); stop_each++) {
                record seen;
                float *found = train(by, cache << 24, stop_each, &seen);
                cr_assert(memcmp(found, expected, count * sizeof *found) == 0, "way %d, cache %zu, stops %zu", by,
                          cache, stop_each);
                cr_assert(seen.steps == EPOCHS * STEPS && seen.epochs == EPOCHS);
                cr_assert_eq(seen.cached, 2 * cache, "%zu cached epochs", seen.cached); /* the second and the fourth */
                cr_assert_eq(seen.stops, stop_each ? EPOCHS * STEPS / stop_each + EPOCHS : 0);
                free(found);
            }
    free(expected);
}

/* ---------------------------------------------------------------- a step that fails */

/* A weight that the host spoils and repairs costs the call, and no batch. */
Test(trainer, trains_on_the_same_batch_after_an_error)
{
    float *weights[2];
    size_t count = 0;
    for (int spoils = 0; spoils < 2; spoils++) {
        fixture f = open_fixture();
        thaw_trainer *trainer;
        assert_ok(f.context, thaw_trainer_create(f.model, f.data, &(thaw_fit_options){ .batch = BATCH }, &trainer));
        assert_ok(f.context, thaw_trainer_step(trainer, NULL));
        if (spoils) {
            float *bias = thaw_parameter_edit(thaw_model_find_parameter(f.model, "dense3.bias"));
            const float kept = *bias;
            *bias = NAN;
            assert_fails(f.context, thaw_trainer_step(trainer, NULL), THAW_NOT_FINITE,
                         "element 0 of dense3.bias is nan");
            cr_assert_eq(thaw_trainer_position_of(trainer).all_steps, 1);
            *thaw_parameter_edit(thaw_model_find_parameter(f.model, "dense3.bias")) = kept;
        }
        assert_ok(f.context, thaw_trainer_epoch(trainer, NULL));
        cr_assert_eq(thaw_trainer_position_of(trainer).samples, SAMPLES);
        thaw_trainer_destroy(trainer);
        weights[spoils] = support_weights(f.model, &count);
        close_fixture(&f);
    }
    cr_assert(memcmp(weights[0], weights[1], count * sizeof *weights[0]) == 0);
    free(weights[0]);
    free(weights[1]);
}

/* ---------------------------------------------------------------- the rest */

Test(trainer, evaluates_where_it_is)
{
    fixture f = open_fixture();
    thaw_trainer *trainer;
    thaw_evaluation found, expected;
    assert_ok(f.context, thaw_trainer_create(f.model, f.data, NULL, &trainer));
    assert_fails(f.context, thaw_trainer_evaluate(trainer, &found), THAW_INVALID_ARGUMENT, "no test data");
    cr_assert(isnan(found.loss));
    thaw_trainer_destroy(trainer);
    const thaw_fit_options options = { .batch = BATCH, .test = f.data };
    assert_ok(f.context, thaw_trainer_create(f.model, f.data, &options, &trainer));
    assert_ok(f.context, thaw_trainer_step(trainer, NULL));
    assert_ok(f.context, thaw_trainer_evaluate(trainer, &found));
    assert_ok(f.context, thaw_evaluate(f.model, f.data, BATCH, &expected));
    cr_assert(found.loss == expected.loss && found.accuracy == expected.accuracy && found.samples == SAMPLES);
    cr_assert(isnan(thaw_trainer_result(trainer)->test_loss), "the epoch is not over");
    assert_ok(f.context, thaw_trainer_epoch(trainer, NULL));
    assert_ok(f.context, thaw_evaluate(f.model, f.data, BATCH, &expected));
    cr_assert(thaw_trainer_result(trainer)->test_loss == expected.loss);
    thaw_trainer_destroy(trainer);
    close_fixture(&f);
}

Test(trainer, refuses_what_fit_refuses)
{
    fixture f = open_fixture();
    thaw_trainer *trainer = (thaw_trainer *)&f;
    assert_fails(f.context, thaw_trainer_create(f.model, f.data, &(thaw_fit_options){ .epochs = -3 }, &trainer),
                 THAW_INVALID_ARGUMENT, "epochs is -3");
    cr_assert_null(trainer);
    thaw_trainer_destroy(NULL);
    close_fixture(&f);
}
