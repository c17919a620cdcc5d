/* The networks whose layers are options, against the same built by hand. */
#include <string.h>
#include <thaw/layers.h>
#include <thaw/notes.h>
#include <thaw/optimizer.h>
#include <thaw/train.h>
#include <thaw/zoo.h>

#include "support/support.h"

enum { BATCH = 4, CLASSES = 3 };

static thaw_context *context;
static thaw_model *made, *wanted;
static thaw_node node;

static void begin(void)
{
    context = support_context(2);
    assert_ok(context, thaw_model_create(context, &made));
    assert_ok(context, thaw_model_create(context, &wanted));
}

static void end(void)
{
    thaw_model_destroy(made);
    thaw_model_destroy(wanted);
    thaw_context_destroy(context);
}

TestSuite(by_options, .init = begin, .fini = end);

#define ADD(layer, ...) assert_ok(context, thaw_##layer(wanted, node, __VA_ARGS__, &node))

static void add_input(thaw_shape shape)
{
    assert_ok(context, thaw_input(wanted, &shape, &node));
}

/* Both have the same parameters by name, and after two steps the same bits in them. */
static void compare(const char *description)
{
    thaw_model *const models[] = { made, wanted };
    static float inputs[BATCH * 12 * 10 * 3];
    const int32_t labels[BATCH] = { 0, 2, 1, 2 };
    double losses[2];
    ADD(dense, &(thaw_dense_options){ .name = "head", .units = CLASSES });
    ADD(softmax_cross_entropy, &(thaw_softmax_cross_entropy_options){ .name = "loss" });
    assert_ok(context, thaw_zoo_build(made, description, CLASSES));
    cr_assert_eq(thaw_model_node_count(made), thaw_model_node_count(wanted), "%s", description);
    const thaw_shape *shape = thaw_model_node_shape(wanted, 0);
    cr_assert(thaw_shape_equal(thaw_model_node_shape(made, 0), shape));
    thaw_tensor samples = { THAW_F32, { shape->rank + 1, { BATCH } }, inputs };
    memcpy(samples.shape.dims + 1, shape->dims, (size_t)shape->rank * sizeof *shape->dims);
    support_fill(inputs, thaw_shape_count(&samples.shape), 7);
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ BATCH });
    for (int i = 0; i < 2; i++) {
        thaw_optimizer *sgd;
        thaw_step_result result;
        assert_ok(context, thaw_optimizer_create(context, "sgd:lr=0.1", &sgd));
        assert_ok(context, thaw_select_optimizer(models[i], "*", sgd));
        thaw_optimizer_destroy(sgd);
        assert_ok(context, thaw_step(models[i], &samples, &targets, NULL, NULL));
        assert_ok(context, thaw_step(models[i], &samples, &targets, NULL, &result));
        losses[i] = result.loss;
    }
    cr_assert_eq(losses[0], losses[1], "%s: %.17g, %.17g", description, losses[0], losses[1]);
    cr_assert_eq(thaw_model_parameter_count(made), thaw_model_parameter_count(wanted));
    for (size_t i = 0; i < thaw_model_parameter_count(wanted); i++) {
        const thaw_parameter *one = thaw_model_parameter(wanted, i);
        const thaw_parameter *other = thaw_model_find_parameter(made, thaw_parameter_name(one));
        cr_assert_not_null(other, "%s", thaw_parameter_name(one));
        cr_assert(thaw_shape_equal(thaw_parameter_shape(one), thaw_parameter_shape(other)));
        cr_assert_arr_eq(thaw_parameter_data(one), thaw_parameter_data(other),
                         thaw_shape_count(thaw_parameter_shape(one)) * sizeof(float), "%s", thaw_parameter_name(one));
    }
}

