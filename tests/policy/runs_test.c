/* What a policy sees in a run, and what its actions do, beside a host that looks and acts itself. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/steered.h"
#include "support/ranks.h"

/* ---- what it sees ---- */

enum { LOOKS = STEERED_EPOCHS, BLOCKS = NETWORK_GROUPS };

static struct {
    size_t count, steps[LOOKS];
    double weights[LOOKS][BLOCKS], updates[LOOKS][BLOCKS], gradients[LOOKS][BLOCKS];
    double losses[LOOKS], accuracies[LOOKS];
    thaw_policy_price prices[LOOKS][BLOCKS];
} seen;

static unsigned watch_all(const double *settings)
{
    (void)settings;
    return THAW_WATCH_WEIGHTS | THAW_WATCH_UPDATES | THAW_WATCH_GRADIENTS | THAW_WATCH_PRICES | THAW_WATCH_TIMES;
}

static unsigned watch_gradients(const double *settings)
{
    (void)settings;
    return THAW_WATCH_GRADIENTS;
}

static void look(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    (void)actions;
    cr_assert_lt(seen.count, (size_t)LOOKS);
    cr_assert_eq(view->block_count, (size_t)BLOCKS);
    cr_assert_eq(view->epoch_steps, (size_t)STEERED_STEPS);
    for (size_t b = 0; b < BLOCKS; b++) {
        cr_assert_str_eq(view->blocks[b].name, network_groups[b]);
        seen.weights[seen.count][b] = view->blocks[b].weight_norm;
        seen.updates[seen.count][b] = view->blocks[b].update_norm;
        seen.gradients[seen.count][b] = view->blocks[b].gradient_norm;
        if (view->prices)
            seen.prices[seen.count][b] = view->prices[b];
    }
    cr_assert_eq(view->prices != NULL, view->step >= STEERED_STEPS);
    seen.losses[seen.count] = view->loss;
    seen.accuracies[seen.count] = view->test_accuracy;
    seen.steps[seen.count++] = view->step;
}

static const thaw_policy_module looking = {
    THAW_POLICY_MODULE_HEAD,
    .name = "looking",
    .watches = watch_all,
    .decide = look,
};

/* The weights of a group, one parameter after the other. */
static size_t copy_group(thaw_model *model, const char *group, float *to)
{
    size_t at = 0;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        if (strncmp(thaw_parameter_name(parameter), group, strlen(group)) != 0)
            continue;
        const thaw_shape *shape = thaw_parameter_shape(parameter);
        memcpy(to + at, thaw_parameter_data(parameter), thaw_shape_count(shape) * sizeof(float));
        at += thaw_shape_count(shape);
    }
    return at;
}

static double distance(const float *left, const float *right, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double difference = (double)left[i] - (right ? (double)right[i] : 0);
        sum += difference * difference;
    }
    return sqrt(sum);
}

enum { MOST_WEIGHTS = 1 << 16 };

Test(policy_runs, norms_are_those_of_the_weights)
{
    static float before[BLOCKS][MOST_WEIGHTS], now[MOST_WEIGHTS];
    steered run;
    thaw_trainer *trainer;
    memset(&seen, 0, sizeof seen);
    steered_open_module(&run, &looking, NULL);
    assert_ok(run.context, thaw_trainer_create(run.model, run.data, &run.options, &trainer));
    for (size_t epoch = 0; epoch < LOOKS; epoch++) {
        thaw_epoch_result result;
        const double accuracy = epoch ? thaw_trainer_result(trainer)->test_accuracy : (double)NAN;
        const double loss = epoch ? thaw_trainer_result(trainer)->loss : (double)NAN;
        double weights[BLOCKS], updates[BLOCKS];
        for (size_t b = 0; b < BLOCKS; b++) {
            const size_t count = copy_group(run.model, network_groups[b], now);
            cr_assert_leq(count, (size_t)MOST_WEIGHTS);
            weights[b] = distance(now, NULL, count);
            updates[b] = distance(now, before[b], count);
            memcpy(before[b], now, count * sizeof *now);
        }
        assert_ok(run.context, thaw_trainer_epoch(trainer, &result));
        cr_assert_eq(seen.count, epoch + 1);
        cr_assert_eq(seen.steps[epoch], epoch * STEERED_STEPS);
        for (size_t b = 0; b < BLOCKS; b++) {
            cr_assert_float_eq(seen.weights[epoch][b], weights[b], 1e-9 * weights[b]);
            if (epoch)
                cr_assert_float_eq(seen.updates[epoch][b], updates[b], 1e-6 * updates[b]);
            else
                cr_assert(isnan(seen.updates[0][b]) && isnan(seen.gradients[0][b]));
        }
        if (epoch) {
            cr_assert_eq(seen.accuracies[epoch], accuracy);
            cr_assert_float_eq(seen.losses[epoch], loss, 1e-9);
        }
    }
    thaw_trainer_destroy(trainer);
    steered_close(&run);
}

