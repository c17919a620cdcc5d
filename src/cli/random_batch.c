#include "cli/random_batch.h"

#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"

static void fill_samples(float *values, size_t count)
{
    uint32_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223; /* Numerical Recipes */
        values[i] = (float)(state >> 8) / (1 << 24);
    }
}

static thaw_shape batch_of(int64_t batch, const thaw_shape *sample)
{
    thaw_shape shape = { .rank = sample->rank + 1, .dims = { batch } };
    memcpy(&shape.dims[1], sample->dims, (size_t)sample->rank * sizeof sample->dims[0]);
    return shape;
}

/* All networks of the zoo are classifiers. */
int cli_random_batch_create(const cli_session *session, cli_random_batch *batch)
{
    const int64_t count = (int64_t)session->options->batch;
    const thaw_shape *sample = thaw_model_node_shape(session->model, 0);
    const size_t classes = thaw_shape_count(thaw_model_node_shape(session->model, thaw_model_output(session->model)));
    const size_t values = (size_t)count * thaw_shape_count(sample);
    float *samples = malloc(values * sizeof *samples);
    int32_t *labels = malloc((size_t)count * sizeof *labels);
    *batch = (cli_random_batch){ { THAW_F32, batch_of(count, sample), samples }, thaw_view_i32(labels, 1, &count) };
    if (!samples || !labels) {
        cli_random_batch_release(batch);
        return cli_fail("plan", "out of memory");
    }
    fill_samples(samples, values);
    for (int64_t i = 0; i < count; i++)
        labels[i] = (int32_t)((size_t)i % classes);
    return CLI_DONE;
}

void cli_random_batch_release(cli_random_batch *batch)
{
    free(batch->inputs.data);
    free(batch->targets.data);
}
