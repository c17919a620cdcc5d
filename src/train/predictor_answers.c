/* What the answers of a predictor mean. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <thaw/runtime.h>
#include <thaw/train.h>

#include "data/class_names.h"
#include "io/name_list.h"
#include "train/predictor.h"
#include "train/probabilities.h"

/* ---------------------------------------------------------------- opening */

thaw_status thaw_predictor_refuse_tokens(const thaw_predictor *made, const thaw_predictor_opening *from)
{
    return thaw_fail(made->context, THAW_UNSUPPORTED,
                     "%s: it answers for each token, for which a predictor has no names; let it write outputs",
                     from->path);
}

thaw_status thaw_predictor_find_task(thaw_predictor *made, const thaw_predictor_opening *from)
{
    static const char *const names[] = {
        [THAW_TASK_CLASSES] = "classes", [THAW_TASK_LABELS] = "labels", [THAW_TASK_REGRESSION] = "regression"
    };
    const char *task = thaw_notes_find(&made->notes, "thaw.task");
    const char *targets = thaw_notes_find(&made->notes, "thaw.targets");
    made->raw = from->options->layer || from->options->outputs || from->options->features;
    if (made->raw)
        return THAW_OK;
    size_t which = THAW_TASK_CLASSES;
    while (task && which < THAW_COUNT(names) && strcmp(task, names[which]) != 0)
        which++;
    if (task && strcmp(task, "tokens") == 0)
        return thaw_predictor_refuse_tokens(made, from);
    if (which == THAW_COUNT(names))
        return thaw_fail(made->context, THAW_UNSUPPORTED,
                         "%s: its task is %.40s, must be classes, labels or regression", from->path, task);
    made->task = (thaw_task)which;
    return made->task == THAW_TASK_REGRESSION && targets ? thaw_target_scale_read(made->context, targets, &made->scale)
                                                         : THAW_OK;
}

static size_t count_answers(const thaw_predictor *predictor)
{
    return thaw_shape_count(thaw_predictor_answer(predictor));
}

/* Classes are counted from 0, columns from 1. */
static thaw_status number_answers(thaw_predictor *made)
{
    const size_t count = count_answers(made);
    made->numbers = thaw_allocate_array(made->context, count, sizeof *made->numbers);
    if (!made->numbers)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++)
        snprintf(made->numbers[i], sizeof made->numbers[i], made->classes ? "%zu" : "column %zu",
                 made->classes ? i : i + 1);
    return THAW_OK;
}

/* The names of classes, or of the columns that are labels or numbers. */
static thaw_status read_names(thaw_predictor *made, const thaw_predictor_opening *from, size_t *count)
{
    if (from->options->class_names)
        return thaw_copy_class_names(made->context, from->options->class_names, *count, &made->names);
    if (made->classes)
        return thaw_notes_classes(&made->notes, &made->names, count);
    const char *labels = thaw_notes_find(&made->notes, "thaw.labels");
    return labels ? thaw_name_list_read(made->context, "thaw.labels", labels, &made->names, count) : THAW_OK;
}

thaw_status thaw_predictor_name_answers(thaw_predictor *made, const thaw_predictor_opening *from)
{
    const size_t answers = count_answers(made);
    size_t count = answers;
    if (made->raw)
        return THAW_OK;
    made->classes = made->task == THAW_TASK_CLASSES ? answers : 0;
    thaw_status status = read_names(made, from, &count);
    if (status == THAW_OK && made->scale.count && made->scale.count != answers)
        status =
            thaw_fail(made->context, THAW_BAD_FORMAT, "%s: thaw.targets scale %zu numbers, the network has %zu outputs",
                      from->path, made->scale.count, answers);
    if (status == THAW_OK && !made->names)
        return number_answers(made);
    if (status == THAW_OK && count != answers)
        status = thaw_fail(made->context, THAW_BAD_FORMAT, "%s: %s has %zu names, the network %zu outputs", from->path,
                           made->classes ? "thaw.classes" : "thaw.labels", count, answers);
    return status;
}

/* ---------------------------------------------------------------- reading */

thaw_task thaw_predictor_task(const thaw_predictor *predictor)
{
    return predictor->task;
}

const char *thaw_predictor_answer_name(const thaw_predictor *predictor, size_t index)
{
    if (predictor->raw || index >= count_answers(predictor))
        return NULL;
    return predictor->names ? predictor->names[index] : predictor->numbers[index];
}

const char *thaw_predictor_class_name(const thaw_predictor *predictor, size_t index)
{
    return index < predictor->classes ? thaw_predictor_answer_name(predictor, index) : NULL;
}

/* ---------------------------------------------------------------- answers */

/* Of one sample, in place. */
static void convert(const thaw_predictor *predictor, float *scores, size_t count)
{
    switch (predictor->task) {
    case THAW_TASK_CLASSES:
        thaw_make_probabilities(scores, count);
        return;
    case THAW_TASK_LABELS:
        for (size_t i = 0; i < count; i++)
            scores[i] = (float)(1 / (1 + exp(-(double)scores[i])));
        return;
    case THAW_TASK_REGRESSION:
        for (size_t i = 0; i < count; i++)
            scores[i] = (float)thaw_target_number(&predictor->scale, i, (double)scores[i]);
        return;
    case THAW_TASK_TOKENS: /* it was refused */
        return;
    }
}

thaw_status thaw_predictor_samples(thaw_predictor *predictor, const thaw_tensor *samples, float *scores)
{
    const int64_t count = samples->shape.rank ? samples->shape.dims[0] : 0;
    const thaw_shape *answer = thaw_predictor_answer(predictor);
    thaw_tensor outputs = { .dtype = THAW_F32, .shape = { answer->rank + 1, { count } }, .data = scores };
    if (answer->rank == THAW_MAX_RANK)
        return thaw_fail(predictor->context, THAW_UNSUPPORTED,
                         "the layer's values have %d dimensions, at most %d are possible", answer->rank,
                         THAW_MAX_RANK - 1);
    memcpy(&outputs.shape.dims[1], answer->dims, (size_t)answer->rank * sizeof answer->dims[0]);
    const thaw_status status = thaw_predict(predictor->model, samples, &outputs);
    const size_t elements = count_answers(predictor);
    for (int64_t i = 0; status == THAW_OK && !predictor->raw && i < count; i++)
        convert(predictor, scores + (size_t)i * elements, elements);
    return status;
}
