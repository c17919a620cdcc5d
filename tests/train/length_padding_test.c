/* How much of the batches of an epoch is padding, and at how many lengths they run. */
#include <stdlib.h>
#include <string.h>

#include "data/loader.h"
#include "graph/model.h"
#include "support/support.h"

enum { COUNT = 6413, BATCH = 32, LONGEST = 128 };

/* Of the short descriptions of Debian's packages in tokens: 40 quantiles, and a few of the longest. */
static const int32_t drawn_from[] = { 5,  6,  7,  7,  8,  8,  8,  9,  9,  9,  10, 10, 10, 10, 10, 11, 11, 11,
                                      11, 12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 16, 16, 17,
                                      17, 18, 19, 22, 5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 25, 34 };

static thaw_dataset *make_data(thaw_context *context, int32_t *lengths, int longer)
{
    static float samples[COUNT];
    static int32_t labels[COUNT];
    thaw_dataset *data = NULL;
    support_fill(samples, COUNT, 3);
    for (int i = 0; i < COUNT; i++) {
        const size_t quantile = (size_t)((samples[i] + 1) / 2 * (float)THAW_COUNT(drawn_from));
        lengths[i] = longer * drawn_from[quantile < THAW_COUNT(drawn_from) ? quantile : 0];
    }
    const thaw_tensor inputs = thaw_view_f32(samples, 2, (int64_t[]){ COUNT, 1 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ COUNT });
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, 2, &data));
    assert_ok(context, thaw_dataset_set_lengths(data, lengths));
    return data;
}

typedef struct padding {
    double share;
    int lengths;
} padding;

static padding measure(thaw_context *context, int longer, const thaw_loader_options *options)
{
    static int32_t lengths[COUNT];
    const thaw_model model = { .longest = LONGEST };
    thaw_dataset *data = make_data(context, lengths, longer);
    thaw_loader *loader = NULL;
    bool runs[LONGEST + 1] = { false };
    double tokens = 0, steps = 0;
    padding found = { 0 };
    thaw_batch batch;
    assert_ok(context, thaw_loader_create(context, data, options, &loader));
    thaw_loader_start_epoch(loader, 1);
    for (;;) {
        int32_t longest = 0;
        assert_ok(context, thaw_loader_next(loader, &batch));
        if (batch.count == 0)
            break;
        for (size_t i = 0; i < batch.count; i++) {
            const int32_t length = lengths[batch.indices[i]];
            longest = length > longest ? length : longest;
            tokens += length;
        }
        const int64_t rounded = thaw_model_round_length(&model, longest);
        found.lengths += !runs[rounded];
        runs[rounded] = true;
        steps += (double)((int64_t)batch.count * (rounded ? rounded : LONGEST));
    }
    found.share = 1 - tokens / steps;
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(data);
    return found;
}

/* Texts of about 12 tokens, and of about 36. */
Test(length_padding, is_small_for_short_texts)
{
    thaw_context *context = support_context(1);
    for (int longer = 1; longer <= 3; longer += 2)
        for (int training = 0; training < 2; training++) {
            const thaw_loader_options options = { .batch = BATCH, .shuffle = training, .by_length = !training };
            const padding found = measure(context, longer, &options);
            cr_assert(found.share > 0 && found.share <= 0.05, "%g, times %d", found.share, longer);
            cr_assert_leq(found.lengths, 40);
        }
    thaw_context_destroy(context);
}
