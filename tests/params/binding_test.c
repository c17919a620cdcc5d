/* What layers' parameters are bound to: tied weights, references, errors, trainability, what is saved. */
#include <math.h>
#include <string.h>

#include "support/allocator.h"
#include "support/files.h"
#include "support/holder.h"
#include "support/support.h"

enum { BATCH = 4, WIDTH = 6 };

static thaw_context *context;
static thaw_model *model;
static float samples[BATCH * WIDTH], targets[BATCH * WIDTH];

/* Three dense layers of one size, so that their weights may be tied, and a mean square error. */
static void build(void)
{
    static const char *const names[] = { "first", "second", "third" };
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { WIDTH } }, &x));
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = WIDTH, .name = names[i] }, &x));
        assert_ok(context, thaw_tanh(model, x, NULL, &x));
    }
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    thaw_optimizer *optimizer;
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=0.1,momentum=0.9,weight_decay=0.01", &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    support_fill(samples, THAW_COUNT(samples), 3);
    support_fill(targets, THAW_COUNT(targets), 4);
}

static void begin(void)
{
    context = support_context(2);
    build();
}

static void end(void)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_parameter *find(const char *name)
{
    thaw_parameter *found = thaw_model_find_parameter(model, name);
    cr_assert_not_null(found, "%s", name);
    return found;
}

static thaw_expression *stored(const char *name)
{
    thaw_expression *expression;
    assert_ok(context, thaw_expression_of(model, find(name), &expression));
    return expression;
}

static thaw_expression *bound(const char *name)
{
    thaw_expression *expression;
    assert_ok(context, thaw_expression_bound(model, find(name), &expression));
    return expression;
}

static thaw_status try_step(const thaw_step_options *options, thaw_step_result *result)
{
    const thaw_tensor in = thaw_view_f32(samples, 2, (int64_t[]){ BATCH, WIDTH });
    const thaw_tensor out = thaw_view_f32(targets, 2, (int64_t[]){ BATCH, WIDTH });
    return thaw_step(model, &in, &out, options, result);
}

static double gradients(void)
{
    thaw_step_result result;
    assert_ok(context, try_step(&(thaw_step_options){ .gradients_only = true }, &result));
    return result.loss;
}

/* Gradients of a stored tensor against quotients of the loss itself. */
static void check_quotients(const char *name)
{
    thaw_parameter *parameter = find(name);
    gradients();
    float expected[WIDTH * WIDTH], found[WIDTH * WIDTH];
    const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
    memcpy(found, thaw_parameter_gradient(parameter), count * sizeof *found);
    for (size_t i = 0; i < count; i++) {
        const float step = 0.005F, before = thaw_parameter_data(parameter)[i];
        thaw_parameter_edit(parameter)[i] = before + step;
        const double above = gradients();
        thaw_parameter_edit(parameter)[i] = before - step;
        const double below = gradients();
        thaw_parameter_edit(parameter)[i] = before;
        expected[i] = (float)((above - below) / (2 * (double)step));
    }
    assert_close(found, expected, count, 1e-4, name);
}

Test(binding, gradients_of_tied_weights_add_up, .init = begin, .fini = end)
{
    assert_ok(context, thaw_parameter_bind(model, find("third.weight"), stored("first.weight")));
    check_quotients("first.weight");
    check_quotients("first.bias");
    cr_assert_null(thaw_parameter_gradient(find("third.weight")));
    assert_ok(context, thaw_model_freeze(model, "third"));
    check_quotients("first.weight");
    cr_assert_eq(thaw_parameter_trainability(find("third.weight")), THAW_TRAINABLE);
    assert_ok(context, thaw_model_freeze(model, "first"));
    gradients();
    cr_assert_null(thaw_parameter_gradient(find("first.weight")));
}

Test(binding, three_uses_of_one_tensor_and_a_sum, .init = begin, .fini = end)
{
    thaw_expression *sum, *half;
    assert_ok(context, thaw_expression_add(stored("second.weight"), stored("first.weight"), &sum));
    assert_ok(context, thaw_expression_scale(stored("first.weight"), 0.5, &half));
    assert_ok(context, thaw_parameter_bind(model, find("second.weight"), sum));
    assert_ok(context, thaw_parameter_bind(model, find("third.weight"), half));
    check_quotients("first.weight");
    check_quotients("second.weight");
    for (int i = 0; i < 10; i++)
        assert_ok(context, try_step(NULL, NULL));
    check_quotients("first.weight");
    assert_ok(context, thaw_model_freeze(model, "first.weight"));
    check_quotients("second.weight");
    assert_ok(context, thaw_parameter_bind(model, find("second.weight"), NULL));
    check_quotients("second.weight");
}

