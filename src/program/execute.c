/* Runs a program: one loop over bound instructions. */
#include "core/clock.h"
#include "kernels/bit_mask.h"
#include "program/instructions.h"
#include "program/poison.h"

/* ---- kernels ---- */

static void hand_step(const thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_layer_run *run = instruction->run;
    const thaw_program_step *step = &plan->program.step;
    run->target = step->target;
    run->mixed = step->mixed;
    run->random.seed = step->random.seed;
    run->random.step = step->random.step;
    run->random.origin =
        step->first ? step->first * thaw_shape_count(&plan->model->nodes[instruction->node].output) : 0;
}

static thaw_status do_measure(thaw_plan *plan, const thaw_instruction *instruction)
{
    hand_step(plan, instruction);
    const thaw_layer_capabilities *offered = plan->model->nodes[instruction->node].capabilities;
    const bool backward = instruction->section == THAW_SECTION_BACKWARD;
    return (backward ? offered->measure_gradients : offered->measure)(instruction->run);
}

static thaw_status do_forward(thaw_plan *plan, const thaw_instruction *instruction)
{
    hand_step(plan, instruction);
    return plan->model->nodes[instruction->node].module->forward(instruction->run);
}

static thaw_status do_recompute(thaw_plan *plan, const thaw_instruction *instruction)
{
    hand_step(plan, instruction);
    return plan->model->nodes[instruction->node].module->recompute(instruction->run);
}

/* Forgets what a layer found out in the last step. */
static void forget_finite(const thaw_plan_node *planned)
{
    for (size_t k = 0; k < THAW_MAX_PARAMETERS; k++)
        if (planned->bound.finite[k])
            *planned->bound.finite[k] = false;
}

static thaw_status do_backward(thaw_plan *plan, const thaw_instruction *instruction)
{
    hand_step(plan, instruction);
    forget_finite(&plan->nodes[instruction->node]);
    return plan->model->nodes[instruction->node].module->backward(instruction->run);
}

static thaw_status do_stage(thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_plan_stage_statistics(plan, instruction->node);
    return THAW_OK;
}

/* ---- values ---- */

static thaw_status do_convert(thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_values_convert(plan->model->context, instruction->into, instruction->from, instruction->count);
    return THAW_OK;
}

static thaw_status do_feed(thaw_plan *plan, const thaw_instruction *instruction)
{
    const thaw_values from = { (void *)(uintptr_t)plan->nodes[instruction->node].bound.fed, THAW_F32 };
    thaw_values_convert(plan->model->context, instruction->into, from, instruction->count);
    return THAW_OK;
}

static thaw_status do_add(thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_values_add(plan->model->context, instruction->into, instruction->from, instruction->count);
    return THAW_OK;
}

static thaw_status do_mask(thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_bit_mask_mark(plan->model->context, plan->nodes[instruction->node].bound.mask, instruction->from,
                       instruction->count);
    return THAW_OK;
}

static thaw_status do_unmask(thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_bit_mask_apply(plan->model->context, instruction->into, plan->nodes[instruction->node].bound.mask,
                        instruction->from, instruction->count);
    return THAW_OK;
}

static thaw_status do_keep(thaw_plan *plan, const thaw_instruction *instruction)
{
    (void)instruction;
    plan->program.step.keep(plan->program.step.argument, plan);
    return THAW_OK;
}

static thaw_status do_poison(thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_poison(plan, instruction->index, instruction->past);
    return THAW_OK;
}

static thaw_status do_poison_gradients(thaw_plan *plan, const thaw_instruction *instruction)
{
    (void)instruction;
    thaw_poison_gradients(plan);
    return THAW_OK;
}

/* ---- tiles ---- */

/* Advances the pointers of tiled nodes into values of the whole batch. */
static void move_tiles(thaw_program *program, int64_t samples)
{
    for (size_t i = 0; i < program->moved_count; i++) {
        char **pointer = program->moved[i].place;
        *pointer += samples * (int64_t)program->moved[i].sample_bytes;
    }
}

/* The last tile ends with the batch. It may overlap the one before, whose values it computes again. */
static thaw_status do_tiles(thaw_plan *plan, const thaw_instruction *instruction)
{
    thaw_program *program = &plan->program;
    const size_t first = (size_t)(instruction - program->instructions) + 1;
    thaw_status status = THAW_OK;
    int64_t at = 0;
    while (status == THAW_OK) {
        status = thaw_program_run_range(plan, first, first + instruction->nested);
        const int64_t left = plan->batch - plan->tile - at;
        if (left == 0)
            break;
        const int64_t on = left < plan->tile ? left : plan->tile;
        move_tiles(program, on);
        at += on;
    }
    move_tiles(program, -at);
    return status;
}

