/* The loader under a caller that hurries, dawdles, breaks off and destroys, for ThreadSanitizer, which cannot run
   Criterion's tests. Without it, a check of the content only. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/workers.h"
#include "data/loader.h"
#include "support/max_cpu.h"

enum { COUNT = 500, WIDTH = 32, ROUNDS = 200 };

typedef struct job {
    const size_t *indices;
    float *samples, *targets;
} job;

static void read_number(void *argument, size_t worker, size_t item)
{
    (void)worker;
    const job *now = argument;
    for (size_t j = 0; j < WIDTH; j++)
        now->samples[item * WIDTH + j] = (float)(now->indices[item] + j);
    now->targets[item] = (float)now->indices[item];
}

/* As folders of images are read: by workers. */
static bool read_numbers(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    (void)message, (void)capacity;
    thaw_workers_run(user, count, read_number, &(job){ indices, samples, targets });
    return true;
}

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "loader_stress: %s\n", what);
    exit(1);
}

static void check(const thaw_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        require(((const float *)batch->targets)[i] == (float)batch->indices[i] &&
                    batch->samples[i * WIDTH + WIDTH - 1] == (float)(batch->indices[i] + WIDTH - 1),
                "a batch changed under its caller");
}

static void run(thaw_context *context, thaw_dataset *dataset, unsigned round)
{
    thaw_loader *loader;
    const thaw_loader_options options = { .batch = 1 + round % 37, .shuffle = round % 2, .drop_last = round % 3 == 0 };
    require(thaw_loader_create(context, dataset, &options, &loader) == THAW_OK, "no loader");
    for (unsigned epoch = 0; epoch < 1 + round % 4; epoch++) {
        const size_t stop = epoch % 2 ? SIZE_MAX : round % 29; /* every other epoch is broken off */
        thaw_loader_start_epoch(loader, epoch);
        thaw_batch batch = { .count = 1 };
        for (size_t i = 0; i < stop && batch.count; i++) {
            require(thaw_loader_next(loader, &batch) == THAW_OK, "no batch");
            if (i % 5 == round % 5)
                usleep(50);
            check(&batch);
        }
    }
    thaw_loader_destroy(loader);
}

int main(void)
{
    thaw_context *context;
    thaw_dataset *dataset;
    thaw_workers *workers;
    require(thaw_context_create(&(thaw_context_options){ .threads = 1, .max_cpu = support_max_cpu() }, &context) ==
                THAW_OK,
            "no context");
    require(thaw_workers_create(context, 3, &workers) == THAW_OK, "no workers");
    const thaw_source source = {
        .count = COUNT,
        .sample_shape = { .rank = 1, .dims = { WIDTH } },
        .target_dtype = THAW_F32,
        .read = read_numbers,
        .user = workers,
    };
    require(thaw_dataset_create(context, &source, &dataset) == THAW_OK, "no data set");
    for (unsigned round = 0; round < ROUNDS; round++)
        run(context, dataset, round);
    thaw_dataset_destroy(dataset);
    thaw_workers_destroy(workers);
    thaw_context_destroy(context);
    return 0;
}