Test(binding, a_reference_follows_what_is_bound, .init = begin, .fini = end)
{
    assert_ok(context, thaw_parameter_bind(model, find("third.weight"), bound("second.weight")));
    check_quotients("second.weight");
    assert_ok(context, thaw_lora(model, "second", 2, 4));
    support_fill(thaw_parameter_edit(find("second.weight.lora_B")), 2 * WIDTH, 8);
    check_quotients("second.weight.lora_A");
    check_quotients("second.weight.lora_B");
    const double before = gradients();
    assert_ok(context, thaw_merge(model, "second"));
    cr_assert(fabs(gradients() - before) < 1e-6);
    assert_ok(context, thaw_model_unfreeze(model, "*"));
    check_quotients("second.weight");
}

Test(binding, cycles_are_refused, .init = begin, .fini = end)
{
    thaw_expression *first = bound("first.weight"), *second = bound("second.weight"), *sum;
    assert_fails(context, thaw_parameter_bind(model, find("first.weight"), first), THAW_INVALID_ARGUMENT, "cycle");
    assert_ok(context, thaw_expression_add(first, stored("third.weight"), &sum));
    assert_fails(context, thaw_parameter_bind(model, find("first.weight"), sum), THAW_INVALID_ARGUMENT, "cycle");
    assert_ok(context, thaw_parameter_bind(model, find("second.weight"), sum));
    assert_fails(context, thaw_parameter_bind(model, find("first.weight"), second), THAW_INVALID_ARGUMENT, "cycle");
    assert_ok(context, thaw_parameter_bind(model, find("third.weight"), second));
    assert_fails(context, thaw_parameter_bind(model, find("first.weight"), bound("third.weight")),
                 THAW_INVALID_ARGUMENT, "cycle");
    cr_assert_null(thaw_parameter_binding(find("first.weight")));
    check_quotients("first.weight");
    assert_ok(context, thaw_parameter_bind(model, find("second.weight"), NULL));
    assert_ok(context, thaw_parameter_bind(model, find("first.weight"), second));
    check_quotients("second.weight");
}

Test(binding, refuses_what_does_not_fit, .init = begin, .fini = end)
{
    thaw_expression *e, *slice;
    thaw_expression *weight = stored("first.weight");
    assert_fails(context, thaw_parameter_bind(model, find("first.bias"), weight), THAW_SHAPE_MISMATCH, "[6, 6]");
    assert_ok(context, thaw_expression_slice(weight, 0, 0, 4, &slice));
    assert_fails(context, thaw_expression_add(slice, weight, &e), THAW_SHAPE_MISMATCH, "[4, 6] and [6, 6]");
    cr_assert_null(e);
    assert_fails(context, thaw_expression_multiply(weight, slice, &e), THAW_SHAPE_MISMATCH, "do not broadcast");
    assert_fails(context, thaw_expression_slice(weight, 0, 2, 7, &e), THAW_INVALID_ARGUMENT, "2 to 7");
    assert_fails(context, thaw_expression_slice(weight, 0, -1, 2, &e), THAW_INVALID_ARGUMENT, "-1 to 2");
    assert_fails(context, thaw_expression_slice(weight, 2, 0, 1, &e), THAW_INVALID_ARGUMENT, "axis is 2");
    assert_fails(context, thaw_expression_concatenate((thaw_expression *[]){ weight, slice }, 2, 1, &e),
                 THAW_SHAPE_MISMATCH, "axis 1");
    assert_fails(context, thaw_expression_concatenate((thaw_expression *[]){ weight }, 1, 3, &e), THAW_INVALID_ARGUMENT,
                 "axis is 3");
    cr_assert_eq(thaw_expression_concatenate(NULL, 0, 0, &e), THAW_INVALID_ARGUMENT);
    assert_fails(context, thaw_expression_product(slice, slice, &e), THAW_SHAPE_MISMATCH, "cannot be multiplied");
    assert_fails(context, thaw_expression_low_rank(weight, slice, slice, 1, &e), THAW_SHAPE_MISMATCH, "low-rank");
    assert_fails(context, thaw_expression_weight_norm(weight, weight, &e), THAW_SHAPE_MISMATCH, "magnitude");
    assert_fails(context, thaw_expression_scale(weight, INFINITY, &e), THAW_INVALID_ARGUMENT, "inf");
    assert_fails(context, thaw_expression_add(weight, NULL, &e), THAW_INVALID_ARGUMENT, "missing");
    cr_assert_eq(thaw_expression_add(NULL, NULL, &e), THAW_INVALID_ARGUMENT);
    assert_fails(context,
                 thaw_expression_constant(model, &(thaw_tensor){ THAW_F32, { 1, { 1 } }, (float[]){ NAN } }, &e),
                 THAW_INVALID_ARGUMENT, "nan");
    gradients();
}

