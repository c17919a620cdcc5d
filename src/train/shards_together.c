#include <string.h>

#include "plan/shard_places.h"
#include "plan/store.h"
#include "train/shards.h"

/* The shards of this process in one step. Those without samples are the last. */
typedef struct together {
    thaw_model *model;
    thaw_taken_step *taken;
    thaw_shard_sum *sum;
    thaw_shard_range range;
    size_t count, filled; /* all of them, and those that have samples */
} together;

/* ---- one shard ---- */

/* Binds a shard's plan to its values. */
static thaw_status enter(const together *t, size_t index)
{
    thaw_shard_place *place = thaw_plan_place(t->model, index);
    thaw_plan_enter_place(place->plan, index);
    place->plan->program.step = place->step;
    return thaw_feed_part(place->plan, t->taken, place->part);
}

static void leave(const together *t, size_t index)
{
    thaw_shard_place *place = thaw_plan_place(t->model, index);
    place->step = place->plan->program.step;
}

/* Whether the shard's plan has run another one in this step: parameters have not changed since. */
static bool runs_again(const together *t, size_t index)
{
    const thaw_plan *plan = thaw_plan_place(t->model, index)->plan;
    for (size_t i = 0; i < index; i++)
        if (thaw_plan_place(t->model, i)->plan == plan)
            return true;
    return false;
}

static thaw_status begin(const together *t, size_t index)
{
    thaw_shard_place *place = thaw_plan_place(t->model, index);
    place->step =
        (thaw_program_step){ .updates = thaw_plan_updates(t->model), .sum = t->sum, .again = runs_again(t, index) };
    thaw_status status = enter(t, index);
    if (status == THAW_OK)
        status = thaw_run_part_prefix(place->plan, t->taken->batch);
    leave(t, index);
    return status;
}

/* After forward, while the shard's plan is bound to its values. */
static thaw_status end_forward(const together *t, size_t index)
{
    thaw_plan *plan = thaw_plan_place(t->model, index)->plan;
    thaw_shard_outcome *outcome = &thaw_shard_sum_outcomes(t->sum)[t->range.first + index];
    const size_t largest = thaw_shard_part_of(t->taken->batch->all, t->range.shards, 0).count;
    const thaw_status status = thaw_find_outcome(plan, outcome);
    return status == THAW_OK ? thaw_weigh_shard(plan, outcome, largest) : status;
}

/* Runs a shard to the next sums that are shared, or to the end of a section. */
static thaw_status advance(const together *t, size_t index, thaw_section last, bool *waits)
{
    thaw_shard_place *place = thaw_plan_place(t->model, index);
    thaw_plan *plan = place->plan;
    const size_t past = plan->program.first[last + 1], stop = thaw_program_find_share(plan, place->next, past);
    thaw_status status = enter(t, index);
    if (status == THAW_OK)
        status = thaw_program_run_range(plan, place->next, stop);
    *waits = stop < past;
    if (*waits)
        place->sums = plan->nodes[plan->program.instructions[stop].node].bound.capabilities.sums;
    else if (status == THAW_OK && last == THAW_SECTION_LOSS)
        status = end_forward(t, index);
    place->next = stop;
    leave(t, index);
    return status;
}

/* ---- all shards ---- */

/* Gives all shards, which wait at the same layer, the sums of the whole step. */
static thaw_status share(const together *t)
{
    const thaw_shard_place *first = thaw_plan_place(t->model, 0);
    const size_t numbers = first->plan->program.instructions[first->next].count;
    double *all = (double *)(uintptr_t)first->sums.all, *own = all + t->range.first * numbers;
    thaw_status status = THAW_OK;
    memset(own, 0, t->count * numbers * sizeof *own);
    for (size_t i = 0; i < t->filled; i++)
        memcpy(own + i * numbers, thaw_plan_place(t->model, i)->sums.own, numbers * sizeof *own);
    for (size_t i = 0; i < t->filled; i++) {
        thaw_shard_place *place = thaw_plan_place(t->model, i);
        place->step.met = ++place->next;
    }
    if (t->taken->communicator)
        status = thaw_shard_sum_share(t->sum, t->taken->communicator, all, t->count * numbers * sizeof *all);
    for (size_t i = 1; i < t->filled; i++)
        memcpy((double *)(uintptr_t)thaw_plan_place(t->model, i)->sums.all, all,
               t->range.shards * numbers * sizeof *all);
    return status;
}

