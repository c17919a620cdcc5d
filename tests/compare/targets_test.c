/* The time to a target, against what the epochs of the runs in the file say. */
#include <math.h>
#include <string.h>

#include "support/comparison.h"
#include "support/results.h"

static double number_at(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool belongs(const json_t *run, const json_t *configuration)
{
    return strcmp(json_string_value(json_object_get(run, "strategy")),
                  json_string_value(json_object_get(configuration, "strategy"))) == 0 &&
           strcmp(json_string_value(json_object_get(run, "optimizer")),
                  json_string_value(json_object_get(configuration, "optimizer"))) == 0 &&
           number_at(run, "learning_rate") == number_at(configuration, "learning_rate");
}

/* Epochs and seconds of training until the test loss is at most `loss`; INFINITY: never. */
static double epochs_until(const json_t *run, double loss, double *seconds)
{
    const json_t *epochs = json_object_get(run, "epochs");
    *seconds = 0;
    for (size_t e = 0; e < json_array_size(epochs); e++) {
        *seconds += number_at(json_array_get(epochs, e), "seconds");
        if (number_at(json_array_get(epochs, e), "test_loss") <= loss)
            return (double)e + 1;
    }
    *seconds = INFINITY;
    return INFINITY;
}

/* 40 samples in batches of 16: three steps an epoch. */
static void assert_reach(const json_t *file, const json_t *configuration, double loss)
{
    const json_t *runs = json_object_get(file, "runs"), *target = json_object_get(configuration, "to_target");
    double steps = 1, seconds = 1, count = 0, reached = 0;
    for (size_t i = 0; i < json_array_size(runs); i++) {
        double taken;
        if (!belongs(json_array_get(runs, i), configuration))
            continue;
        const double epochs = epochs_until(json_array_get(runs, i), loss, &taken);
        count++;
        reached += isfinite(epochs);
        steps *= 3 * epochs;
        seconds *= taken;
    }
    cr_assert_eq(number_at(target, "runs"), count);
    cr_assert_eq(number_at(target, "reached"), reached);
    const double found_steps = number_at(json_object_get(target, "steps"), "mean");
    const double found_seconds = number_at(json_object_get(target, "seconds"), "mean");
    cr_assert_eq(isnan(found_steps), reached < count);
    cr_assert(reached < count || fabs(found_steps - pow(steps, 1 / count)) < 1e-9 * found_steps);
    cr_assert(reached < count || fabs(found_seconds - pow(seconds, 1 / count)) < 1e-9 * found_seconds);
}

/* The test loss that half of the runs come down to. */
static double middle_loss(const json_t *file)
{
    const json_t *runs = json_object_get(file, "runs");
    double least[64];
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *epochs = json_object_get(json_array_get(runs, i), "epochs");
        double lowest = INFINITY;
        for (size_t e = 0; e < json_array_size(epochs); e++)
            lowest = fmin(lowest, number_at(json_array_get(epochs, e), "test_loss"));
        if (isfinite(lowest))
            least[count++] = lowest;
    }
    return thaw_median_of(least, count);
}

/* The share of problems that the contender solves in at most `factor` times the least epochs. */
static double profile_at(const json_t *file, double loss, const char *optimizer, double factor)
{
    const json_t *runs = json_object_get(file, "runs");
    double solved = 0, problems = 0, unused;
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        if (strcmp(json_string_value(json_object_get(run, "optimizer")), optimizer) != 0)
            continue;
        const double own = epochs_until(run, loss, &unused);
        double best = own;
        for (size_t k = 0; k < json_array_size(runs); k++) {
            const json_t *other = json_array_get(runs, k);
            if (number_at(other, "seed") == number_at(run, "seed") &&
                json_equal(json_object_get(other, "strategy"), json_object_get(run, "strategy")))
                best = fmin(best, epochs_until(other, loss, &unused));
        }
        problems++;
        solved += isfinite(own) && own <= factor * best;
    }
    return solved / problems;
}

static void assert_profile(const json_t *file, double loss, const json_t *profile)
{
    const json_t *ratios = json_object_get(profile, "ratios");
    const char *name = json_string_value(json_object_get(profile, "name"));
    static const double factors[] = { 1, 1.4, 1.6, 2.5, 4 };
    for (size_t f = 0; f < THAW_COUNT(factors); f++) {
        double within = 0;
        for (size_t i = 0; i < json_array_size(ratios); i++)
            within += json_number_value(json_array_get(ratios, i)) <= factors[f];
        const double share = within / number_at(profile, "problems"), wanted = profile_at(file, loss, name, factors[f]);
        cr_assert(fabs(share - wanted) < 1e-12, "%s within %g: %g, not %g", name, factors[f], share, wanted);
    }
}

