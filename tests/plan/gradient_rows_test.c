/* Tables of which a step uses a few rows: what is walked, and what is not. */
#include <string.h>

#include "params/parameter.h"
#include "support/network.h"

enum { ROWS = 2000, WIDTH = 5, LENGTH = 3, COUNT = ROWS * WIDTH };

static thaw_model *build(thaw_context *context, const char *optimizer)
{
    thaw_node x;
    thaw_model *model;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { LENGTH } }, &x));
    assert_ok(context,
              thaw_embedding(model, x, &(thaw_embedding_options){ .name = "table", .rows = ROWS, .width = WIDTH }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense", .units = 2 }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    support_optimize(model, optimizer);
    return model;
}

static thaw_parameter *table_of(thaw_model *model)
{
    return thaw_model_find_parameter(model, "table.weight");
}

static thaw_step_result take_step(thaw_model *model, const float ids[LENGTH], const thaw_step_options *options)
{
    float values[LENGTH * 2];
    support_fill(values, THAW_COUNT(values), 5);
    const thaw_tensor inputs = thaw_view_f32(ids, 2, (int64_t[]){ 1, LENGTH });
    const thaw_tensor targets = thaw_view_f32(values, 3, (int64_t[]){ 1, LENGTH, 2 });
    thaw_step_result result;
    assert_ok(thaw_model_context(model), thaw_step(model, &inputs, &targets, options, &result));
    return result;
}

/* A number that does not belong there stays where nobody looks. */
Test(gradient_rows, a_step_of_plain_sgd_walks_the_rows_used_alone)
{
    const size_t elsewhere = 1234 * WIDTH;
    const float ids[2][LENGTH] = { { 7, 3, 1999 }, { 3, 0, 3 } };
    thaw_context *context = support_context(2);
    thaw_model *model = build(context, "sgd:lr=0.1");
    thaw_parameter *table = table_of(model);
    take_step(model, ids[0], NULL);
    static float before[COUNT];
    memcpy(before, table->data, sizeof before);
    table->gradient[elsewhere] = 77;
    const thaw_step_result found = take_step(model, ids[1], &(thaw_step_options){ .clip_norm = 1e9 });
    cr_assert(found.gradient_norm < 77, "the norm is %g", found.gradient_norm);
    cr_assert_eq(table->gradient[elsewhere], 77, "the gradient was walked");
    for (size_t i = 0; i < COUNT; i++) {
        const bool used = i / WIDTH == 0 || i / WIDTH == 3;
        cr_assert_eq(table->data[i] != before[i], used, "row %zu", i / WIDTH);
        cr_assert((table->gradient[i] != 0) == used || i == elsewhere, "gradient of row %zu", i / WIDTH);
    }
    cr_assert(table->gradient_rows.known && table->gradient_rows.count == 2);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* PyTorch's dense rule: momentum and decay move rows that have no gradient. */
Test(gradient_rows, a_step_with_state_moves_all_rows)
{
    static const char *const optimizers[] = { "sgd:lr=0.1,momentum=0.9", "sgd:lr=0.1,weight_decay=0.1", "adam:lr=0.1",
                                              "adamw:lr=0.1", "rmsprop:lr=0.1,momentum=0.5" };
    const float ids[2][LENGTH] = { { 7, 3, 1999 }, { 3, 0, 3 } };
    for (size_t i = 0; i < THAW_COUNT(optimizers); i++) {
        thaw_context *context = support_context(2);
        thaw_model *model = build(context, optimizers[i]);
        thaw_parameter *table = table_of(model);
        take_step(model, ids[0], NULL);
        float before[WIDTH];
        memcpy(before, table->data + (size_t)7 * WIDTH, sizeof before);
        take_step(model, ids[1], NULL);
        for (size_t k = 0; k < WIDTH; k++)
            cr_assert_neq(table->data[7 * WIDTH + k], before[k], "%s", optimizers[i]);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

/* What was written to the gradient while the list was not kept is cleared. */
Test(gradient_rows, survive_a_change_of_the_plan)
{
    const float ids[2][LENGTH] = { { 7, 3, 1999 }, { 3, 0, 3 } };
    thaw_context *context = support_context(2);
    thaw_model *model = build(context, "sgd:lr=0.1");
    thaw_parameter *table = table_of(model);
    thaw_expression *stored, *twice;
    assert_ok(context, thaw_expression_of(model, table, &stored));
    assert_ok(context, thaw_expression_scale(stored, 2, &twice));
    take_step(model, ids[0], NULL);
    assert_ok(context, thaw_parameter_bind(model, table, twice));
    take_step(model, ids[0], NULL);
    cr_assert(!table->gradient_rows.known);
    table->gradient[COUNT - 1] = 77;
    assert_ok(context, thaw_parameter_bind(model, table, NULL));
    take_step(model, ids[1], NULL);
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(table->gradient[i] != 0, i / WIDTH == 0 || i / WIDTH == 3, "row %zu", i / WIDTH);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(gradient_rows, go_with_frozen_rows)
{
    const float ids[LENGTH] = { 7, 3, 1999 };
    thaw_context *context = support_context(2);
    thaw_model *model = build(context, "sgd:lr=0.1");
    thaw_parameter *table = table_of(model);
    static float before[COUNT];
    memcpy(before, table->data, sizeof before);
    assert_ok(context, thaw_freeze_slice(model, "table.weight", 0, 0, 5));
    for (int step = 0; step < 3; step++)
        take_step(model, ids, NULL);
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(table->data[i] != before[i], i / WIDTH == 7 || i / WIDTH == 1999, "row %zu", i / WIDTH);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