Test(binding, refuses_other_models, .init = begin, .fini = end)
{
    thaw_model *own = model;
    thaw_expression *mine = stored("first.weight"), *other, *sum;
    build();
    other = stored("first.weight");
    assert_fails(context, thaw_expression_add(mine, other, &sum), THAW_INVALID_ARGUMENT, "another model");
    assert_fails(context, thaw_parameter_bind(model, find("second.weight"), mine), THAW_INVALID_ARGUMENT,
                 "another model");
    assert_fails(context, thaw_expression_of(own, find("first.weight"), &sum), THAW_INVALID_ARGUMENT,
                 "belongs to another model");
    thaw_model_destroy(own);
}

Test(binding, statistics_are_neither_bound_nor_read)
{
    context = support_context(1);
    model = support_holder(context);
    thaw_expression *e;
    assert_fails(context, thaw_expression_of(model, find("first.mean"), &e), THAW_INVALID_ARGUMENT, "statistic");
    assert_fails(context, thaw_expression_bound(model, find("first.mean"), &e), THAW_INVALID_ARGUMENT, "statistic");
    assert_fails(context, thaw_parameter_bind(model, find("second.mean"), stored("first.bias")), THAW_INVALID_ARGUMENT,
                 "second.mean: a statistic");
    thaw_trainability found;
    assert_ok(context, thaw_model_trainability(model, "first", &found));
    cr_assert_eq(found, THAW_TRAINABLE);
    assert_fails(context, thaw_mask(model, "*.mean", NULL), THAW_NOT_FOUND, "no weight");
    assert_fails(context, thaw_freeze_slice(model, "*.mean", 0, 0, 1), THAW_NOT_FOUND, "no parameter that trains");
    end();
}

Test(binding, refuses_deep_nesting, .init = begin, .fini = end)
{
    thaw_expression *e = stored("first.weight");
    thaw_status status = THAW_OK;
    int depth = 0;
    for (; status == THAW_OK && depth < 1000; depth++) {
        thaw_expression *before = e;
        status = thaw_expression_scale(before, 1, &e);
        if (status == THAW_OK)
            assert_ok(context, thaw_parameter_bind(model, find("first.weight"), e));
    }
    cr_assert_eq(status, THAW_INVALID_ARGUMENT);
    cr_assert(strstr(thaw_context_message(context), "at most") != NULL);
    cr_assert(depth > 50 && depth < 100, "%d", depth);
    check_quotients("first.weight");
}

Test(binding, added_parameters_are_named_and_checked, .init = begin, .fini = end)
{
    thaw_parameter *added;
    const thaw_parameter_specification one = { .name = "one",
                                               .shape = { 1, { WIDTH } },
                                               .initializer = THAW_INITIAL_ONE };
    const thaw_parameter_specification statistic = { .name = "s", .role = THAW_STATISTIC, .shape = { 1, { 1 } } };
    const thaw_parameter_specification without_fans = { .name = "f", .shape = { 1, { 1 } } };
    assert_ok(context, thaw_model_add_parameter(model, "extra", &one, &added));
    cr_assert_str_eq(thaw_parameter_name(added), "extra.one");
    cr_assert_eq(thaw_parameter_data(added)[WIDTH - 1], 1);
    assert_fails(context, thaw_model_add_parameter(model, "extra", &one, &added), THAW_DUPLICATE, "extra.one");
    assert_fails(context, thaw_model_add_parameter(model, "first", &one, &added), THAW_DUPLICATE, "first");
    assert_fails(context, thaw_model_add_parameter(model, "extra", &statistic, &added), THAW_INVALID_ARGUMENT,
                 "statistic");
    assert_fails(context, thaw_model_add_parameter(model, "new", &without_fans, &added), THAW_INVALID_ARGUMENT, "fans");
    cr_assert_null(thaw_model_find_group(model, "new"));
    assert_fails(context, thaw_parameter_bind(model, find("extra.one"), stored("first.bias")), THAW_INVALID_ARGUMENT,
                 "belongs to no layer");
    gradients();
    cr_assert_null(thaw_parameter_gradient(find("extra.one")));
}

