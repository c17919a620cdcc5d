/* What a data set is told of epochs, through loaders and selections. */
#include "data/loader.h"
#include "support/support.h"

enum { COUNT = 11 };

static bool read_epoch_number(void *user, const size_t *indices, size_t count, float *samples, void *targets,
                              char *message, size_t capacity)
{
    (void)message, (void)capacity;
    for (size_t i = 0; i < count; i++) {
        samples[i] = (float)*(const uint64_t *)user;
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % 3);
    }
    return true;
}

static void note_epoch(void *user, uint64_t epoch)
{
    *(uint64_t *)user = epoch;
}

static thaw_dataset *open_epochs(thaw_context *context, uint64_t *epoch, bool wants_to_know)
{
    const thaw_source source = {
        .count = COUNT,
        .sample_shape = { .rank = 1, .dims = { 1 } },
        .target_dtype = THAW_I32,
        .classes = 3,
        .random = true,
        .start_epoch = wants_to_know ? note_epoch : NULL,
        .read = read_epoch_number,
        .user = epoch,
    };
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_create(context, &source, &dataset));
    return dataset;
}

static void assert_reads(thaw_context *context, thaw_dataset *dataset, float wanted)
{
    const size_t index = 1;
    float sample;
    int32_t label;
    assert_ok(context, thaw_dataset_read(dataset, &index, 1, &sample, &label));
    cr_assert(sample == wanted, "read %g, wanted %g", (double)sample, (double)wanted);
}

Test(epochs, reach_the_source_and_what_was_selected_from_it)
{
    thaw_context *context = support_context(1);
    uint64_t epoch = 0;
    thaw_dataset *dataset = open_epochs(context, &epoch, true), *selected;
    assert_ok(context, thaw_dataset_select(context, dataset, &(thaw_dataset_selection){ .repeat = 2 }, &selected));
    assert_reads(context, dataset, 0);
    thaw_dataset_start_epoch(dataset, 7);
    assert_reads(context, dataset, 7);
    thaw_dataset_start_epoch(selected, 8);
    assert_reads(context, selected, 8);
    thaw_dataset_destroy(selected);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(epochs, may_be_all_alike)
{
    thaw_context *context = support_context(1);
    uint64_t epoch = 3;
    thaw_dataset *dataset = open_epochs(context, &epoch, false);
    thaw_dataset_start_epoch(dataset, 7);
    assert_reads(context, dataset, 3);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(epochs, are_each_readers_own)
{
    thaw_context *context = support_context(1);
    uint64_t epoch = 0;
    thaw_dataset *dataset = open_epochs(context, &epoch, true), *selected;
    thaw_loader *loaders[2];
    assert_ok(context, thaw_dataset_select(context, dataset, &(thaw_dataset_selection){ .repeat = 2 }, &selected));
    thaw_dataset_start_epoch(dataset, 7);
    for (uint64_t i = 0; i < 2; i++) {
        const thaw_loader_options options = { .batch = 2, .on_caller = i == 1 };
        assert_ok(context, thaw_loader_create(context, i ? selected : dataset, &options, &loaders[i]));
        thaw_loader_start_epoch(loaders[i], i + 1);
    }
    for (size_t step = 0; step < thaw_loader_steps(loaders[0]); step++)
        for (size_t i = 0; i < 2; i++) {
            thaw_batch batch;
            assert_ok(context, thaw_loader_next(loaders[i], &batch));
            cr_assert(batch.samples[0] == (float)(i + 1), "read %g in epoch %zu", (double)batch.samples[0], i + 1);
            assert_reads(context, dataset, 7);
        }
    thaw_loader_destroy(loaders[0]);
    thaw_loader_destroy(loaders[1]);
    thaw_dataset_destroy(selected);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

static void check_loader(thaw_context *context, thaw_dataset *dataset, bool on_caller)
{
    thaw_loader *loader;
    assert_ok(context, thaw_loader_create(context, dataset,
                                          &(thaw_loader_options){ .batch = 2, .on_caller = on_caller }, &loader));
    /* The second epoch is broken off while its batches are read ahead. */
    for (uint64_t epoch = 1; epoch < 4; epoch++) {
        thaw_loader_start_epoch(loader, epoch);
        for (size_t step = 0; step < (epoch == 2 ? 1 : thaw_loader_steps(loader)); step++) {
            thaw_batch batch;
            assert_ok(context, thaw_loader_next(loader, &batch));
            for (size_t i = 0; i < batch.count; i++)
                cr_assert(batch.samples[i] == (float)epoch, "read %g in epoch %d", (double)batch.samples[i],
                          (int)epoch);
        }
    }
    thaw_loader_destroy(loader);
}

Test(epochs, are_told_by_a_loader_before_it_reads)
{
    thaw_context *context = support_context(1);
    uint64_t epoch = 0;
    thaw_dataset *dataset = open_epochs(context, &epoch, true);
    check_loader(context, dataset, false);
    check_loader(context, dataset, true);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}
