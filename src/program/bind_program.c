/* Binds instructions to the memory of nodes, and nodes to the values that a step is fed with. */
#include <string.h>

#include "plan/plan.h"

static size_t sample_count(const thaw_plan *plan, thaw_node node)
{
    return thaw_shape_count(thaw_plan_shape(plan, node));
}

static size_t batch_count(const thaw_plan *plan, thaw_node node)
{
    return (size_t)plan->batch * sample_count(plan, node);
}

/* ---- instructions ---- */

static void bind_forward_conversion(const thaw_plan *plan, thaw_instruction *instruction)
{
    const thaw_plan_node *planned = &plan->nodes[instruction->node];
    const int64_t samples = planned->tiled ? plan->tile : plan->batch;
    instruction->from = (thaw_values){ planned->bound.run.output, planned->precision };
    instruction->into = (thaw_values){ planned->bound.copy, thaw_other_precision(planned->precision) };
    instruction->count = (size_t)samples * sample_count(plan, instruction->node);
}

/* From the spare buffer to the input's gradient. */
static void bind_gradient(const thaw_plan *plan, thaw_instruction *instruction)
{
    const thaw_plan_node *planned = &plan->nodes[instruction->node];
    const thaw_node source = planned->sources[instruction->index];
    instruction->into = (thaw_values){ plan->nodes[source].bound.gradient, plan->nodes[source].precision };
    instruction->from = (thaw_values){ planned->bound.input_gradients[instruction->index],
                                       thaw_input_precision(planned, instruction->index) };
    instruction->count = batch_count(plan, source);
}

static void bind_fed(const thaw_plan *plan, thaw_instruction *instruction)
{
    const thaw_plan_node *planned = &plan->nodes[instruction->node];
    void *into = planned->precision == THAW_F32 ? planned->bound.copy : planned->bound.run.output;
    instruction->into = (thaw_values){ into, THAW_BF16 };
    instruction->count = batch_count(plan, instruction->node);
}

static void bind_mask(const thaw_plan *plan, thaw_instruction *instruction)
{
    const thaw_plan_node *planned = &plan->nodes[instruction->node];
    const bool marks = instruction->kind == THAW_DO_MASK;
    instruction->from =
        (thaw_values){ marks ? planned->bound.run.output : planned->bound.gradient, planned->precision };
    instruction->into = (thaw_values){ marks ? NULL : planned->bound.input_gradients[0], planned->precision };
    instruction->count = batch_count(plan, instruction->node);
}

static thaw_layer_run *kernels_run(thaw_plan_node *planned, thaw_section section)
{
    const bool moved = section == THAW_SECTION_BACKWARD && planned->bound.second;
    return moved ? &planned->bound.second->run : &planned->bound.run;
}

static size_t count_sums(const thaw_plan *plan, const thaw_instruction *instruction)
{
    const thaw_plan_node *planned = &plan->nodes[instruction->node];
    return instruction->section == THAW_SECTION_BACKWARD ? planned->backward_sums : planned->forward_sums;
}

static void bind_instruction(thaw_plan *plan, thaw_instruction *instruction)
{
    thaw_plan_node *planned = instruction->node < 0 ? NULL : &plan->nodes[instruction->node];
    switch (instruction->kind) {
    case THAW_DO_FORWARD:
    case THAW_DO_REPACK:
        instruction->run = &planned->bound.run;
        break;
    case THAW_DO_RECOMPUTE:
    case THAW_DO_BACKWARD:
        instruction->run = kernels_run(planned, THAW_SECTION_BACKWARD);
        break;
    case THAW_DO_CONVERT:
        (instruction->section == THAW_SECTION_BACKWARD ? bind_gradient : bind_forward_conversion)(plan, instruction);
        break;
    case THAW_DO_ADD:
        bind_gradient(plan, instruction);
        break;
    case THAW_DO_MEASURE:
        instruction->run = kernels_run(planned, instruction->section);
        break;
    case THAW_DO_SHARE:
        instruction->count = count_sums(plan, instruction);
        break;
    case THAW_DO_FEED:
        bind_fed(plan, instruction);
        break;
    case THAW_DO_MASK:
    case THAW_DO_UNMASK:
        bind_mask(plan, instruction);
        break;
    default:
        break;
    }
}

/* ---- tiles ---- */

static void move(thaw_program *program, void *place, size_t sample_bytes)
{
    program->moved[program->moved_count++] = (thaw_moved_pointer){ place, sample_bytes };
}

static void list_moved_by_node(thaw_plan *plan, thaw_node index)
{
    thaw_plan_node *planned = &plan->nodes[index];
    for (size_t k = 0; k < planned->source_count; k++)
        if (!plan->nodes[planned->sources[k]].partial)
            move(&plan->program, &planned->bound.inputs[k],
                 sample_count(plan, planned->sources[k]) * thaw_dtype_bytes(thaw_input_precision(planned, k)));
    if (!planned->partial)
        move(&plan->program, &planned->bound.run.output,
             sample_count(plan, index) * thaw_dtype_bytes(planned->precision));
}

