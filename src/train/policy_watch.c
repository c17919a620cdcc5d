/* What a policy sees of the weights, their gradients and their updates. */
#include <math.h>

#include "params/expression.h"
#include "params/keeping.h"
#include "plan/store.h"
#include "train/policy_run.h"

enum { WATCHED_EVERY = 8 };

bool thaw_policy_watches_step(const thaw_policy_run *run)
{
    return run && run->watches & THAW_WATCH_GRADIENTS && run->steps % WATCHED_EVERY == 0;
}

static void add_gradients(thaw_policy_run *run, const thaw_plan *plan)
{
    thaw_update_list_squares(thaw_plan_updates(plan->model), run->parameter_squares);
    for (size_t i = 0; i < plan->trained_count; i++) {
        const size_t number = plan->trained[i]->stored->number;
        const size_t block = number < run->number_count ? run->block_of[number] : run->block_count;
        if (block < run->block_count)
            run->squares[block] += run->parameter_squares[i];
    }
    run->watched_steps++;
}

void thaw_policy_note_step(thaw_policy_run *run, const thaw_plan *plan, const thaw_step_result *result, bool watched)
{
    if (watched && !result->skipped)
        add_gradients(run, plan);
    run->steps++;
    run->loss += result->loss_total;
    run->weight += result->loss_weight;
}

/* Sums over one parameter, and its values now in place of those before. */
static void measure(const thaw_watched_parameter *watched, bool asked, double *weights, double *updates)
{
    float piece[1024];
    const thaw_parameter *parameter = watched->parameter;
    for (size_t first = 0; first < parameter->count; first += THAW_COUNT(piece)) {
        const size_t left = parameter->count - first, count = left < THAW_COUNT(piece) ? left : THAW_COUNT(piece);
        float *before = watched->before ? watched->before + first : NULL;
        thaw_parameter_read(parameter, first, count, piece);
        *weights += thaw_sum_of_squares(piece, count);
        for (size_t i = 0; before && i < count; i++) {
            const float now = piece[i];
            piece[i] = now - before[i];
            before[i] = now;
        }
        if (before && asked)
            *updates += thaw_sum_of_squares(piece, count);
    }
}

/* Blocks that do not train have kept their weights since they were measured. */
void thaw_policy_measure(thaw_policy_run *run)
{
    const bool weights = run->watches & THAW_WATCH_WEIGHTS, updates = run->watches & THAW_WATCH_UPDATES;
    for (size_t b = 0; b < run->block_count; b++) {
        thaw_policy_block *block = &run->blocks[b];
        double weight_sum = 0, update_sum = 0;
        const bool reads = (weights || updates) && (block->trains || !isfinite(block->weight_norm));
        for (size_t i = 0; reads && i < run->parameter_count; i++)
            if (run->parameters[i].block == b)
                measure(&run->parameters[i], run->asked, &weight_sum, &update_sum);
        if (reads)
            block->weight_norm = sqrt(weight_sum);
        block->update_norm = updates && run->asked ? sqrt(update_sum) : NAN;
        block->gradient_norm =
            run->watched_steps && block->trains ? sqrt(run->squares[b] / (double)run->watched_steps) : NAN;
    }
}
