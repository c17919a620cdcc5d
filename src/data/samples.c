#include "data/samples.h"

#include <string.h>

#include "core/allocation.h"
#include "data/arrays.h"
#include "data/dataset.h"
#include "data/selection.h"
#include "data/shuffle.h"

void thaw_samples_release(thaw_samples *samples)
{
    thaw_release(samples->context, samples->inputs.data);
    thaw_release(samples->context, samples->targets.data);
    thaw_target_scale_release(samples->context, &samples->scale);
    samples->inputs.data = samples->targets.data = NULL;
}

/* ---- splitting ---- */

static size_t row_bytes_of(const thaw_tensor *array)
{
    return thaw_shape_count(&array->shape) / (size_t)array->shape.dims[0] * thaw_dtype_bytes(array->dtype);
}

/* Moves the marked rows to `to`, and the others to the front. */
static thaw_status move_rows(thaw_context *context, thaw_tensor *from, const bool *marked, size_t count,
                             thaw_tensor *to)
{
    const size_t rows = (size_t)from->shape.dims[0], bytes = row_bytes_of(from);
    char *moved = thaw_allocate_raw(context, count * bytes), *all = from->data;
    if (!moved)
        return THAW_OUT_OF_MEMORY;
    *to = *from;
    to->data = moved;
    to->shape.dims[0] = (int64_t)count;
    size_t kept = 0;
    for (size_t i = 0; i < rows; i++) {
        if (marked[i])
            moved = mempcpy(moved, all + i * bytes, bytes);
        else if (kept++ != i)
            memcpy(all + (kept - 1) * bytes, all + i * bytes, bytes);
    }
    from->shape.dims[0] = (int64_t)kept;
    return THAW_OK;
}

static size_t share_of(size_t rows, double share)
{
    const size_t count = (size_t)((double)rows * share + 0.5);
    return count < 1 ? 1 : count >= rows ? rows - 1 : count;
}

thaw_status thaw_samples_draw(thaw_context *context, size_t rows, double share, uint64_t seed, bool **marked,
                              size_t *count)
{
    *marked = NULL;
    if (rows < 2)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: there is only one sample, which cannot be split");
    *count = share_of(rows, share);
    size_t *order = thaw_allocate_array(context, rows, sizeof *order);
    bool *marks = thaw_allocate_array(context, rows, sizeof *marks);
    if (!order || !marks) {
        thaw_release(context, order);
        thaw_release(context, marks);
        return THAW_OUT_OF_MEMORY;
    }
    thaw_shuffle(context, seed, 0, order, rows);
    for (size_t i = 0; i < *count; i++)
        marks[order[i]] = true;
    thaw_release(context, order);
    *marked = marks;
    return THAW_OK;
}

thaw_status thaw_samples_move(thaw_samples *samples, const bool *marked, size_t count, thaw_samples *test)
{
    thaw_context *context = samples->context;
    *test = *samples;
    test->inputs.data = test->targets.data = NULL;
    test->scale = (thaw_target_scale){ 0 };
    const thaw_status status = move_rows(context, &samples->inputs, marked, count, &test->inputs);
    return status == THAW_OK ? move_rows(context, &samples->targets, marked, count, &test->targets) : status;
}

/* ---- making a data set ---- */

/* All of the content: two runs on the same bytes are on the same data. */
static void identify(const thaw_samples *samples, uint64_t identity[2])
{
    thaw_digest digest = { 0 };
    thaw_digest_add(&digest, samples->inputs.data,
                    (size_t)samples->inputs.shape.dims[0] * row_bytes_of(&samples->inputs));
    thaw_digest_add(&digest, samples->targets.data,
                    (size_t)samples->targets.shape.dims[0] * row_bytes_of(&samples->targets));
    thaw_digest_add_number(&digest, (uint64_t)samples->inputs.dtype << 32 | (uint64_t)samples->task);
    memcpy(identity, digest.lane, sizeof digest.lane);
}

thaw_status thaw_samples_make(thaw_samples *samples, const thaw_dataset_selection *selection, thaw_dataset **dataset)
{
    thaw_context *context = samples->context;
    uint64_t identity[2];
    *dataset = NULL;
    identify(samples, identity);
    const thaw_tensor inputs = samples->inputs, targets = samples->targets;
    samples->inputs.data = samples->targets.data = NULL;
    thaw_dataset *made;
    thaw_status status =
        thaw_dataset_from_owned(context, &inputs, &targets, &samples->sample_shape, samples->classes, &made);
    if (status == THAW_OK && samples->class_names &&
        (status = thaw_dataset_name_classes(made, samples->class_names)) != THAW_OK)
        thaw_dataset_destroy(made);
    if (status != THAW_OK)
        return status;
    memcpy(made->source.identity, identity, sizeof identity);
    made->task = samples->task;
    made->missing = samples->missing;
    made->form = samples->form;
    if (samples->columns || samples->labels)
        status = thaw_dataset_note_columns(made, samples->columns, samples->labels);
    if (status == THAW_OK)
        status = thaw_target_scale_copy(context, &samples->scale, &made->scale);
    if (status != THAW_OK) {
        thaw_dataset_destroy(made);
        return status;
    }
    if (selection)
        return thaw_select_owned(context, made, selection, dataset);
    *dataset = made;
    return THAW_OK;
}