Test(by_options, an_mlp_over_features)
{
    add_input((thaw_shape){ 1, { 6 } });
    ADD(flatten, NULL);
    ADD(dense, &(thaw_dense_options){ .name = "dense1", .units = 8 });
    ADD(batch_norm, &(thaw_batch_norm_options){ .name = "norm1" });
    ADD(gelu, NULL);
    ADD(dropout, &(thaw_dropout_options){ .rate = 0.25, .drop_when_frozen = true });
    ADD(dense, &(thaw_dense_options){ .name = "dense2", .units = 5 });
    ADD(batch_norm, &(thaw_batch_norm_options){ .name = "norm2" });
    ADD(gelu, NULL);
    ADD(dropout, &(thaw_dropout_options){ .rate = 0.25, .drop_when_frozen = true });
    compare("mlp:input=6,hidden=8x5,norm=batch,activation=gelu,dropout=0.25");
}

static const float *values_of(const char *name)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(made, name);
    cr_assert_not_null(parameter, "%s", name);
    return thaw_parameter_data(parameter);
}

Test(by_options, a_column_of_categories_picks_a_row_of_its_table)
{
    /* Features: two numbers, a column of three categories, a number, a column of two. */
    enum { FEATURES = 8, WIDTH = 2, HIDDEN = 3, INNER = 3 + 2 * WIDTH };
    static const float samples[2][FEATURES] = { { 0.5F, -1, 0, 0, 1, 2, 1, 0 }, { -2, 3, 1, 0, 0, 0.25F, 0, 0 } };
    float outputs[2][CLASSES];
    assert_ok(context, thaw_zoo_build(made, "mlp:input=8,hidden=3,embed=2,categories=2:3x6:2", CLASSES));
    const thaw_tensor inputs = { THAW_F32, { 2, { 2, FEATURES } }, (void *)samples };
    const thaw_tensor given = { THAW_F32, { 2, { 2, CLASSES } }, outputs };
    assert_ok(context, thaw_predict(made, &inputs, &given));
    /* In memory a table is [width, categories]. */
    const float *one = values_of("embedding1.weight"), *two = values_of("embedding2.weight");
    const float *weight = values_of("dense1.weight"), *bias = values_of("dense1.bias");
    const float *head = values_of("head.weight"), *head_bias = values_of("head.bias");
    for (int sample = 0; sample < 2; sample++) {
        const float *x = samples[sample];
        /* The second sample has no category in the second column: that is a row of zeros. */
        const float inner[INNER] = { x[0],
                                     x[1],
                                     sample ? one[0] : one[2],
                                     sample ? one[3] : one[5],
                                     x[5],
                                     sample ? 0 : two[0],
                                     sample ? 0 : two[2] };
        double hidden[HIDDEN];
        for (int h = 0; h < HIDDEN; h++) {
            hidden[h] = (double)bias[h];
            for (int i = 0; i < INNER; i++)
                hidden[h] += (double)weight[h * INNER + i] * (double)inner[i];
        }
        for (int c = 0; c < CLASSES; c++) {
            double wanted_output = (double)head_bias[c];
            for (int h = 0; h < HIDDEN; h++)
                wanted_output += hidden[h] > 0 ? (double)head[c * HIDDEN + h] * hidden[h] : 0;
            cr_assert_float_eq((double)outputs[sample][c], wanted_output, 1e-5);
        }
    }
}

Test(by_options, many_columns_of_categories)
{
    assert_ok(context, thaw_zoo_build(made,
                                      "mlp:input=21,hidden=none,embed=4,categories=0:2x2:2x4:2x6:2x8:2x10:2x12:2x14:2x"
                                      "16:2x18:3",
                                      CLASSES));
    cr_assert_eq(thaw_model_summary_totals(made).total_parameters, 9 * 2 * 4 + 3 * 4 + (10 * 4) * CLASSES + CLASSES);
}

Test(by_options, an_mlp_without_hidden_layers_is_linear)
{
    add_input((thaw_shape){ 3, { 4, 3, 2 } });
    ADD(flatten, NULL);
    compare("mlp:hidden=none,input=4x3x2");
}

