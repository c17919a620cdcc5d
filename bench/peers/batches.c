/* Batches of tokens from a file, which text_batches.py writes: raw 32-bit numbers. First how many batches there are; then
   of each the samples, their length, labels per sample, ids [samples, length], lengths [samples] and labels. */
#include <stdio.h>
#include <stdlib.h>

#include "worker.h"

static bool read_numbers(FILE *file, size_t count, int32_t *numbers)
{
    return fread(numbers, sizeof *numbers, count, file) == count;
}

/* Labels are [samples], or [samples, labels] if a sample has several. */
static bool read_batch(FILE *file, worker_batch *batch)
{
    int32_t sizes[3];
    if (!read_numbers(file, 3, sizes) || sizes[0] < 1 || sizes[1] < 1 || sizes[2] < 1)
        return false;
    const int64_t samples = sizes[0], ids = samples * sizes[1], labels = samples * sizes[2];
    int32_t *numbers = malloc((size_t)(ids + samples + labels) * sizeof *numbers);
    batch->inputs[0] = thaw_view_i32(numbers, 2, (int64_t[]){ samples, sizes[1] });
    if (!numbers || !read_numbers(file, (size_t)(ids + samples + labels), numbers))
        return false;
    batch->inputs[1] = thaw_view_i32(numbers + ids, 1, &samples);
    batch->targets = thaw_view_i32(numbers + ids + samples, sizes[2] > 1 ? 2 : 1, (int64_t[]){ samples, sizes[2] });
    return true;
}

bool worker_batches_read(const char *path, worker_batches *batches)
{
    FILE *file = fopen(path, "rb");
    int32_t count = 0;
    bool done = file && read_numbers(file, 1, &count) && count > 0;
    *batches = (worker_batches){ 0 };
    if (done)
        done = (batches->each = calloc((size_t)count, sizeof *batches->each)) != NULL;
    while (done && batches->count < (size_t)count)
        done = read_batch(file, &batches->each[batches->count++]);
    if (file)
        fclose(file);
    if (!done)
        fprintf(stderr, "worker: %s cannot be read\n", path);
    return done;
}

void worker_batches_release(worker_batches *batches)
{
    for (size_t i = 0; i < batches->count; i++)
        free(batches->each[i].inputs[0].data);
    free(batches->each);
}