/* ---- the loop ---- */

static thaw_status (*const run_kind[THAW_INSTRUCTION_KINDS])(thaw_plan *plan, const thaw_instruction *instruction) = {
    [THAW_DO_RESTORE] = thaw_do_restore,
    [THAW_DO_EVALUATE] = thaw_do_evaluate,
    [THAW_DO_REEVALUATE] = thaw_do_reevaluate,
    [THAW_DO_PACK] = thaw_do_pack,
    [THAW_DO_REPACK] = thaw_do_repack,
    [THAW_DO_TILES] = do_tiles,
    [THAW_DO_MEASURE] = do_measure,
    [THAW_DO_SHARE] = thaw_do_share,
    [THAW_DO_FORWARD] = do_forward,
    [THAW_DO_CONVERT] = do_convert,
    [THAW_DO_FEED] = do_feed,
    [THAW_DO_MASK] = do_mask,
    [THAW_DO_STAGE] = do_stage,
    [THAW_DO_KEEP] = do_keep,
    [THAW_DO_RECOMPUTE] = do_recompute,
    [THAW_DO_BACKWARD] = do_backward,
    [THAW_DO_SCALE] = thaw_do_scale,
    [THAW_DO_UNMASK] = do_unmask,
    [THAW_DO_PROPAGATE] = thaw_do_propagate,
    [THAW_DO_ACCUMULATE] = thaw_do_accumulate,
    [THAW_DO_ADD] = do_add,
    [THAW_DO_FINAL] = thaw_do_final,
    [THAW_DO_SUM] = thaw_do_sum,
    [THAW_DO_TOTAL] = thaw_do_total,
    [THAW_DO_NORM] = thaw_do_norm,
    [THAW_DO_CHECK] = thaw_do_check,
    [THAW_DO_UPDATE] = thaw_do_update,
    [THAW_DO_POISON] = do_poison,
    [THAW_DO_POISON_GRADIENTS] = do_poison_gradients,
};

/* Seconds since the last call, or since timing began: no time is lost between two calls. */
static double take_time(thaw_program *program)
{
    const double before = program->clock;
    program->clock = thaw_seconds();
    return program->clock - before;
}

static thaw_status run_timed(thaw_plan *plan, size_t first, size_t past)
{
    thaw_program *program = &plan->program;
    thaw_status status = THAW_OK;
    for (size_t i = first; i < past && status == THAW_OK; i += 1 + program->instructions[i].nested) {
        thaw_instruction *instruction = &program->instructions[i];
        status = run_kind[instruction->kind](plan, instruction);
        instruction->seconds += take_time(program);
    }
    return status;
}

thaw_status thaw_program_run_range(thaw_plan *plan, size_t first, size_t past)
{
    const thaw_instruction *instructions = plan->program.instructions;
    if (plan->program.timed)
        return run_timed(plan, first, past);
    thaw_status status = THAW_OK;
    for (size_t i = first; i < past && status == THAW_OK; i += 1 + instructions[i].nested)
        status = run_kind[instructions[i].kind](plan, &instructions[i]);
    return status;
}

thaw_status thaw_program_run(thaw_plan *plan, thaw_section section)
{
    if (plan->program.timed)
        plan->program.rest += take_time(&plan->program);
    return thaw_program_run_range(plan, plan->program.first[section], plan->program.first[section + 1]);
}

/* Versions only increase, and so does their sum. */
static uint64_t sum_watched(const thaw_program *program)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < program->watched_count; i++)
        sum += program->watched[i]->version;
    return sum;
}

thaw_status thaw_program_prepare(thaw_plan *plan)
{
    thaw_program *program = &plan->program;
    const uint64_t versions = sum_watched(program);
    if (program->prepared && program->seen_versions == versions &&
        program->seen_absences == plan->model->parameters.absences)
        return THAW_OK;
    const thaw_status status = thaw_program_run(plan, THAW_SECTION_ONCE);
    program->prepared = status == THAW_OK;
    program->seen_versions = versions;
    program->seen_absences = plan->model->parameters.absences;
    return status;
}

const float *thaw_plan_output(const thaw_plan *plan, thaw_node node)
{
    return thaw_plan_value(plan, plan->nodes[node].origin, THAW_F32);
}