Test(by_options, a_cnn)
{
    add_input((thaw_shape){ 3, { 12, 10, 3 } });
    ADD(conv2d, &(thaw_conv2d_options){
                    .name = "conv1", .filters = 4, .kernel = { 5, 5 }, .padding = { 2, 2 }, .no_bias = true });
    ADD(group_norm, &(thaw_group_norm_options){ .name = "norm1", .groups = 1 });
    ADD(silu, NULL);
    ADD(max_pool2d, &(thaw_pool2d_options){ .kernel = { 2, 2 } });
    ADD(conv2d, &(thaw_conv2d_options){
                    .name = "conv2", .filters = 6, .kernel = { 5, 5 }, .padding = { 2, 2 }, .no_bias = true });
    ADD(group_norm, &(thaw_group_norm_options){ .name = "norm2", .groups = 1 });
    ADD(silu, NULL);
    ADD(max_pool2d, &(thaw_pool2d_options){ .kernel = { 2, 2 } });
    ADD(flatten, NULL);
    ADD(dropout, &(thaw_dropout_options){ .rate = 0.5, .drop_when_frozen = true });
    ADD(dense, &(thaw_dense_options){ .name = "dense1", .units = 7 });
    ADD(group_norm, &(thaw_group_norm_options){ .name = "norm3", .groups = 1 });
    ADD(silu, NULL);
    ADD(dropout, &(thaw_dropout_options){ .rate = 0.5, .drop_when_frozen = true });
    compare("cnn:channels=4x6,kernel=5,input=12x10x3,norm=layer,activation=silu,hidden=7,dropout=0.5");
}

/* The default: no normalisation, biases, ReLU; no pooling of what has a height of 1. */
Test(by_options, a_cnn_that_averages)
{
    add_input((thaw_shape){ 3, { 2, 6, 1 } });
    ADD(conv2d, &(thaw_conv2d_options){ .name = "conv1", .filters = 4, .kernel = { 3, 3 }, .padding = { 1, 1 } });
    ADD(relu, NULL);
    ADD(max_pool2d, &(thaw_pool2d_options){ .kernel = { 2, 2 } });
    ADD(conv2d, &(thaw_conv2d_options){ .name = "conv2", .filters = 5, .kernel = { 3, 3 }, .padding = { 1, 1 } });
    ADD(relu, NULL);
    ADD(global_average_pool2d, NULL);
    compare("cnn:channels=4x5,features=average,input=2x6x1");
}

/* Each by another name in a second network, whose outputs must differ. */
Test(by_options, each_activation_is_its_own)
{
    static const char *const names[] = { "relu", "relu6", "leaky_relu", "gelu", "silu", "tanh", "sigmoid" };
    float inputs[6] = { 9, -7, 8, -6, 7, 5 }, outputs[THAW_COUNT(names)][CLASSES];
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        char description[64] = "mlp:input=6,hidden=64,activation=";
        thaw_model_destroy(made);
        assert_ok(context, thaw_model_create(context, &made));
        assert_ok(context, thaw_zoo_build(made, strcat(description, names[i]), CLASSES));
        thaw_summary_entry entry;
        assert_ok(context, thaw_model_summary_entry(made, 3, &entry));
        cr_assert_str_eq(entry.kind, names[i]);
        const thaw_tensor from = thaw_view_f32(inputs, 2, (const int64_t[]){ 1, 6 });
        const thaw_tensor to = thaw_view_f32(outputs[i], 2, (const int64_t[]){ 1, CLASSES });
        assert_ok(context, thaw_predict(made, &from, &to));
        for (size_t k = 0; k < i; k++)
            cr_assert_neq(memcmp(outputs[i], outputs[k], sizeof outputs[i]), 0, "%s, %s", names[i], names[k]);
    }
}

Test(by_options, the_defaults_are_small_networks_over_28x28)
{
    assert_ok(context, thaw_zoo_build(made, "mlp", 0));
    cr_assert_eq(thaw_model_summary_totals(made).total_parameters, 784 * 128 + 128 + 128 * 10 + 10);
    assert_ok(context, thaw_zoo_build(wanted, "cnn", 0));
    cr_assert_eq(thaw_model_summary_totals(wanted).total_parameters,
                 9 * 16 + 16 + 9 * 16 * 32 + 32 + 7 * 7 * 32 * 10 + 10);
    cr_assert_str_eq(thaw_notes_find(thaw_model_notes(wanted), "thaw.model"), "cnn");
}

