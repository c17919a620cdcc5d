/* Data of K views: epoch e trains on view e mod K, with the same bits whether the outputs of the frozen prefix are kept,
   found in a file, or computed. Expected weights are those of a data set without views that draws by e mod K itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/files.h"
#include "support/max_cpu.h"
#include "support/network.h"

enum { COUNT = 45, BATCH = 16, EPOCHS = 9, VIEWS = 3, ROW = 30 * 4 + 4, STRIDE = 192, HEADER = 4096 };

typedef struct viewed {
    size_t modulus; /* 0: draws what it is told */
    uint64_t told;
    size_t reads;
} viewed;

static void start_epoch(void *user, uint64_t epoch)
{
    ((viewed *)user)->told = epoch;
}

static bool read_views(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                       size_t capacity)
{
    viewed *own = user;
    (void)message, (void)capacity;
    const uint64_t drawn = own->modulus ? own->told % own->modulus : own->told;
    own->reads += count;
    for (size_t i = 0; i < count; i++) {
        support_fill(samples + i * NETWORK_SAMPLE, NETWORK_SAMPLE, (uint32_t)(indices[i] + 1000 * drawn + 1));
        ((int32_t *)targets)[i] = (int32_t)((indices[i] + drawn) % NETWORK_CLASSES);
    }
    return true;
}

static void note(void *user, thaw_log_level level, const char *message)
{
    char *log = user;
    (void)level;
    const size_t length = strlen(log);
    snprintf(log + length, 4096 - length, "%s\n", message);
}

typedef struct run {
    thaw_fit_options options; /* batch and epochs are filled in */
    size_t views, modulus;    /* of the data */
    uint64_t identity;
    thaw_epoch_result results[EPOCHS + 1]; /* by epoch */
    float *weights;
    size_t count, reads;
    char log[4096];
} run;

static bool note_epoch(void *user, const thaw_epoch_result *result)
{
    ((run *)user)->results[result->epoch] = *result;
    return true;
}

static void train(run *now)
{
    thaw_context *context;
    const thaw_context_options quiet = {
        .threads = 2, .max_cpu = support_max_cpu(), .seed = 1, .log = note, .log_user = now->log
    };
    cr_assert_eq(thaw_context_create(&quiet, &context), THAW_OK);
    viewed own = { .modulus = now->modulus };
    const thaw_source source = { .count = COUNT,
                                 .sample_shape = { 3, { 9, 7, 2 } },
                                 .target_dtype = THAW_I32,
                                 .classes = NETWORK_CLASSES,
                                 .random = true,
                                 .views = now->views,
                                 .identity = { now->identity, now->identity },
                                 .start_epoch = start_epoch,
                                 .read = read_views,
                                 .user = &own };
    thaw_dataset *data;
    assert_ok(context, thaw_dataset_create(context, &source, &data));
    thaw_model *model = support_network(context, true);
    support_optimize(model, "adam:lr=0.01");
    support_train_only(model, 0x1C);
    thaw_fit_options options = now->options;
    options.batch = BATCH;
    options.epochs = EPOCHS;
    options.on_epoch = note_epoch;
    options.user = now;
    assert_ok(context, thaw_fit(model, data, &options, NULL));
    now->weights = support_weights(model, &now->count);
    now->reads = own.reads;
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void release(run *now)
{
    free(now->weights);
    now->weights = NULL;
}

/* A run on data without views that draws by the epoch mod `views` gives the weights. */
static void check_equal(const run *found, size_t views)
{
    run plain = { .options = found->options, .modulus = views };
    plain.options.cache_bytes = 0;
    plain.options.cache_file = NULL;
    train(&plain);
    cr_assert_eq(plain.reads, EPOCHS * COUNT);
    cr_assert(memcmp(found->weights, plain.weights, plain.count * sizeof(float)) == 0, "other weights; %s", found->log);
    for (int epoch = 1; epoch <= EPOCHS; epoch++)
        cr_assert_eq(found->results[epoch].loss, plain.results[epoch].loss, "epoch %d", epoch);
    release(&plain);
}

/* The first `views` epochs are computed, and the rest are cached. */
static void check_fills(const run *found, size_t views)
{
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        cr_assert_eq(found->results[epoch].cached, (size_t)epoch > views, "epoch %d", epoch);
        cr_assert_eq(found->results[epoch].views, views);
        cr_assert_eq(found->results[epoch].view, (size_t)epoch % views);
    }
    cr_assert_eq(found->reads, views * COUNT, "%zu samples were read", found->reads);
}

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void set_up(void)
{
    support_make_directory(directory);
    support_path(path, directory, "features");
}

static void tear_down(void)
{
    support_remove_directory(directory);
}

TestSuite(cache_views, .init = set_up, .fini = tear_down);

Test(cache_views, have_the_bits_of_live_epochs)
{
    run live = { .views = VIEWS }, cached = { .views = VIEWS, .options = { .cache_bytes = VIEWS * COUNT * ROW } };
    train(&live);
    check_equal(&live, VIEWS);
    cr_assert_eq(live.reads, EPOCHS * COUNT);
    train(&cached);
    check_equal(&cached, VIEWS);
    check_fills(&cached, VIEWS);
    cr_assert_eq(cached.results[EPOCHS].cache_bytes, VIEWS * COUNT * ROW);
    release(&live);
    release(&cached);
}