static const char *const optimizers[] = { "adam:lr=0.01", "sgd:lr=0.02,momentum=0.9", "sgd:lr=1e30" };

static thaw_comparison_options three_optimizers(void)
{
    comparison_use("full", NULL);
    comparison_use("head", NULL);
    thaw_comparison_options options = comparison_options();
    options.optimizers = optimizers;
    options.optimizer_count = 3;
    options.epochs = 6;
    options.target_accuracy = 0;
    return options;
}

Test(targets, are_reached_when_the_runs_say, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = three_optimizers();
    options.target_loss = 1e-9;
    thaw_comparison_destroy(comparison_run(&options));
    json_t *file = comparison_load();
    const double loss = middle_loss(file);
    json_decref(file);
    remove(comparison.results);
    options.target_loss = loss;
    thaw_comparison *made = comparison_run(&options);
    file = comparison_load();
    size_t index, reached = 0;
    json_t *one;
    json_array_foreach(json_object_get(file, "configurations"), index, one)
    {
        const thaw_configuration configuration = comparison_at(made, index);
        const thaw_to_target *target = &configuration.to_target;
        assert_reach(file, one, loss);
        reached += target->seconds.reached;
        cr_assert_eq(target->seconds.count, COMPARISON_SEEDS); /* runs that diverged, too */
        cr_assert((target->rank_by_seconds > 0) == (target->seconds.reached > 0 && configuration.chosen));
    }
    cr_assert(reached > 0 && reached < 4 * COMPARISON_SEEDS, "%zu", reached);
    const json_t *profiles = json_object_get(json_object_get(file, "profiles"), "optimizers");
    json_array_foreach(json_object_get(profiles, "by_steps"), index, one) assert_profile(file, loss, one);
    cr_assert_eq(index, 3);
    json_decref(file);
    thaw_comparison_destroy(made);
}

Test(targets, of_which_no_run_comes_near_rank_nothing, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = three_optimizers();
    options.target_loss = 1e-9;
    thaw_comparison *made = comparison_run(&options);
    for (size_t i = 0; i < thaw_comparison_count(made); i++) {
        const thaw_configuration one = comparison_at(made, i);
        cr_assert(one.to_target.seconds.reached == 0 && one.to_target.seconds.count == COMPARISON_SEEDS);
        cr_assert(one.to_target.rank_by_seconds == 0 && isnan(one.to_target.seconds.mean) &&
                  isnan(one.seconds_to_target));
    }
    json_decref(comparison_load());
    thaw_comparison_destroy(made);
}

/* The lowest of five rates is too low. */
Test(targets, choose_the_rate_that_reaches_them, .init = comparison_begin, .fini = comparison_end)
{
    comparison_use("full", NULL);
    thaw_comparison_options options = comparison_options();
    options.optimizers = (const char *const[]){ "adam:lr=1e-3" };
    options.rates = 5;
    options.test = comparison.training; /* what was learnt by heart shows */
    options.epochs = 8;
    options.target_accuracy = 0;
    options.target_loss = 1e-9;
    thaw_comparison *made = comparison_run(&options);
    const double before = comparison_at(made, 0).loss.mean, after = comparison_at(made, 4).loss.mean;
    cr_assert_lt(after, before);
    thaw_comparison_destroy(made);
    remove(comparison.results);
    options.target_loss = (before + after) / 2;
    made = comparison_run(&options);
    cr_assert(comparison_at(made, 4).to_target.steps.reached > 0 && !comparison_at(made, 0).chosen);
    thaw_comparison_destroy(made);
}

Test(targets, continue_where_a_comparison_stopped, .init = comparison_begin, .fini = comparison_end)
{
    thaw_comparison_options options = comparison_of_four_runs();
    options.target_accuracy = 0.4;
    thaw_comparison_destroy(comparison_run(&options));
    json_t *whole = comparison_load_timeless();
    remove(comparison.results);
    thaw_comparison *made;
    comparison.stop_at_run = 3;
    assert_ok(comparison.context, thaw_comparison_create(comparison.context, &options, &made));
    cr_assert_eq(thaw_comparison_run(made), THAW_STOPPED);
    thaw_comparison_destroy(made);
    comparison.stop_at_run = 0;
    options.resume = true;
    thaw_comparison_destroy(comparison_run(&options));
    json_t *resumed = comparison_load_timeless();
    cr_assert(json_equal(whole, resumed));
    json_decref(whole);
    json_decref(resumed);
    options.target_accuracy = 0.5;
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "holds another comparison: its \"experiment\" differ");
    options.target_loss = 0.5;
    comparison_assert_refused(&options, THAW_INVALID_ARGUMENT, "there must be one target, of accuracy or of loss");
}
