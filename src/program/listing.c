/* A program as readable text. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "plan/plan.h"

static const char *const section_names[THAW_SECTIONS] = {
    [THAW_SECTION_ONCE] = "once",         [THAW_SECTION_PREFIX] = "prefix",   [THAW_SECTION_KEEP] = "keep",
    [THAW_SECTION_CACHED] = "cached",     [THAW_SECTION_FORWARD] = "forward", [THAW_SECTION_LOSS] = "loss",
    [THAW_SECTION_BACKWARD] = "backward", [THAW_SECTION_SUM] = "sum",         [THAW_SECTION_TOTAL] = "total",
    [THAW_SECTION_CLIP] = "clip",         [THAW_SECTION_CHECK] = "check",     [THAW_SECTION_UPDATE] = "update",
};

static const char *const operation_names[THAW_INSTRUCTION_KINDS] = {
    [THAW_DO_RESTORE] = "restore",
    [THAW_DO_EVALUATE] = "evaluate",
    [THAW_DO_REEVALUATE] = "evaluate",
    [THAW_DO_PACK] = "pack",
    [THAW_DO_REPACK] = "pack",
    [THAW_DO_TILES] = "tiles",
    [THAW_DO_FORWARD] = "forward",
    [THAW_DO_CONVERT] = "convert",
    [THAW_DO_FEED] = "convert",
    [THAW_DO_MASK] = "mask",
    [THAW_DO_STAGE] = "stage",
    [THAW_DO_KEEP] = "keep",
    [THAW_DO_RECOMPUTE] = "recompute",
    [THAW_DO_BACKWARD] = "backward",
    [THAW_DO_UNMASK] = "unmask",
    [THAW_DO_PROPAGATE] = "propagate",
    [THAW_DO_ACCUMULATE] = "add",
    [THAW_DO_ADD] = "add",
    [THAW_DO_FINAL] = "final",
    [THAW_DO_NORM] = "norm",
    [THAW_DO_CHECK] = "check",
    [THAW_DO_SUM] = "sum",
    [THAW_DO_TOTAL] = "total",
    [THAW_DO_UPDATE] = "update",
    [THAW_DO_MEASURE] = "measure",
    [THAW_DO_SHARE] = "share",
    [THAW_DO_SCALE] = "scale",
    [THAW_DO_POISON] = "poison",
    [THAW_DO_POISON_GRADIENTS] = "poison",
};

/* The text of an entry, cut at the end of its buffer. */
typedef struct line {
    char *text;
    size_t length;
} line;