Test(cache_views, are_found_in_a_file)
{
    run filled = { .views = VIEWS, .identity = 7, .options = { .cache_file = path } }, found = filled;
    train(&filled);
    check_equal(&filled, VIEWS);
    cr_assert_eq(filled.results[EPOCHS].cache_bytes, VIEWS * COUNT * ROW);
    train(&found);
    check_equal(&found, VIEWS);
    cr_assert(found.results[1].cached);
    cr_assert_eq(found.reads, BATCH, "one batch for the key, not %zu", found.reads);
    release(&filled);
    release(&found);
}

/* Other data, other numbers of views, and data that cannot tell, which are read in all their views. */
Test(cache_views, are_told_apart)
{
    static const struct {
        size_t views;
        uint64_t identity;
        size_t reads;
    } runs[] = { { 3, 7, BATCH + 3 * COUNT },     { 2, 7, BATCH + 2 * COUNT },
                 { 2, 8, BATCH + 2 * COUNT },     { 2, 8, BATCH },
                 { 2, 0, 2 * COUNT + 2 * COUNT }, { 2, 0, 2 * COUNT } };
    for (size_t i = 0; i < THAW_COUNT(runs); i++) {
        run now = { .views = runs[i].views, .identity = runs[i].identity, .options = { .cache_file = path } };
        train(&now);
        cr_assert_eq(now.reads, runs[i].reads, "run %zu reads %zu samples, not %zu", i, now.reads, runs[i].reads);
        check_equal(&now, runs[i].views);
        release(&now);
    }
}

Test(cache_views, are_as_many_as_fit)
{
    run memory = { .views = VIEWS, .options = { .cache_bytes = VIEWS * COUNT * ROW - 1 } };
    run file = { .views = VIEWS,
                 .options = { .cache_file = path, .cache_file_bytes = HEADER + VIEWS * COUNT * STRIDE - 1 } };
    train(&memory);
    check_equal(&memory, VIEWS - 1);
    check_fills(&memory, VIEWS - 1);
    cr_assert_not_null(strstr(memory.log, "room for 2 of the 3 views of each sample: epochs go through 2"), "%s",
                       memory.log);
    train(&file);
    check_equal(&file, VIEWS - 1);
    cr_assert_eq(file.results[EPOCHS].views, VIEWS - 1);
    struct stat about;
    cr_assert(stat(path, &about) == 0);
    cr_assert_eq(about.st_size, HEADER + (VIEWS - 1) * COUNT * STRIDE);
    release(&memory);
    release(&file);
}

Test(cache_views, need_room_for_one)
{
    run now = { .views = VIEWS, .options = { .cache_bytes = 8 * COUNT } };
    train(&now);
    check_equal(&now, VIEWS);
    cr_assert_eq(now.reads, EPOCHS * COUNT);
    cr_assert_eq(now.results[EPOCHS].views, VIEWS);
    cr_assert_not_null(strstr(now.log,
                              "no feature cache: the outputs of the frozen layers have 120 bytes per sample and "
                              "view, its budget allows 4"),
                       "%s", now.log);
    release(&now);
}

/* No later epoch would read them. */
Test(cache_views, are_not_kept_for_nobody)
{
    run now = { .views = EPOCHS, .options = { .cache_bytes = 1 << 20 } };
    train(&now);
    check_equal(&now, EPOCHS);
    cr_assert_eq(now.results[EPOCHS].cache_bytes, 0);
    release(&now);
}

/* conv2 trains from epoch 5 on. */
Test(cache_views, follow_what_thaws)
{
    const thaw_strategy_rule rules[] = { { .epoch = 5, .pattern = "conv2", .action = THAW_ACTION_UNFREEZE } };
    const thaw_strategy strategy = { .name = "own", .rules = rules, .rule_count = 1 };
    run now = { .views = VIEWS, .options = { .cache_bytes = 1 << 20, .strategy = &strategy } };
    train(&now);
    check_equal(&now, VIEWS);
    for (int epoch = 1; epoch <= EPOCHS; epoch++)
        cr_assert_eq(now.results[epoch].cached, epoch == 4 || epoch >= 8, "epoch %d", epoch);
    release(&now);
}

/* Values are rounded in the epochs that fill the cache as in those that read it. */
Test(cache_views, are_kept_in_bfloat16)
{
    run memory = { .views = VIEWS, .options = { .cache_bytes = 1 << 20, .cache_dtype = THAW_BF16 } };
    run filled = { .views = VIEWS, .identity = 7, .options = { .cache_file = path, .cache_dtype = THAW_BF16 } };
    run found = filled, floats = { .views = VIEWS };
    train(&memory);
    train(&filled);
    train(&found);
    train(&floats);
    cr_assert_eq(memory.results[EPOCHS].cache_bytes, VIEWS * COUNT * (30 * 2 + 4));
    cr_assert(found.results[1].cached && !filled.results[1].cached);
    const size_t bytes = memory.count * sizeof(float);
    cr_assert(memcmp(memory.weights, filled.weights, bytes) == 0);
    cr_assert(memcmp(memory.weights, found.weights, bytes) == 0);
    cr_assert(memcmp(memory.weights, floats.weights, bytes) != 0, "nothing was rounded");
    release(&memory);
    release(&filled);
    release(&found);
    release(&floats);
}