/* With one step between decisions, the gradient is that of this step. */
static size_t each_step(const double *settings)
{
    (void)settings;
    return 1;
}

Test(policy_runs, gradients_are_those_of_the_watched_steps)
{
    thaw_policy_module stepwise = looking;
    steered run;
    thaw_trainer *trainer;
    memset(&seen, 0, sizeof seen);
    stepwise.interval = each_step;
    stepwise.watches = watch_gradients;
    steered_open_module(&run, &stepwise, NULL);
    run.options.epochs = 1;
    run.options.clip_norm = 0;
    assert_ok(run.context, thaw_trainer_create(run.model, run.data, &run.options, &trainer));
    double expected[STEERED_STEPS][BLOCKS];
    for (size_t step = 0; step < STEERED_STEPS; step++) {
        assert_ok(run.context, thaw_trainer_step(trainer, NULL));
        for (size_t b = 0; b < BLOCKS; b++) {
            double sum = 0;
            for (size_t i = 0; i < thaw_model_parameter_count(run.model); i++) {
                const thaw_parameter *parameter = thaw_model_parameter(run.model, i);
                if (strncmp(thaw_parameter_name(parameter), network_groups[b], strlen(network_groups[b])) == 0)
                    sum += pow(distance(thaw_parameter_gradient(parameter), NULL,
                                        thaw_shape_count(thaw_parameter_shape(parameter))),
                               2);
            }
            expected[step][b] = sqrt(sum);
        }
    }
    cr_assert_eq(seen.count, (size_t)STEERED_STEPS);
    for (size_t look_number = 1; look_number < STEERED_STEPS; look_number++)
        for (size_t b = 0; b < BLOCKS; b++)
            cr_assert_float_eq(seen.gradients[look_number][b], expected[look_number - 1][b],
                               1e-6 * expected[look_number - 1][b]);
    thaw_trainer_destroy(trainer);
    steered_close(&run);
}