static thaw_status run_sections(const together *t, thaw_section first, thaw_section last)
{
    thaw_status status = THAW_OK;
    bool waits = t->filled > 0;
    for (size_t i = 0; i < t->filled; i++) {
        thaw_shard_place *place = thaw_plan_place(t->model, i);
        place->next = place->plan->program.first[first];
    }
    while (waits && status == THAW_OK) {
        for (size_t i = 0; i < t->filled && status == THAW_OK; i++)
            status = advance(t, i, last, &waits);
        if (waits && status == THAW_OK)
            status = share(t);
    }
    return status;
}

/* Finds the plans, and the memory, of all shards before the first one runs. */
static thaw_status find_plans(together *t, const thaw_plan *other)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < t->count && status == THAW_OK; i++) {
        const thaw_shard_part part = thaw_shard_part_of(t->taken->batch->all, t->range.shards, t->range.first + i);
        thaw_plan *plan;
        if (part.count == 0)
            break;
        status = thaw_find_part_plan(other, t->taken->batch, part, t->range, &plan);
        if (status != THAW_OK)
            break;
        thaw_shard_place *place = thaw_plan_place(t->model, i);
        place->plan = plan;
        other = plan; /* that before may be released for the next one */
        place->part = part;
        t->filled = i + 1;
    }
    return status;
}

/* In the order of the shards. */
static thaw_status add_up(const together *t)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < t->count && status == THAW_OK; i++) {
        if (i >= t->filled) {
            thaw_shard_sum_add_nothing(t->sum);
            continue;
        }
        status = enter(t, i);
        if (status == THAW_OK)
            status = thaw_program_run(thaw_plan_place(t->model, i)->plan, THAW_SECTION_SUM);
    }
    return status;
}

static thaw_status run_all(const together *t)
{
    thaw_phase_seconds *phases = t->taken->batch->phases;
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < t->filled && status == THAW_OK; i++)
        status = begin(t, i);
    if (status == THAW_OK)
        status = run_sections(t, THAW_SECTION_FORWARD, THAW_SECTION_LOSS);
    thaw_end_phase(phases ? &phases->forward : NULL, &t->taken->start);
    if (status == THAW_OK)
        status = run_sections(t, THAW_SECTION_BACKWARD, THAW_SECTION_BACKWARD);
    thaw_end_phase(phases ? &phases->backward : NULL, &t->taken->start);
    return status == THAW_OK ? add_up(t) : status;
}

thaw_status thaw_run_shards_together(thaw_plan **plan, thaw_taken_step *taken)
{
    thaw_model *model = (*plan)->program.model;
    thaw_shard_sum *sum = thaw_plan_shard_sum(model);
    const thaw_shard_range range = thaw_shard_sum_range(sum);
    together t = { .model = model, .taken = taken, .sum = sum, .range = range, .count = range.past - range.first };
    thaw_status status = find_plans(&t, *plan);
    if (status != THAW_OK) {
        *plan = NULL;
        return status;
    }
    status = run_all(&t);
    if (t.filled > 0) {
        const thaw_shard_place *first = thaw_plan_place(model, 0);
        const size_t met = status == THAW_OK ? first->plan->program.first[THAW_SECTION_SUM] : first->step.met;
        *plan = first->plan;
        (*plan)->program.step = (thaw_program_step){
            .updates = thaw_plan_updates(model), .sum = sum, .communicator = taken->communicator, .met = met
        };
    }
    thaw_plan_enter_place(*plan, 0);
    return status;
}
