/* Copies of weights in the kernels' layouts: of one that stays for as long as the plan, of one that trains for a
   kernel. */
#include "support/layer.h"
#include "support/support.h"

enum { CHANNELS = 128, SIDE = 7, BATCH = 16 };

/* `depth` convolutions, with 3x3 or 1x1 kernels, in a row, and a dense layer. */
static thaw_model *chain(thaw_context *context, int depth, size_t kernel)
{
    const thaw_conv2d_options options = { .filters = CHANNELS,
                                          .kernel = { (int64_t)kernel, (int64_t)kernel },
                                          .same = true };
    thaw_model *model;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, CHANNELS } }, &node));
    for (int i = 0; i < depth; i++)
        assert_ok(context, thaw_conv2d(model, node, &options, &node));
    assert_ok(context, thaw_flatten(model, node, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .units = 64 }, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .units = 4 }, &node));
    assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
    return model;
}

static thaw_plan_totals totals_of(thaw_context *context, thaw_model *model)
{
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    return thaw_plan_totals_of(plan);
}

/* Three more layers take three more values and their gradients, at most, but no more copies: of 3x3 kernels, two for
   each of them would be four times the values. */
Test(weight_copies, of_what_trains_are_there_for_one_kernel_at_a_time)
{
    enum { VALUES = BATCH * SIDE * SIDE * CHANNELS * sizeof(float) };
    thaw_context *context = support_context(2);
    for (size_t kernel = 1; kernel <= 3; kernel += 2) {
        thaw_model *few = chain(context, 2, kernel), *many = chain(context, 5, kernel);
        const thaw_plan_totals less = totals_of(context, few), more = totals_of(context, many);
        cr_assert_eq(more.packed_bytes, 0);
        cr_assert_leq(more.activation_bytes, less.activation_bytes + (size_t)3 * VALUES);
        assert_ok(context, thaw_model_freeze(many, "conv2d[1-3]"));
        cr_assert_geq(totals_of(context, many).packed_bytes, 3 * kernel * kernel * CHANNELS * CHANNELS * sizeof(float));
        thaw_model_destroy(few);
        thaw_model_destroy(many);
    }
    thaw_context_destroy(context);
}