/* Nothing that no layer gets is counted or saved. */
Test(binding, what_is_bound_away_is_out_of_use, .init = begin, .fini = end)
{
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    support_path(path, directory, "tied.safetensors");
    const size_t before = thaw_model_summary_totals(model).total_parameters;
    assert_ok(context, thaw_parameter_bind(model, find("third.weight"), stored("first.weight")));
    cr_assert_eq(thaw_model_summary_totals(model).total_parameters, before - WIDTH * WIDTH);
    thaw_summary_entry row;
    assert_ok(context, thaw_model_summary_entry(model, 5, &row));
    cr_assert_str_eq(row.name, "third");
    cr_assert_eq(row.parameters, WIDTH * WIDTH + WIDTH);
    float kept[WIDTH * WIDTH];
    memcpy(kept, thaw_parameter_data(find("third.weight")), sizeof kept);
    for (int i = 0; i < 3; i++)
        assert_ok(context, try_step(NULL, NULL));
    cr_assert_eq(memcmp(kept, thaw_parameter_data(find("third.weight")), sizeof kept), 0);
    const double loss = gradients();
    assert_ok(context, thaw_weights_save(model, path));
    thaw_model *first = model;
    build();
    thaw_load_result result;
    cr_assert_eq(thaw_weights_load(model, path, NULL, &result), THAW_NOT_FOUND);
    cr_assert_str_eq(result.missing_names, "third.weight");
    thaw_load_result_destroy(context, &result);
    assert_ok(context, thaw_parameter_bind(model, find("third.weight"), stored("first.weight")));
    assert_ok(context, thaw_weights_load(model, path, NULL, NULL));
    cr_assert_eq(gradients(), loss);
    thaw_model_destroy(first);
    support_remove_directory(directory);
}

Test(binding, a_merge_that_would_change_another_layer_is_refused, .init = begin, .fini = end)
{
    thaw_expression *half;
    assert_ok(context, thaw_expression_scale(stored("first.weight"), 0.5, &half));
    assert_ok(context, thaw_parameter_bind(model, find("first.weight"), half));
    assert_ok(context, thaw_parameter_bind(model, find("third.weight"), stored("first.weight")));
    const double before = gradients();
    assert_fails(context, thaw_merge(model, "first"), THAW_INVALID_ARGUMENT, "third.weight");
    cr_assert_eq(gradients(), before);
    assert_ok(context, thaw_merge(model, "first|third"));
    cr_assert(fabs(gradients() - before) < 1e-6);
    cr_assert_null(thaw_parameter_binding(find("third.weight")));
}

Test(binding, formulas_read_as_they_were_written, .init = begin, .fini = end)
{
    thaw_expression *e, *f;
    char *text;
    assert_ok(context, thaw_expression_add(stored("first.weight"), bound("second.weight"), &e));
    assert_ok(context, thaw_expression_scale(e, 0.5, &e));
    assert_ok(context, thaw_expression_slice(stored("first.weight"), 1, 0, 3, &f));
    assert_ok(context, thaw_expression_concatenate((thaw_expression *[]){ f, f }, 2, 1, &f));
    assert_ok(context, thaw_expression_subtract(e, f, &e));
    assert_ok(context, thaw_expression_describe(e, &text));
    cr_assert_str_eq(text, "0.5 * (first.weight + bound(second.weight)) - "
                           "(concatenate(first.weight[:, 0:3], first.weight[:, 0:3], axis 1))");
    thaw_text_destroy(context, text);
    for (int i = 0; i < 40; i++)
        assert_ok(context, thaw_expression_add(e, e, &e));
    assert_ok(context, thaw_expression_describe(e, &text));
    cr_assert_lt(strlen(text), 2000);
    thaw_text_destroy(context, text);
}