Test(policy_runs, prices_are_those_of_the_plan)
{
    steered run;
    size_t count;
    memset(&seen, 0, sizeof seen);
    steered_open_module(&run, &looking, NULL);
    free(steered_fit(&run, &count));
    static const char *const parts[BLOCKS] = { NULL, "conv1", "conv*", "conv*|dense1", "conv*|dense[12]" };
    for (size_t cut = 0; cut < BLOCKS; cut++) {
        const thaw_plan *plan;
        assert_ok(run.context, thaw_model_unfreeze(run.model, "*"));
        if (parts[cut])
            assert_ok(run.context, thaw_model_freeze(run.model, parts[cut]));
        assert_ok(run.context,
                  thaw_model_plan(run.model,
                                  &(thaw_plan_options){ .batch = STEERED_BATCH, .cache_sample_bytes = 1 << 14 },
                                  &plan));
        const thaw_plan_totals totals = thaw_plan_totals_of(plan);
        const thaw_policy_price *price = &seen.prices[2][cut];
        cr_assert_eq(price->trainable_parameters, totals.trainable_parameters);
        cr_assert_float_eq(price->step_flops, totals.flops, 1e-6 * totals.flops);
        cr_assert_eq(price->cache_bytes, totals.cached_bytes_per_sample * STEERED_SAMPLES);
        /* Four epochs are left after two; the first of them fills the cache. */
        const bool cached = totals.cached_bytes_per_sample > 0;
        const double epochs[] = { cached ? 1 : 4, cached ? 3 : 0 };
        const double left = STEERED_STEPS * (epochs[0] * totals.flops + epochs[1] * totals.cached_flops);
        cr_assert_float_eq(price->flops_left, left, 1e-6 * left);
        cr_assert(price->step_seconds > 0 && price->cached_step_seconds <= price->step_seconds);
        cr_assert_float_eq(price->seconds_left,
                           STEERED_STEPS * (epochs[0] * price->step_seconds + epochs[1] * price->cached_step_seconds),
                           1e-9);
    }
    steered_close(&run);
}

/* ---- what its actions do ---- */

/* Freezes from below by epochs, changes a rate, and thaws all. */
static void follow_script(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    thaw_policy_action *action;
    switch (view->step / STEERED_STEPS) {
    case 1:
        action = thaw_policy_act_on(actions, THAW_POLICY_FREEZE, 0, 1);
        action->drops_state = true;
        snprintf(action->reason, sizeof action->reason, "the first\nline\x07");
        break;
    case 2:
        action = thaw_policy_act_on(actions, THAW_POLICY_RATE, 2, 3);
        action->value = 0.5;
        break;
    case 3:
        thaw_policy_act_on(actions, THAW_POLICY_UNFREEZE, 0, 4);
        action = thaw_policy_act_on(actions, THAW_POLICY_RATE, 2, 2);
        action->value = 1;
        break;
    case 4:
        thaw_policy_act_on(actions, THAW_POLICY_UNFREEZE, 0, 4); /* nothing to do */
        thaw_policy_act_on(actions, THAW_POLICY_FREEZE, 2, 2);
        break;
    default:
        break;
    }
}

static const thaw_policy_module scripted = { THAW_POLICY_MODULE_HEAD, .name = "scripted", .decide = follow_script };

static float *fit_by_hand(size_t *count)
{
    steered run;
    thaw_trainer *trainer;
    steered_open(&run, "random");
    run.options.policy = NULL;
    assert_ok(run.context, thaw_trainer_create(run.model, run.data, &run.options, &trainer));
    for (int epoch = 0; epoch < STEERED_EPOCHS; epoch++) {
        if (epoch == 1) {
            assert_ok(run.context, thaw_model_freeze(run.model, "conv*"));
            assert_ok(run.context, thaw_select_release_state(run.model, "conv*"));
        } else if (epoch == 2) {
            assert_ok(run.context, thaw_select_learning_rate(run.model, "dense1|dense2", 0.005));
        } else if (epoch == 3) {
            assert_ok(run.context, thaw_model_unfreeze(run.model, "conv*"));
            assert_ok(run.context, thaw_select_learning_rate(run.model, "dense1", 0.01));
        } else if (epoch == 4) {
            assert_ok(run.context, thaw_model_freeze(run.model, "dense1"));
        }
        assert_ok(run.context, thaw_trainer_epoch(trainer, NULL));
    }
    thaw_trainer_destroy(trainer);
    float *weights = support_weights(run.model, count);
    steered_close(&run);
    return weights;
}