static void append(line *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append(line *to, const char *format, ...)
{
    const size_t room = THAW_OPERANDS_BYTES - to->length;
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(to->text + to->length, room, format, arguments);
    va_end(arguments);
    to->length += length < 0 ? 0 : (size_t)length < room ? (size_t)length : room - 1;
}

static const char *name_of(const thaw_plan *plan, thaw_node node)
{
    return plan->model->nodes[node].name;
}

static const char *precision_name(thaw_dtype precision)
{
    return precision == THAW_BF16 ? "bf16" : "f32";
}

static void append_place(const thaw_plan *plan, int request, line *to)
{
    if (request >= 0)
        append(to, " @%zu", plan->requests[request].offset);
}

static void append_sources(const thaw_plan *plan, const thaw_plan_node *planned, line *to)
{
    for (size_t k = 0; k < planned->source_count; k++)
        append(to, "%s%s", k ? ", " : "", name_of(plan, planned->sources[k]));
}

/* Appends later layers whose work the node's kernel does. */
static void append_fused(const thaw_plan *plan, thaw_node node, line *to)
{
    for (size_t i = 0; i < plan->order_count; i++)
        if (plan->nodes[plan->order[i]].fused_into == node)
            append(to, " + %s", name_of(plan, plan->order[i]));
}

static void append_forward(const thaw_plan *plan, const thaw_instruction *instruction, line *to)
{
    const thaw_plan_node *planned = &plan->nodes[instruction->node], *root = &plan->nodes[planned->root];
    append_sources(plan, planned, to);
    append(to, " -> %s", name_of(plan, instruction->node));
    append_fused(plan, instruction->node, to);
    append_place(plan, instruction->kind == THAW_DO_RECOMPUTE ? root->places.again : root->places.output, to);
    if (planned->needs.kernel && instruction->kind == THAW_DO_FORWARD)
        append(to, ", %s", planned->needs.kernel);
}

static void append_backward(const thaw_plan *plan, const thaw_instruction *instruction, line *to)
{
    const thaw_plan_node *planned = &plan->nodes[instruction->node];
    const char *separator = "-> ";
    for (size_t k = 0; k < planned->source_count; k++)
        if (planned->input_gradient[k]) {
            append(to, "%sd(%s)", separator, name_of(plan, planned->sources[k]));
            separator = ", ";
        }
    for (size_t k = 0; k < planned->use_count; k++)
        if (planned->uses[k].gradient) {
            const thaw_parameter *parameter = planned->uses[k].expression->parameter;
            append(to, "%sd(%s)", separator, parameter ? parameter->name : "expression");
            separator = ", ";
        }
}

static void append_term(const thaw_plan *plan, const thaw_instruction *instruction, line *to)
{
    const thaw_plan_term *term = &plan->terms[instruction->index];
    append(to, "buffer %d %s ", term->from, term->adds ? "adds to" : "->");
    if (term->parameter)
        append(to, "d(%s)", term->parameter->name);
    else
        append(to, "buffer %d", term->into);
}

static void append_conversion(const thaw_plan *plan, const thaw_instruction *instruction, line *to)
{
    const thaw_plan_node *planned = &plan->nodes[instruction->node];
    if (instruction->section == THAW_SECTION_BACKWARD)
        append(to, "d(%s), ", name_of(plan, planned->sources[instruction->index]));
    append(to, "%s -> %s, %zu elements", precision_name(instruction->from.dtype),
           precision_name(instruction->into.dtype), instruction->count);
}

static void append_sums(const thaw_plan *plan, const thaw_instruction *instruction, line *to)
{
    const thaw_plan_node *planned = &plan->nodes[instruction->node];
    const bool backward = instruction->section == THAW_SECTION_BACKWARD;
    const size_t count = backward ? planned->backward_sums : planned->forward_sums;
    if (instruction->kind == THAW_DO_SHARE) {
        append(to, "%zu sums of each of %zu shards", count, plan->shards);
    } else if (backward) {
        append(to, "d(%s) -> %zu sums", name_of(plan, instruction->node), count);
    } else {
        append_sources(plan, planned, to);
        append(to, " -> %zu sums", count);
    }
}

static void append_boundaries(const thaw_plan *plan, line *to)
{
    const char *separator = "";
    for (size_t i = 0; i < plan->cut_count; i++)
        if (plan->nodes[plan->order[i]].boundary) {
            append(to, "%s%s", separator, name_of(plan, plan->order[i]));
            separator = ", ";
        }
    append(to, " -> feature cache");
}

static void append_trained(const thaw_plan *plan, line *to)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->trained_count; i++)
        count += plan->trained[i]->count;
    append(to, "%zu parameters, %zu elements", plan->trained_count, count);
}

