/* Networks of sequences trained beside PyTorch: tests/golden/sequences.py made the losses. */
#include <math.h>

#include "support/golden.h"
#include "support/network.h"

enum { STEPS = 50, BATCHES = 10, ROWS = 13, WIDTH = 6, LENGTH = 6, PADDING = 2, MOST_SAMPLES = 6 };

static void fill_parameters(thaw_model *model)
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        float *values = thaw_parameter_edit(parameter);
        support_fill(values, count, (uint32_t)i + 1);
        for (size_t k = 0; k < count; k++)
            values[k] *= 0.4F;
    }
}

/* Everything a sequence may meet. */
static thaw_model *build_mixed(thaw_context *context)
{
    const thaw_embedding_options table = {
        .name = "table", .rows = ROWS, .width = WIDTH, .use_padding_id = true, .padding_id = PADDING
    };
    thaw_node x;
    thaw_model *model = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { LENGTH } }, &x));
    assert_ok(context, thaw_embedding(model, x, &table, &x));
    assert_ok(context, thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .name = "norm" }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "mix", .units = 5 }, &x));
    assert_ok(context, thaw_tanh(model, x, NULL, &x));
    assert_ok(context, thaw_conv1d(model, x, &(thaw_conv1d_options){ .name = "conv", .filters = 4, .kernel = 3 }, &x));
    assert_ok(context, thaw_group_norm(model, x, &(thaw_group_norm_options){ .name = "groups", .groups = 2 }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    fill_parameters(model);
    return model;
}

/* The table is the last layer's weight, too. */
static thaw_model *build_tied(thaw_context *context)
{
    const thaw_dense_options last = { .name = "last", .units = ROWS, .no_bias = true };
    thaw_node x;
    thaw_model *model = NULL;
    thaw_expression *table;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { LENGTH } }, &x));
    assert_ok(context,
              thaw_embedding(model, x, &(thaw_embedding_options){ .name = "table", .rows = ROWS, .width = WIDTH }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "mix", .units = WIDTH }, &x));
    assert_ok(context, thaw_tanh(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &last, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    fill_parameters(model);
    assert_ok(context, thaw_expression_of(model, thaw_model_find_parameter(model, "table.weight"), &table));
    assert_ok(context, thaw_parameter_bind(model, thaw_model_find_parameter(model, "last.weight"), table));
    return model;
}

/* Of several sizes, so that several plans share what they know of the table's gradient. */
static double take_step(thaw_model *model, uint32_t step, const thaw_step_options *options)
{
    float ids[MOST_SAMPLES * LENGTH], values[MOST_SAMPLES * LENGTH * ROWS];
    const int64_t count = 4 + step % 3;
    thaw_shape shape = *thaw_model_node_shape(model, thaw_model_output(model));
    const size_t elements = (size_t)count * thaw_shape_count(&shape);
    support_fill(ids, (size_t)count * LENGTH, 100 + step % BATCHES);
    support_fill(values, elements, 200 + step % BATCHES);
    for (size_t i = 0; i < (size_t)count * LENGTH; i++)
        ids[i] = floorf((ids[i] + 1) * ROWS / 2);
    const thaw_tensor inputs = thaw_view_f32(ids, 2, (int64_t[]){ count, LENGTH });
    const thaw_tensor targets = thaw_view_f32(values, 3, (int64_t[]){ count, shape.dims[0], shape.dims[1] });
    thaw_step_result result;
    assert_ok(thaw_model_context(model), thaw_step(model, &inputs, &targets, options, &result));
    return result.loss;
}

static void compare(thaw_model *(*build)(thaw_context *), const char *run, const char *optimizer, double clip_norm)
{
    double expected[STEPS];
    golden_losses("sequences.txt", run, expected, STEPS);
    thaw_context *context = support_context(2);
    thaw_model *model = build(context);
    support_optimize(model, optimizer);
    for (uint32_t step = 0; step < STEPS; step++) {
        const double loss = take_step(model, step, &(thaw_step_options){ .clip_norm = clip_norm });
        cr_assert(fabs(loss - expected[step]) <= 1e-5 * expected[step], "%s, step %u: loss %.9g, PyTorch's %.9g", run,
                  step + 1, loss, expected[step]);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static const struct {
    const char *name, *optimizer;
    double clip_norm;
} runs[] = {
    { "sgd", "sgd:lr=0.05", 0 },
    { "clipped", "sgd:lr=0.1", 0.3 },
    { "momentum", "sgd:lr=0.02,momentum=0.9,weight_decay=1e-3", 0 },
    { "adam", "adam:lr=1e-2", 0 },
};

Test(sequences, train_as_in_pytorch)
{
    for (size_t i = 0; i < THAW_COUNT(runs); i++) {
        char name[64];
        snprintf(name, sizeof name, "mixed %s", runs[i].name);
        compare(build_mixed, name, runs[i].optimizer, runs[i].clip_norm);
    }
}

Test(sequences, train_a_tied_table_as_in_pytorch)
{
    for (size_t i = 0; i < THAW_COUNT(runs); i++) {
        char name[64];
        snprintf(name, sizeof name, "tied %s", runs[i].name);
        compare(build_tied, name, runs[i].optimizer, runs[i].clip_norm);
    }
}

Test(sequences, gradients_match_finite_differences)
{
    const float distance = 0x1p-7F;
    const thaw_step_options only_gradients = { .gradients_only = true };
    thaw_context *context = support_context(2);
    thaw_model *model = build_mixed(context);
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        for (size_t k = 0; k < thaw_shape_count(thaw_parameter_shape(parameter)); k++) {
            const float kept = thaw_parameter_data(parameter)[k];
            thaw_parameter_edit(parameter)[k] = kept + distance;
            const double above = take_step(model, 0, &only_gradients);
            thaw_parameter_edit(parameter)[k] = kept - distance;
            double slope = (above - take_step(model, 0, &only_gradients)) / 2 / (double)distance;
            if (i == 0 && k / WIDTH == PADDING)
                slope = 0;
            thaw_parameter_edit(parameter)[k] = kept;
            take_step(model, 0, &only_gradients);
            const double found = (double)thaw_parameter_gradient(parameter)[k];
            cr_assert(fabs(found - slope) <= 2e-4, "%s[%zu]: %g, slope %g", thaw_parameter_name(parameter), k, found,
                      slope);
        }
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
