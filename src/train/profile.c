/* Runs whose instructions are timed. */
#include "train/profile.h"

#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "core/clock.h"
#include "core/context.h"
#include "core/threads.h"
#include "plan/store.h"
#include "train/batch.h"
#include "train/inputs.h"

enum { WARM_UP = 3, DEFAULT_STEPS = 20 };

/* Times of each instruction of a run, then the rest and the whole. A row has those of one run. */
typedef struct times {
    double *rows;
    size_t instructions, columns, runs;
} times;

static double *row_of(const times *t, size_t run)
{
    return t->rows + run * t->columns;
}

static thaw_status begin_times(thaw_context *context, size_t instructions, size_t runs, times *t)
{
    size_t size;
    *t = (times){ .instructions = instructions, .columns = instructions + 2, .runs = runs };
    if (thaw_multiply_sizes(t->columns, runs, &size))
        t->rows = thaw_allocate_array(context, size, sizeof *t->rows);
    return t->rows ? THAW_OK : THAW_OUT_OF_MEMORY;
}

/* `row` gets the times of a run. */
static thaw_status time_run(thaw_plan *plan, thaw_profiled_run profiled, const times *t, double *row)
{
    thaw_program *program = &plan->program;
    for (size_t i = 0; i < t->instructions; i++)
        program->instructions[i].seconds = 0;
    program->rest = 0;
    program->timed = true;
    const double start = program->clock = thaw_seconds();
    const thaw_status status = profiled.run(profiled.argument);
    const double end = thaw_seconds();
    program->timed = false;
    for (size_t i = 0; i < t->instructions; i++)
        row[i] = program->instructions[i].seconds;
    row[t->instructions] = program->rest + end - program->clock;
    row[t->instructions + 1] = end - start;
    return status;
}

/* Sorts rows by the time of their whole run, which is their last number. */
static int by_run(const void *left, const void *right)
{
    const double *const *a = left, *const *b = right;
    const double x = (*a)[-1], y = (*b)[-1];
    return (x > y) - (x < y);
}

/* Adds up the faster half of the runs, which other processes disturbed least, and divides by their number. Means, in
   contrast to medians, of instructions add up to that of the run. */
static thaw_status average(thaw_context *context, const times *t, double *means)
{
    const size_t kept = (t->runs + 1) / 2;
    const double **ends = thaw_allocate_array(context, t->runs, sizeof *ends);
    if (!ends)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < t->runs; i++)
        ends[i] = row_of(t, i) + t->columns;
    qsort(ends, t->runs, sizeof *ends, by_run);
    for (size_t k = 0; k < t->columns; k++) {
        double sum = 0;
        for (size_t i = 0; i < kept; i++)
            sum += ends[i][(ptrdiff_t)k - (ptrdiff_t)t->columns];
        means[k] = sum / (double)kept;
    }
    thaw_release(context, (void *)(uintptr_t)ends);
    return THAW_OK;
}

thaw_status thaw_profile_runs(thaw_plan *plan, thaw_profiled_run profiled, size_t runs, double *seconds,
                              double *rest_seconds, double *run_seconds)
{
    thaw_context *context = plan->model->context;
    const size_t count = plan->program.count;
    double *means = thaw_allocate_array(context, count + 2, sizeof *means);
    times t = { 0 };
    thaw_status status = means ? begin_times(context, count, runs, &t) : THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < runs && status == THAW_OK; i++)
        status = time_run(plan, profiled, &t, row_of(&t, i));
    if (status == THAW_OK)
        status = average(context, &t, means);
    if (status == THAW_OK) {
        memcpy(seconds, means, count * sizeof *seconds);
        *rest_seconds = means[count];
        *run_seconds = means[count + 1];
    }
    thaw_release(context, t.rows);
    thaw_release(context, means);
    return status;
}

/* ---- training steps ---- */

typedef struct training_step {
    thaw_model *model;
    const thaw_training_batch *batch;
} training_step;

/* Runs one step as thaw_step does, including the look-up of the plan. */
static thaw_status run_step(void *argument)
{
    const training_step *step = argument;
    thaw_plan *plan;
    thaw_step_result ignored;
    const thaw_status status = thaw_plan_find(step->model, step->batch->count, true, &plan);
    if (status != THAW_OK)
        return status;
    return thaw_train_batch(plan, step->batch, &(thaw_step_options){ .rate_factor = 1 }, step->model->context->seed,
                            &ignored);
}

thaw_status thaw_model_profile(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets, size_t steps,
                               double *seconds, double *rest_seconds, double *step_seconds)
{
    thaw_status status = THAW_OK;
    for (int i = 0; i < WARM_UP && status == THAW_OK; i++)
        status = thaw_step(model, inputs, targets, NULL, NULL);
    if (status != THAW_OK)
        return status;
    thaw_packed_batch given;
    status = thaw_check_inputs(model, inputs, &given);
    if (status == THAW_OK)
        status = thaw_pack_inputs(model, inputs, &given);
    if (status != THAW_OK)
        return status;
    const thaw_training_batch batch = { .count = given.count,
                                        .all = (size_t)given.count,
                                        .samples = given.samples,
                                        .targets = targets ? targets->data : NULL };
    const thaw_thread_scope scope = thaw_threads_enter(model->context);
    training_step step = { model, &batch };
    thaw_plan *plan;
    status = thaw_plan_find(model, batch.count, true, &plan);
    if (status == THAW_OK)
        status = thaw_profile_runs(plan, (thaw_profiled_run){ run_step, &step }, steps ? steps : DEFAULT_STEPS, seconds,
                                   rest_seconds, step_seconds);
    thaw_threads_leave(scope);
    return status;
}