static void list_moved_by_conversion(thaw_plan *plan, thaw_instruction *instruction)
{
    const thaw_plan_node *planned = &plan->nodes[instruction->node];
    if (instruction->kind != THAW_DO_CONVERT || planned->partial)
        return;
    const size_t count = sample_count(plan, instruction->node);
    move(&plan->program, &instruction->from.data, count * thaw_dtype_bytes(instruction->from.dtype));
    move(&plan->program, &instruction->into.data, count * thaw_dtype_bytes(instruction->into.dtype));
}

/* Lists pointers of tiled nodes into values of the whole batch. */
static void list_moved(thaw_plan *plan)
{
    thaw_program *program = &plan->program;
    program->moved_count = 0;
    for (size_t i = plan->constant_count; i < plan->tiled_count; i++)
        if (plan->nodes[plan->order[i]].tiled)
            list_moved_by_node(plan, plan->order[i]);
    for (size_t i = 0; i < program->count; i++)
        for (size_t k = 1; k <= program->instructions[i].nested; k++)
            list_moved_by_conversion(plan, &program->instructions[i + k]);
}

/* ---- feeds ---- */

/* Readers of bfloat16 get it from an instruction that converts. */
static void list_readers(thaw_plan *plan)
{
    thaw_program *program = &plan->program;
    size_t count = 0;
    for (size_t f = 0; f < program->feed_count; f++) {
        thaw_feed *feed = &program->feeds[f];
        feed->first_reader = count;
        for (size_t i = 0; i < plan->order_count; i++) {
            thaw_plan_node *reader = &plan->nodes[plan->order[i]];
            for (size_t k = 0; k < reader->source_count; k++) {
                if (thaw_input_precision(reader, k) != THAW_F32 ||
                    plan->nodes[reader->sources[k]].origin != plan->nodes[feed->node].origin)
                    continue;
                program->readers[count++] = &reader->bound.inputs[k];
                if (reader->bound.second)
                    program->readers[count++] = &reader->bound.second->inputs[k];
            }
        }
        feed->past_reader = count;
    }
}

/* Points readers at values outside the arena; NULL: in the arena. */
static void feed(thaw_plan *plan, const thaw_feed *feed, const float *values)
{
    const thaw_node origin = plan->nodes[feed->node].origin;
    plan->nodes[origin].bound.fed = values;
    const float *read = thaw_plan_value(plan, origin, THAW_F32);
    for (size_t i = feed->first_reader; i < feed->past_reader; i++)
        *plan->program.readers[i] = read;
}

void thaw_program_feed_samples(thaw_plan *plan, const float *samples)
{
    const thaw_program *program = &plan->program;
    for (size_t i = 0; i < program->feed_count; i++)
        feed(plan, &program->feeds[i], program->feeds[i].boundary ? NULL : samples);
}

/* The beginnings of rows of which the plan reads no more. */
static void cut_rows(const float *from, size_t rows, size_t row, float *into, size_t kept)
{
    for (size_t i = 0; i < rows; i++)
        memcpy(into + i * kept, from + i * row, kept * sizeof *into);
}

int64_t thaw_program_features_length(const thaw_plan *plan, const float *features, size_t count, thaw_shard_part part)
{
    const thaw_model *model = plan->model;
    const thaw_program *program = &plan->program;
    for (size_t i = 0; i < program->feed_count && model->lengths; i++) {
        const thaw_node node = program->feeds[i].node;
        if (program->feeds[i].boundary && node == model->lengths->node)
            return thaw_model_lengths_length(model, features + part.first, 1, part.count, model->longest);
        features += program->feeds[i].boundary ? count * thaw_shape_count(&model->nodes[node].output) : 0;
    }
    return 0;
}

void thaw_program_feed_features(thaw_plan *plan, const float *features, size_t count, size_t first)
{
    const thaw_program *program = &plan->program;
    float *cut = plan->features;
    for (size_t i = 0; i < program->feed_count; i++) {
        if (!program->feeds[i].boundary)
            continue;
        const thaw_node node = program->feeds[i].node;
        const size_t row = thaw_shape_count(&plan->model->nodes[node].output), kept = sample_count(plan, node);
        const float *own = features + first * row;
        if (kept < row) {
            cut_rows(own, (size_t)plan->batch, row, cut, kept);
            own = cut;
            cut += (size_t)plan->batch * kept;
        }
        feed(plan, &program->feeds[i], own);
        features += count * row;
    }
}

void thaw_program_bind(thaw_plan *plan)
{
    for (size_t i = 0; i < plan->program.count; i++)
        bind_instruction(plan, &plan->program.instructions[i]);
    list_moved(plan);
    list_readers(plan);
    thaw_plan_list_staged(plan);
}
