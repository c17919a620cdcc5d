/* What each of several ranks reads of the data. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/network.h"
#include "support/ranks.h"

enum { READ_SAMPLES = 40, READ_FEATURES = 3 };

static atomic_size_t reads[MOST_RANKS];

/* `user`: a counter of samples; fails at sample 33 on the rank whose counter is odd. */
static bool read_samples(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    atomic_fetch_add((atomic_size_t *)user, 2 * count);
    for (size_t i = 0; i < count; i++) {
        if (indices[i] == 33 && *(atomic_size_t *)user % 2) {
            snprintf(message, capacity, "sample 33 is broken");
            return false;
        }
        support_fill(samples + i * READ_FEATURES, READ_FEATURES, (uint32_t)indices[i]);
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % 2);
    }
    return true;
}

typedef struct reading {
    int broken; /* the rank on which sample 33 cannot be read; -1: none */
    thaw_status statuses[MOST_RANKS];
    char messages[MOST_RANKS][THAW_REASON_BYTES];
} reading;

static void read_and_train(void *argument, const thaw_communicator *communicator)
{
    reading *taken = argument;
    const int own = communicator->rank;
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_dataset *data;
    thaw_node x;
    atomic_store(&reads[own], own == taken->broken);
    const thaw_source source = { .count = READ_SAMPLES,
                                 .sample_shape = { 1, { READ_FEATURES } },
                                 .target_dtype = THAW_I32,
                                 .classes = 2,
                                 .read = read_samples,
                                 .user = &reads[own] };
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &source.sample_shape, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = 2 }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    support_optimize(model, "sgd:lr=0.1");
    assert_ok(context, thaw_dataset_create(context, &source, &data));
    const thaw_fit_options options = {
        .epochs = 2, .batch = 8, .no_shuffle = true, .cache_bytes = 1 << 20, .communicator = communicator
    };
    taken->statuses[own] = thaw_fit(model, data, &options, NULL);
    snprintf(taken->messages[own], THAW_REASON_BYTES, "%s", thaw_context_message(context));
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Before, ranks compare the first and the last sample of data that have no identity. */
Test(rank_reading, each_reads_its_share)
{
    reading taken = { .broken = -1 };
    run_ranks(4, read_and_train, &taken);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(taken.statuses[i], THAW_OK, "rank %d: %s", i, taken.messages[i]);
        cr_assert_eq(atomic_load(&reads[i]) / 2, 2 * READ_SAMPLES / 4 + 2, "rank %d reads %zu samples in 2 epochs", i,
                     atomic_load(&reads[i]) / 2);
    }
}

/* Samples 32 to 39 are the last batch; of 4 ranks the first has 32 and 33. */
Test(rank_reading, a_rank_that_cannot_read_stops_the_others, .timeout = 60)
{
    reading taken = { .broken = 0 };
    run_ranks(4, read_and_train, &taken);
    for (int i = 0; i < 4; i++) {
        cr_assert_eq(taken.statuses[i], THAW_IO_ERROR, "rank %d: %s", i, thaw_status_name(taken.statuses[i]));
        cr_assert_not_null(strstr(taken.messages[i], "sample 33 is broken"), "rank %d: %s", i, taken.messages[i]);
        cr_assert(i == 0 || strstr(taken.messages[i], "rank 0: "), "rank %d: %s", i, taken.messages[i]);
    }
}
