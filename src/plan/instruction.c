#include "plan/instruction.h"

#include "core/allocation.h"

void thaw_emit(thaw_plan *plan, thaw_instruction instruction)
{
    thaw_program *program = &plan->program;
    thaw_instruction *grown = program->failed ? NULL
                                              : thaw_grow(plan->model->context, program->instructions,
                                                          &program->capacity, program->count + 1, sizeof *grown);
    program->failed = !grown;
    if (!grown)
        return;
    program->instructions = grown;
    grown[program->count++] = instruction;
}

void thaw_emit_for_node(thaw_plan *plan, thaw_section section, thaw_instruction_kind kind, thaw_node node)
{
    thaw_emit(plan, (thaw_instruction){ .kind = kind, .section = section, .node = node });
}

void thaw_emit_sharing(thaw_plan *plan, thaw_section section, thaw_node node)
{
    thaw_emit_for_node(plan, section, THAW_DO_MEASURE, node);
    thaw_emit_for_node(plan, section, THAW_DO_SHARE, node);
}

void thaw_emit_poison(thaw_plan *plan, thaw_section section, size_t first, size_t past)
{
#ifdef THAW_POISON
    thaw_emit(plan, (thaw_instruction){
                        .kind = THAW_DO_POISON, .section = section, .node = -1, .index = first, .past = past });
#else
    (void)plan, (void)section, (void)first, (void)past;
#endif
}
