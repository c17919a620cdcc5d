/* Training steps whose instructions are timed. */
#include <stdlib.h>

#include "core/allocation.h"
#include "core/clock.h"
#include "core/context.h"
#include "core/threads.h"
#include "train/batch.h"

enum { WARM_UP = 3, DEFAULT_STEPS = 20 };

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

/* Runs one step. times[i * stride] gets the time of instruction i; the place after the last gets the step's time. */
static thaw_status time_step(thaw_plan *plan, const thaw_training_batch *batch, double *times, size_t stride)
{
    thaw_program *program = &plan->program;
    thaw_step_result ignored;
    for (size_t i = 0; i < program->count; i++)
        program->instructions[i].seconds = 0;
    program->timed = true;
    const double start = thaw_seconds();
    const thaw_status status =
        thaw_train_batch(plan, batch, &(thaw_step_options){ .rate_factor = 1 }, plan->model->context->seed, &ignored);
    times[program->count * stride] = thaw_seconds() - start;
    program->timed = false;
    for (size_t i = 0; i < program->count; i++)
        times[i * stride] = program->instructions[i].seconds;
    return status;
}

/* Moves the times of the faster half of the steps to the front of each row, and returns their number: these were
   least disturbed by other processes. Medians over all steps would not add up, as each instruction is disturbed in
   other steps. */
static size_t keep_faster(double *times, size_t rows, size_t steps)
{
    const size_t kept = (steps + 1) / 2;
    const double *totals = times + (rows - 1) * steps;
    for (size_t place = 0; place < kept; place++) {
        size_t fastest = place;
        for (size_t i = place + 1; i < steps; i++)
            fastest = totals[i] < totals[fastest] ? i : fastest;
        for (size_t row = 0; row < rows; row++) {
            double *values = times + row * steps, moved = values[fastest];
            values[fastest] = values[place];
            values[place] = moved;
        }
    }
    return kept;
}

static thaw_status time_steps(thaw_plan *plan, const thaw_training_batch *batch, size_t steps, double *seconds,
                              double *step_seconds)
{
    const size_t count = plan->program.count;
    double *times = NULL;
    size_t size;
    if (thaw_multiply_sizes(count + 1, steps, &size))
        times = thaw_allocate_array(plan->model->context, size, sizeof *times);
    thaw_status status = times ? THAW_OK : THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < steps && status == THAW_OK; i++)
        status = time_step(plan, batch, times + i, steps);
    const size_t kept = status == THAW_OK ? keep_faster(times, count + 1, steps) : 0;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        seconds[i] = median(times + i * steps, kept);
    if (status == THAW_OK)
        *step_seconds = median(times + count * steps, kept);
    thaw_release(plan->model->context, times);
    return status;
}

thaw_status thaw_model_profile(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets, size_t steps,
                               double *seconds, double *step_seconds)
{
    thaw_status status = THAW_OK;
    for (int i = 0; i < WARM_UP && status == THAW_OK; i++)
        status = thaw_step(model, inputs, targets, NULL, NULL);
    if (status != THAW_OK)
        return status;
    const thaw_training_batch batch = { .count = inputs->shape.dims[0],
                                        .samples = inputs->data,
                                        .targets = targets->data };
    const thaw_thread_scope scope = thaw_threads_enter(model->context);
    thaw_plan *plan;
    status = thaw_plan_find(model, batch.count, true, &plan);
    if (status == THAW_OK)
        status = time_steps(plan, &batch, steps ? steps : DEFAULT_STEPS, seconds, step_seconds);
    thaw_threads_leave(scope);
    return status;
}