/* What an instruction of one or several layers reads and writes. */
static void append_layer(const thaw_plan *plan, const thaw_instruction *instruction, line *to)
{
    switch (instruction->kind) {
    case THAW_DO_TILES:
        append(to, "the next %zu, on %lld samples after %lld", instruction->nested, (long long)plan->tile,
               (long long)plan->tile);
        break;
    case THAW_DO_KEEP:
        append_boundaries(plan, to);
        break;
    case THAW_DO_MEASURE:
    case THAW_DO_SHARE:
        append_sums(plan, instruction, to);
        break;
    case THAW_DO_FORWARD:
    case THAW_DO_RECOMPUTE:
        append_forward(plan, instruction, to);
        break;
    case THAW_DO_CONVERT:
        append_conversion(plan, instruction, to);
        break;
    case THAW_DO_FEED:
        append(to, "f32 -> bf16, %zu elements", instruction->count);
        break;
    case THAW_DO_MASK:
        append(to, "-> a bit each of %zu elements", instruction->count);
        break;
    case THAW_DO_BACKWARD:
    case THAW_DO_SCALE:
    case THAW_DO_UNMASK:
        append_backward(plan, instruction, to);
        break;
    case THAW_DO_ADD: {
        const thaw_plan_node *planned = &plan->nodes[instruction->node];
        append(to, "adds to d(%s)", name_of(plan, planned->sources[instruction->index]));
        break;
    }
    default:
        break;
    }
}

/* What an instruction of parameters, or of their gradients, reads and writes. */
static void append_parameters(const thaw_plan *plan, const thaw_instruction *instruction, line *to)
{
    char shape[80];
    switch (instruction->kind) {
    case THAW_DO_EVALUATE:
    case THAW_DO_REEVALUATE:
        append(to, "expression %s", thaw_shape_format(&instruction->expression->shape, shape, sizeof shape));
        break;
    case THAW_DO_PACK:
    case THAW_DO_REPACK:
        append(to, "parameters -> %zu bytes", plan->nodes[instruction->node].needs.packed_bytes);
        break;
    case THAW_DO_PROPAGATE:
    case THAW_DO_ACCUMULATE:
        append_term(plan, instruction, to);
        break;
    case THAW_DO_FINAL:
        append(to, "d(%s), %zu elements", plan->trained[instruction->index]->name,
               plan->trained[instruction->index]->count);
        break;
    case THAW_DO_SUM:
    case THAW_DO_TOTAL:
    case THAW_DO_NORM:
    case THAW_DO_CHECK:
    case THAW_DO_UPDATE:
        append_trained(plan, to);
        break;
    default:
        break;
    }
}

/* At most one of the two knows the instruction's kind. */
static void append_operands(const thaw_plan *plan, const thaw_instruction *instruction, line *to)
{
    append_layer(plan, instruction, to);
    append_parameters(plan, instruction, to);
}

size_t thaw_plan_instruction_count(const thaw_plan *plan)
{
    return plan->program.count;
}

thaw_status thaw_plan_instruction_at(const thaw_plan *plan, size_t index, thaw_plan_instruction *entry)
{
    if (index >= plan->program.count)
        return thaw_fail(plan->model->context, THAW_INVALID_ARGUMENT, "instruction is %zu, the plan has %zu", index,
                         plan->program.count);
    const thaw_instruction *instruction = &plan->program.instructions[index];
    *entry = (thaw_plan_instruction){
        .section = section_names[instruction->section],
        .operation = operation_names[instruction->kind],
        .layer = instruction->node < 0 ? NULL : name_of(plan, instruction->node),
    };
    append_operands(plan, instruction, &(line){ .text = entry->operands });
    return THAW_OK;
}

thaw_status thaw_plan_program(const thaw_plan *plan, char **text)
{
    thaw_text list = { .context = plan->model->context };
    thaw_plan_instruction entry;
    int width = (int)sizeof "layer" - 1;
    for (size_t i = 0; i < plan->program.count; i++) {
        thaw_plan_instruction_at(plan, i, &entry);
        const int length = entry.layer ? (int)strlen(entry.layer) : 0;
        width = length > width ? length : width;
    }
    thaw_text_append(&list, "%5s  %-8s  %-9s  %-*s  %s\n", "", "section", "operation", width, "layer", "operands");
    for (size_t i = 0; i < plan->program.count; i++) {
        thaw_plan_instruction_at(plan, i, &entry);
        thaw_text_append(&list, "%5zu  %-8s  %-9s  %-*s  %s\n", i, entry.section, entry.operation, width,
                         entry.layer ? entry.layer : "-", entry.operands);
    }
    return thaw_text_finish(&list, text);
}
