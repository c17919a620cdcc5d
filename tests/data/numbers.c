#include "data/numbers.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/support.h"

static bool read_numbers(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    numbers *from = user;
    from->reads++;
    if (from->sleep_microseconds)
        nanosleep(&(struct timespec){ .tv_nsec = from->sleep_microseconds * 1000 }, NULL);
    for (size_t i = 0; i < count; i++) {
        if (from->fails && indices[i] == from->fails_at) {
            snprintf(message, capacity, "the needle jumps");
            return false;
        }
        for (size_t j = 0; j < NUMBERS_WIDTH; j++)
            samples[i * NUMBERS_WIDTH + j] = (float)(indices[i] * (j + 1));
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % 4);
    }
    return true;
}

thaw_dataset *numbers_open(thaw_context *context, numbers *from)
{
    const thaw_source source = {
        .count = from->count,
        .sample_shape = { .rank = 1, .dims = { NUMBERS_WIDTH } },
        .target_dtype = THAW_I32,
        .classes = 4,
        .read = read_numbers,
        .user = from,
    };
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_create(context, &source, &dataset));
    return dataset;
}

void numbers_check(const thaw_batch *batch)
{
    cr_assert_eq((uintptr_t)batch->samples % 64, 0);
    cr_assert_eq((uintptr_t)batch->targets % 64, 0);
    for (size_t i = 0; i < batch->count; i++) {
        for (size_t j = 0; j < NUMBERS_WIDTH; j++)
            cr_assert(batch->samples[i * NUMBERS_WIDTH + j] == (float)(batch->indices[i] * (j + 1)));
        cr_assert_eq(((const int32_t *)batch->targets)[i], (int32_t)(batch->indices[i] % 4));
    }
}

size_t numbers_read_epoch(thaw_context *context, thaw_loader *loader, uint64_t epoch, size_t *order)
{
    size_t count = 0, steps = 0;
    thaw_loader_start_epoch(loader, epoch);
    for (;;) {
        thaw_batch batch;
        assert_ok(context, thaw_loader_next(loader, &batch));
        if (batch.count == 0)
            break;
        numbers_check(&batch);
        memcpy(order + count, batch.indices, batch.count * sizeof *order);
        count += batch.count;
        steps++;
    }
    cr_assert_eq(steps, thaw_loader_steps(loader));
    return count;
}
