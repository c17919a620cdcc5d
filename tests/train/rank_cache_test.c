/* The feature cache on several ranks: each keeps its share, and all train as one process does. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/network.h"
#include "support/ranks.h"

enum { SAMPLES = 300, EPOCHS = 4 };

static atomic_size_t reads[MOST_RANKS]; /* samples */
static uint64_t told[MOST_RANKS];       /* the view */

static void start_epoch(void *user, uint64_t epoch)
{
    told[(atomic_size_t *)user - reads] = epoch;
}

static bool read_samples(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    (void)message, (void)capacity;
    const uint64_t view = told[(atomic_size_t *)user - reads];
    atomic_fetch_add((atomic_size_t *)user, count);
    for (size_t i = 0; i < count; i++) {
        support_fill(samples + i * NETWORK_SAMPLE, NETWORK_SAMPLE, (uint32_t)(indices[i] + 1000 * view + 1));
        ((int32_t *)targets)[i] = (int32_t)(indices[i] * 7 % NETWORK_CLASSES);
    }
    return true;
}

/* A run, and what each rank ends with. */
typedef struct run {
    thaw_fit_options options;
    const char *saved; /* the run is saved there after `cut` steps, or continues from there */
    size_t cut;
    const char *optimizer; /* NULL: Adam */
    size_t views;          /* of the data; 0: they are not random */
    size_t spoiled;        /* bytes that the last rank's budget has more */
    float *weights[MOST_RANKS];
    size_t counts[MOST_RANKS], bytes[MOST_RANKS];
    bool cached[MOST_RANKS][EPOCHS];
    thaw_status statuses[MOST_RANKS];
    char messages[MOST_RANKS][THAW_REASON_BYTES];
} run;

static void take_epochs(run *taken, thaw_trainer *trainer, int own)
{
    thaw_status status = THAW_OK;
    while (status == THAW_OK && !thaw_trainer_done(trainer)) {
        thaw_epoch_result result;
        status = thaw_trainer_epoch(trainer, &result);
        if (status != THAW_OK)
            break;
        taken->cached[own][result.epoch - 1] = result.cached;
        if (result.cache_bytes > taken->bytes[own])
            taken->bytes[own] = result.cache_bytes;
    }
    taken->statuses[own] = status;
}

static void train(void *argument, const thaw_communicator *communicator)
{
    run *taken = argument;
    const int own = communicator ? communicator->rank : 0;
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data;
    thaw_trainer *trainer;
    const thaw_source source = { .count = SAMPLES,
                                 .sample_shape = { 3, { 9, 7, 2 } },
                                 .target_dtype = THAW_I32,
                                 .classes = NETWORK_CLASSES,
                                 .identity = { 1, 2 },
                                 .random = taken->views,
                                 .views = taken->views,
                                 .start_epoch = taken->views ? start_epoch : NULL,
                                 .read = read_samples,
                                 .user = &reads[own] };
    atomic_store(&reads[own], 0);
    told[own] = 0;
    assert_ok(context, thaw_dataset_create(context, &source, &data));
    support_optimize(model, taken->optimizer ? taken->optimizer : "adam:lr=0.01");
    assert_ok(context, thaw_model_freeze(model, "conv*"));
    thaw_fit_options options = taken->options;
    options.epochs = EPOCHS;
    options.communicator = communicator;
    if (communicator && own == communicator->ranks - 1)
        options.cache_bytes += taken->spoiled;
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    if (taken->cut) {
        for (size_t i = 0; i < taken->cut; i++)
            assert_ok(context, thaw_trainer_step(trainer, NULL));
        if (own == 0)
            assert_ok(context, thaw_trainer_save(trainer, taken->saved));
    } else {
        if (taken->saved)
            assert_ok(context, thaw_trainer_load(trainer, taken->saved));
        take_epochs(taken, trainer, own);
    }
    snprintf(taken->messages[own], THAW_REASON_BYTES, "%s", thaw_context_message(context));
    taken->weights[own] = support_weights(model, &taken->counts[own]);
    thaw_trainer_destroy(trainer);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void release(const run *taken)
{
    for (int i = 0; i < MOST_RANKS; i++)
        free(taken->weights[i]);
}

static void compare(const run *spread, const run *alone, int ranks)
{
    for (int i = 0; i < ranks; i++) {
        cr_assert_eq(spread->statuses[i], THAW_OK, "rank %d of %d: %s", i, ranks, spread->messages[i]);
        cr_assert_eq(spread->counts[i], alone->counts[0]);
        cr_assert_eq(memcmp(spread->weights[i], alone->weights[0], alone->counts[0] * sizeof(float)), 0,
                     "rank %d of %d has other weights", i, ranks);
    }
}

/* Of R ranks, each keeps the R-th part, and some more; none reads a sample again. `fills`: the epochs in which one
   process fills its cache. */
static void check_views(const thaw_fit_options *options, size_t views, int fills)
{
    static const int numbers[] = { 2, 4 };
    const size_t rows = SAMPLES * (views ? views : 1);
    run alone = { .options = *options, .views = views };
    train(&alone, NULL);
    cr_assert_eq(alone.statuses[0], THAW_OK, "%s", alone.messages[0]);
    cr_assert(!alone.cached[0][0] && alone.cached[0][EPOCHS - 1]);
    const size_t read = atomic_load(&reads[0]), row = alone.bytes[0] / rows;
    cr_assert_leq(read, (size_t)fills * SAMPLES);
    for (size_t k = 0; k < THAW_COUNT(numbers); k++) {
        run spread = { .options = *options, .views = views };
        size_t all = 0;
        run_ranks(numbers[k], train, &spread);
        compare(&spread, &alone, numbers[k]);
        for (int i = 0; i < numbers[k]; i++) {
            cr_assert_eq(memcmp(spread.cached[i], alone.cached[0], sizeof alone.cached[0]), 0, "rank %d", i);
            cr_assert_leq(spread.bytes[i] / row, rows / (size_t)numbers[k] + 80 * rows / SAMPLES,
                          "rank %d of %d has room for %zu rows", i, numbers[k], spread.bytes[i] / row);
            all += atomic_load(&reads[i]);
        }
        cr_assert_eq(all, read, "%d ranks read %zu samples, one reads %zu", numbers[k], all, read);
        release(&spread);
    }
    release(&alone);
}

static void check(const thaw_fit_options *options, int fills)
{
    check_views(options, 0, fills);
}

Test(rank_cache, keeps_views)
{
    check_views(&(thaw_fit_options){ .batch = 16, .shards = 4, .cache_bytes = 1 << 20 }, 2, 2);
    check_views(&(thaw_fit_options){ .batch = 24, .shards = 12, .cache_bytes = 1 << 20, .cache_dtype = THAW_BF16 }, 3,
                3);
}

Test(rank_cache, mixes_as_one)
{
    check(&(thaw_fit_options){ .batch = 16,
                               .shards = 4,
                               .cache_bytes = 1 << 20,
                               .mixing = { .feature_mixup = 0.4, .feature_noise = 0.1 } },
          1);
}

Test(rank_cache, has_the_bits_of_one)
{
    check(&(thaw_fit_options){ .batch = 16, .shards = 4, .cache_bytes = 1 << 20 }, 1);
    check(&(thaw_fit_options){ .batch = 24, .shards = 12, .cache_bytes = 1 << 20, .clip_norm = 0.5 }, 1);
    check(&(thaw_fit_options){ .batch = 16, .shards = 4, .cache_bytes = 1 << 20, .cache_dtype = THAW_BF16 }, 1);
}

/* The samples of the last batch, which is dropped, are kept in later epochs, and not all by the ranks whose turn it
   would have been. */
Test(rank_cache, fills_in_several_epochs)
{
    check(&(thaw_fit_options){ .batch = 16, .shards = 4, .cache_bytes = 1 << 20, .drop_last = true }, EPOCHS);
}

Test(rank_cache, follows_what_thaws)
{
    const thaw_strategy_rule rules[] = { { .epoch = 3, .pattern = "conv2", .action = THAW_ACTION_UNFREEZE } };
    const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = 1 };
    run alone = { .options = { .batch = 16, .shards = 4, .cache_bytes = 1 << 20, .strategy = &strategy } };
    run spread = alone;
    train(&alone, NULL);
    run_ranks(4, train, &spread);
    compare(&spread, &alone, 4);
    cr_assert(alone.cached[0][1] && !alone.cached[0][2] && alone.cached[0][3]);
    cr_assert_eq(memcmp(spread.cached[3], alone.cached[0], sizeof alone.cached[0]), 0);
    release(&spread);
    release(&alone);
}