Test(policy_runs, actions_equal_the_hosts_own_calls)
{
    steered run;
    size_t count, again;
    steered_open_module(&run, &scripted, NULL);
    float *weights = steered_fit(&run, &count), *expected = fit_by_hand(&again);
    cr_assert_eq(count, again);
    cr_assert_arr_eq(weights, expected, count * sizeof *weights);
    steered_assert_trains(&run, "TT-TT");
    cr_assert_eq(run.count, 5U);
    static const thaw_policy_act acts[] = { THAW_POLICY_FREEZE, THAW_POLICY_RATE, THAW_POLICY_UNFREEZE,
                                            THAW_POLICY_RATE, THAW_POLICY_FREEZE };
    static const int epochs[] = { 2, 3, 4, 4, 5 };
    for (size_t i = 0; i < run.count; i++) {
        cr_assert_eq(run.told[i].act, acts[i]);
        cr_assert_eq(run.told[i].epoch, epochs[i]);
        cr_assert_eq(run.told[i].step, (size_t)(epochs[i] - 1) * STEERED_STEPS);
    }
    cr_assert_null(strpbrk(run.reasons[0], "\n\x07"));
    cr_assert_eq(run.told[4].trainable_parameters, thaw_model_summary_totals(run.model).trainable_parameters);
    free(weights);
    free(expected);
    steered_close(&run);
}

/* Never thaws what the user froze, parameters and layers. */
Test(policy_runs, what_was_frozen_stays_so)
{
    steered run;
    size_t count;
    steered_open(&run, "badam:every=1,order=1");
    assert_ok(run.context, thaw_model_freeze(run.model, "conv1|dense1.bias"));
    free(steered_fit(&run, &count));
    thaw_trainability trains;
    for (size_t i = 0; i < run.count; i++)
        cr_assert(run.told[i].first > 0);
    assert_ok(run.context, thaw_model_trainability(run.model, "conv1", &trains));
    cr_assert_eq(trains, THAW_FROZEN);
    assert_ok(run.context, thaw_model_trainability(run.model, "dense1.bias", &trains));
    cr_assert_eq(trains, THAW_FROZEN);
    steered_close(&run);
}

static void assert_repeats(const char *policy)
{
    float *weights[2];
    size_t counts[2], told[2];
    for (int i = 0; i < 2; i++) {
        steered run;
        steered_open(&run, policy);
        weights[i] = steered_fit(&run, &counts[i]);
        told[i] = run.count;
        steered_close(&run);
    }
    cr_assert_eq(told[0], told[1]);
    cr_assert_arr_eq(weights[0], weights[1], counts[0] * sizeof **weights);
    free(weights[0]);
    free(weights[1]);
}

Test(policy_runs, the_same_seed_gives_the_same_run)
{
    assert_repeats("auto:exchange=100,moving=100");
    assert_repeats("autofreeze");
    assert_repeats("badam:every=2");
    assert_repeats("lisa:every=2,stem=0");
    assert_repeats("random");
}

/* ---- several ranks ---- */

typedef struct ranked {
    const char *policy;
    float *weights[2];
    size_t counts[2], told[2];
} ranked;

static void run_rank(void *argument, const thaw_communicator *communicator)
{
    ranked *all = argument;
    const int rank = communicator ? communicator->rank : 0;
    steered run;
    steered_open(&run, all->policy);
    run.options.communicator = communicator;
    run.options.shards = 2;
    all->weights[rank] = steered_fit(&run, &all->counts[rank]);
    all->told[rank] = run.count;
    steered_close(&run);
}

Test(policy_runs, ranks_agree_and_equal_one_process)
{
    static const char *const policies[] = { "auto:exchange=100,moving=100", "badam:every=2", "autofreeze" };
    for (size_t i = 0; i < THAW_COUNT(policies); i++) {
        ranked several = { .policy = policies[i] }, alone = several;
        run_ranks(2, run_rank, &several);
        run_rank(&alone, NULL);
        cr_assert_eq(several.told[0], several.told[1]);
        cr_assert_eq(several.told[0], alone.told[0]);
        cr_assert_arr_eq(several.weights[0], several.weights[1], several.counts[0] * sizeof(float));
        cr_assert_arr_eq(several.weights[0], alone.weights[0], several.counts[0] * sizeof(float));
        free(several.weights[0]);
        free(several.weights[1]);
        free(alone.weights[0]);
    }
}