Test(by_options, wrong_options_are_refused_by_name)
{
    const struct {
        const char *description;
        thaw_status status;
        const char *message;
    } cases[] = {
        { "mlp:hiden=64", THAW_NOT_FOUND,
          "unknown option of mlp \"hiden\", did you mean \"hidden\"?; known: input, hidden, embed" },
        { "mlp:channels=16", THAW_NOT_FOUND, "unknown option of mlp \"channels\"" },
        { "mlp:size=16", THAW_NOT_FOUND, "unknown option of mlp \"size\"" },
        { "mlp-500:hidden=16", THAW_NOT_FOUND, "unknown option of mlp-500 \"hidden\"" },
        { "mlp:hidden=", THAW_INVALID_ARGUMENT, "mlp: \"hidden=\", must be sizes from 1 to 65536 such as 64" },
        { "mlp:hidden=64x", THAW_INVALID_ARGUMENT, "\"hidden=64x\", must be sizes" },
        { "mlp:hidden=x64", THAW_INVALID_ARGUMENT, "\"hidden=x64\", must be sizes" },
        { "mlp:hidden=64*32", THAW_INVALID_ARGUMENT, "\"hidden=64*32\", must be sizes" },
        { "mlp:hidden=0", THAW_INVALID_ARGUMENT, "\"hidden=0\", must be sizes" },
        { "mlp:hidden=65537", THAW_INVALID_ARGUMENT, "\"hidden=65537\", must be sizes" },
        { "mlp:input=4x4", THAW_INVALID_ARGUMENT, "\"input=4x4\", must be a number of features" },
        { "mlp:input=none", THAW_INVALID_ARGUMENT, "\"input=none\", must be a number of features" },
        { "mlp:activation=rleu", THAW_NOT_FOUND, "unknown value of activation \"rleu\", did you mean \"relu\"?" },
        { "cnn:norm=bach", THAW_NOT_FOUND, "unknown value of norm \"bach\", did you mean \"batch\"?" },
        { "cnn:channels=none", THAW_INVALID_ARGUMENT, "\"channels=none\", must be sizes" },
        { "cnn:features=flaten", THAW_NOT_FOUND, "did you mean \"flatten\"?" },
        { "cnn:kernel=0", THAW_INVALID_ARGUMENT, "\"kernel=0\", must be" },
        { "mlp:embed=0", THAW_INVALID_ARGUMENT, "mlp: \"embed=0\", must be a whole number" },
        { "mlp:categories=2", THAW_INVALID_ARGUMENT, "\"categories=2\", must be at most 64 FIRST:COUNT" },
        { "mlp:categories=2:0", THAW_INVALID_ARGUMENT, "\"categories=2:0\", must be" },
        { "mlp:categories=-1:2", THAW_INVALID_ARGUMENT, "\"categories=-1:2\", must be" },
        { "cnn:embed=4", THAW_NOT_FOUND, "unknown option of cnn \"embed\"" },
        { "cnn:dropout=2", THAW_INVALID_ARGUMENT, "cnn: \"dropout=2\", must be at least 0 and below 1" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        assert_fails(context, thaw_zoo_check(context, cases[i].description), cases[i].status, cases[i].message);
        assert_fails(context, thaw_zoo_build(made, cases[i].description, 2), cases[i].status, cases[i].message);
    }
    assert_fails(context, thaw_zoo_build(made, "cnn:input=30", 2), THAW_SHAPE_MISMATCH, "conv1");
    static const char *const outside[] = { "mlp:input=5,embed=4,categories=3:3",
                                           "mlp:input=5,embed=4,categories=2:2x3:2", "mlp:embed=4,categories=0:2" };
    for (size_t i = 0; i < THAW_COUNT(outside); i++) {
        thaw_model_destroy(wanted);
        assert_ok(context, thaw_model_create(context, &wanted));
        assert_fails(context, thaw_zoo_build(wanted, outside[i], 2), THAW_INVALID_ARGUMENT,
                     "must be behind the column before, and among");
    }
    thaw_model_destroy(wanted);
    assert_ok(context, thaw_model_create(context, &wanted));
    assert_fails(context, thaw_zoo_build(wanted, "mlp:input=5,embed=4", 2), THAW_INVALID_ARGUMENT,
                 "embed=4: no column of categories is known");
}
