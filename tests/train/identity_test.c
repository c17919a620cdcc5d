/* A data set that can tell what it holds is not read through for the key of a cache file, and is told apart by what it
   tells; augmented data are not cached, and the log says why. */
#include <string.h>

#include "support/files.h"
#include "support/max_cpu.h"
#include "support/network.h"

enum { COUNT = 40, BATCH = 8 };

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

static bool read_counted(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    (void)message, (void)capacity;
    *(size_t *)user += count;
    for (size_t i = 0; i < count; i++) {
        support_fill(samples + i * NETWORK_SAMPLE, NETWORK_SAMPLE, (uint32_t)indices[i] + 1);
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % NETWORK_CLASSES);
    }
    return true;
}

static void keep_message(void *user, thaw_log_level level, const char *message)
{
    (void)level;
    strncpy(user, message, 511);
}

/* Trains two epochs with the cache file; returns how many samples were read. */
static size_t train(const thaw_source *like, bool selects, size_t *cached_epochs, char log[512])
{
    thaw_context *context;
    cr_assert_eq(thaw_context_create(&(thaw_context_options){ .threads = 1,
                                                              .max_cpu = support_max_cpu(),
                                                              .seed = 1,
                                                              .log = keep_message,
                                                              .log_user = log },
                                     &context),
                 THAW_OK);
    thaw_model *model = support_network(context, false);
    support_optimize(model, "sgd:lr=0.01");
    support_train_only(model, 0x1C);
    size_t reads = 0;
    thaw_source source = *like;
    source.count = COUNT;
    source.sample_shape = (thaw_shape){ .rank = 3, .dims = { 9, 7, 2 } };
    source.target_dtype = THAW_I32;
    source.classes = NETWORK_CLASSES;
    source.read = read_counted;
    source.user = &reads;
    thaw_dataset *data, *selected = NULL;
    assert_ok(context, thaw_dataset_create(context, &source, &data));
    if (selects)
        assert_ok(context, thaw_dataset_select(context, data, &(thaw_dataset_selection){ .per_class = 5 }, &selected));
    reads = 0;
    thaw_epoch_result epoch_result;
    const thaw_fit_options options = { .epochs = 2, .batch = BATCH, .cache_file = path };
    assert_ok(context, thaw_fit(model, selected ? selected : data, &options, &epoch_result));
    *cached_epochs = epoch_result.cached;
    thaw_dataset_destroy(selected);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return reads;
}

Test(identity, spares_reading_the_data_for_a_key, .init = set_up, .fini = tear_down)
{
    size_t cached;
    char log[512] = "";
    const thaw_source one = { .identity = { 1, 2 } }, other = { .identity = { 1, 3 } }, unknown = { 0 };
    cr_assert_eq(train(&one, false, &cached, log), BATCH + COUNT, "one batch for the probe, one epoch");
    cr_assert(cached);
    cr_assert_eq(train(&one, false, &cached, log), BATCH, "the file serves both epochs");
    cr_assert_eq(train(&other, false, &cached, log), BATCH + COUNT, "other data");
    cr_assert_eq(train(&unknown, false, &cached, log), COUNT + COUNT, "data that cannot tell are read once more");
    cr_assert_eq(train(&unknown, false, &cached, log), COUNT, "and then the file serves");
}

Test(identity, is_that_of_what_was_selected, .init = set_up, .fini = tear_down)
{
    size_t cached;
    char log[512] = "";
    const size_t half = 5 * NETWORK_CLASSES;
    const thaw_source one = { .identity = { 1, 2 } }, other = { .identity = { 1, 3 } };
    cr_assert_eq(train(&one, true, &cached, log), BATCH + half);
    cr_assert_eq(train(&one, true, &cached, log), BATCH);
    cr_assert_eq(train(&other, true, &cached, log), BATCH + half);
}

Test(identity, of_augmented_data_means_nothing, .init = set_up, .fini = tear_down)
{
    size_t cached;
    char log[512] = "";
    cr_assert_eq(train(&(thaw_source){ .identity = { 1, 2 }, .random = true }, false, &cached, log), 2 * COUNT);
    cr_assert(!cached);
    cr_assert_not_null(strstr(log, "no feature cache: the training data is augmented"), "log: %s", log);
}
