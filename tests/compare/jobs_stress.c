/* Two runs of a comparison at a time, each on one thread, for ThreadSanitizer, which cannot run Criterion's tests and
   sees races where libgomp's threads meet. Without it, a check that they give what one at a time gives. Its data are
   random: the two runs read one data set in epochs of their own. */
#include <stdio.h>
#include <stdlib.h>
#include <thaw/compare.h>
#include <thaw/thaw.h>

#include "core/threads.h"
#include "support/max_cpu.h"

enum { SAMPLES = 96, WIDTH = 12, CLASSES = 3, SEEDS = 4, SKIPPED = 77 };

static void require(bool condition, const char *what, const thaw_context *context)
{
    if (condition)
        return;
    fprintf(stderr, "jobs_stress: %s: %s\n", what, context ? thaw_context_message(context) : "");
    exit(1);
}

/* ---------------------------------------------------------------- data */

typedef struct numbers {
    uint64_t epoch;
} numbers;

static void start_epoch(void *user, uint64_t epoch)
{
    ((numbers *)user)->epoch = epoch;
}

static bool read_numbers(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    (void)message, (void)capacity;
    const numbers *from = user;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < WIDTH; k++)
            samples[i * WIDTH + k] = (float)((indices[i] * 31 + k * 7 + (size_t)from->epoch) % 13) / 13 - 0.5F;
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % CLASSES);
    }
    return true;
}

static thaw_dataset *open_numbers(thaw_context *context, numbers *state)
{
    const thaw_source source = {
        .count = SAMPLES,
        .sample_shape = { .rank = 1, .dims = { WIDTH } },
        .target_dtype = THAW_I32,
        .classes = CLASSES,
        .random = true,
        .start_epoch = start_epoch,
        .read = read_numbers,
        .user = state,
    };
    thaw_dataset *dataset = NULL;
    require(thaw_dataset_create(context, &source, &dataset) == THAW_OK, "data", context);
    return dataset;
}

/* ---------------------------------------------------------------- comparisons */

typedef struct calls {
    size_t of_build, of_progress;
} calls;

static thaw_status build(void *user, thaw_model *model)
{
    ++((calls *)user)->of_build; /* one call at a time */
    thaw_node x;
    thaw_status status = thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { WIDTH } }, &x);
    if (status == THAW_OK)
        status = thaw_dense(model, x, &(thaw_dense_options){ .units = 16 }, &x);
    if (status == THAW_OK)
        status = thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.25 }, &x);
    if (status == THAW_OK)
        status = thaw_dense(model, x, &(thaw_dense_options){ .units = CLASSES }, &x);
    return status == THAW_OK ? thaw_softmax_cross_entropy(model, x, NULL, &x) : status;
}

static bool on_progress(void *user, const thaw_comparison_progress *progress)
{
    ++((calls *)user)->of_progress;
    return progress->job < 2;
}

static thaw_comparison *compare(thaw_context *context, const thaw_comparison_options *options)
{
    thaw_comparison *made = NULL;
    require(thaw_comparison_create(context, options, &made) == THAW_OK, "comparison", context);
    require(thaw_comparison_run(made) == THAW_OK, "run", context);
    return made;
}

static bool same(thaw_comparison *one, thaw_comparison *other, size_t index)
{
    thaw_configuration a, b;
    return thaw_comparison_at(one, index, &a) == THAW_OK && thaw_comparison_at(other, index, &b) == THAW_OK &&
           a.runs == SEEDS && b.runs == SEEDS && a.accuracy.mean == b.accuracy.mean && a.loss.mean == b.loss.mean &&
           a.loss.sd == b.loss.sd;
}

int main(void)
{
    static const char *const names[] = { "full", "head", "lp-ft" };
    calls counted = { 0 };
    thaw_strategy *strategies[THAW_COUNT(names)];
    thaw_context *context = NULL;
    numbers states[2] = { 0 };
    if (thaw_threads_available() < 2)
        return SKIPPED;
    require(thaw_context_create(&(thaw_context_options){ .threads = 1, .max_cpu = support_max_cpu() }, &context) ==
                THAW_OK,
            "context", NULL);
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        require(thaw_strategy_create(context, names[i], NULL, &strategies[i]) == THAW_OK, names[i], context);
    thaw_dataset *training = open_numbers(context, &states[0]), *test = open_numbers(context, &states[1]);
    thaw_comparison_options options = {
        .build = build,
        .on_progress = on_progress,
        .user = &counted,
        .training = training,
        .test = test,
        .strategies = (const thaw_strategy *const *)strategies,
        .strategy_count = THAW_COUNT(names),
        .optimizers = (const char *const[]){ "adam:lr=1e-2" },
        .optimizer_count = 1,
        .seeds = SEEDS,
        .epochs = 4,
        .batch = 16,
    };
    thaw_comparison *alone = compare(context, &options);
    options.jobs = 2;
    thaw_comparison *together = compare(context, &options);
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        require(same(alone, together, i), names[i], NULL);
    require(counted.of_progress >= (size_t)2 * THAW_COUNT(names) * SEEDS * 4, "progress", NULL);
    thaw_comparison_destroy(together);
    thaw_comparison_destroy(alone);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        thaw_strategy_destroy(context, strategies[i]);
    thaw_context_destroy(context);
    return 0;
}