/* In the middle of the epoch that fills the cache, and of one that reads it; on 4 ranks, then on 2, and alone. */
Test(rank_cache, continues_on_another_number_of_ranks)
{
    static const thaw_dtype dtypes[] = { THAW_F32, THAW_BF16 };
    static const size_t cuts[] = { 7, 19, 38, 43 };
    char directory[SUPPORT_PATH_BYTES], saved[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    support_path(saved, directory, "run.safetensors");
    for (size_t d = 0; d < THAW_COUNT(dtypes); d++) {
        const thaw_fit_options options = { .batch = 16, .shards = 4, .cache_bytes = 1 << 20, .cache_dtype = dtypes[d] };
        run whole = { .options = options };
        train(&whole, NULL);
        for (size_t c = 0; c < THAW_COUNT(cuts); c++) {
            run first = { .options = options, .saved = saved, .cut = cuts[c] };
            run second = { .options = options, .saved = saved }, third = second;
            run_ranks(4, train, &first);
            run_ranks(2, train, &second);
            compare(&second, &whole, 2);
            train(&third, NULL);
            compare(&third, &whole, 1);
            release(&first);
            release(&second);
            release(&third);
        }
        release(&whole);
    }
    support_remove_directory(directory);
}

/* The second pass of a step begins at the same rows. */
Test(rank_cache, serves_second_passes)
{
    run live = { .options = { .batch = 16, .shards = 4 }, .optimizer = "sam:rho=0.2/adam:lr=0.01" }, cached = live;
    cached.options.cache_bytes = 1 << 20;
    run spread = cached;
    train(&live, NULL);
    train(&cached, NULL);
    run_ranks(4, train, &spread);
    cr_assert(!live.cached[0][EPOCHS - 1] && cached.cached[0][EPOCHS - 1] && spread.cached[3][EPOCHS - 1]);
    compare(&cached, &live, 1);
    compare(&spread, &live, 4);
    release(&live);
    release(&cached);
    release(&spread);
}

Test(rank_cache, ranks_must_agree_on_its_size)
{
    run spread = { .options = { .batch = 16, .shards = 2, .cache_bytes = 1 << 20 }, .spoiled = 1 };
    run_ranks(2, train, &spread);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(spread.statuses[i], THAW_INVALID_ARGUMENT);
        cr_assert_not_null(strstr(spread.messages[i], "the feature cache"), "%s", spread.messages[i]);
    }
    release(&spread);
}
