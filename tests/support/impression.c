#include "support/impression.h"

impression impression_of(thaw_model *model, const support_allocator *allocator)
{
    return (impression){ thaw_model_node_count(model), thaw_model_group_count(model), thaw_model_parameter_count(model),
                         allocator->live, thaw_model_output(model) };
}

void assert_unchanged(thaw_model *model, const support_allocator *allocator, impression before)
{
    const impression after = impression_of(model, allocator);
    cr_assert_eq(after.nodes, before.nodes, "%zu nodes, there were %zu", after.nodes, before.nodes);
    cr_assert_eq(after.groups, before.groups, "%zu groups, there were %zu", after.groups, before.groups);
    cr_assert_eq(after.parameters, before.parameters);
    cr_assert_eq(after.live, before.live, "%zu blocks of memory, there were %zu", after.live, before.live);
    cr_assert_eq(after.output, before.output);
}

void assert_refused(const thaw_layer_module *module, const char *name, const thaw_node *inputs, size_t count,
                    thaw_status status, const char *text)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "first", 0, -1);
    const impression before = impression_of(model, &allocator);
    thaw_node output = 77;
    assert_fails(context, thaw_model_append(model, module, name, inputs, count, NULL, &output), status, text);
    cr_assert_eq(output, 77, "the output was written");
    assert_unchanged(model, &allocator, before);
    cr_assert_eq(toy_append(model, &toy_scale, "second", 1, -1), 2, "and the model goes on");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}
