/* Elements that the loss cannot depend on keep their bytes under weight decay, and all others move. What depends on
   what is found by changing one element after the other and computing the expressions again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "params/random_expression.h"
#include "support/network.h"

enum { BATCH = 4, WIDTH = 4, LAYERS = 3, DEPTH = 4, MODELS = 40 };

static thaw_context *context;
static thaw_model *model;
static thaw_parameter *layers[LAYERS];
static random_leaves leaves; /* those of the layers, and what expressions add */

/* ---- a chain of dense layers ---- */

static void begin(void)
{
    thaw_node x;
    context = support_context(2);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { WIDTH } }, &x));
    leaves = (random_leaves){ .context = context, .model = model };
    for (size_t i = 0; i < LAYERS; i++) {
        char name[40];
        snprintf(name, sizeof name, "layer%zu", i);
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = WIDTH, .name = name }, &x));
        snprintf(name, sizeof name, "layer%zu.weight", i);
        leaves.list[leaves.count++] = layers[i] = thaw_model_find_parameter(model, name);
    }
    assert_ok(context, thaw_mse(model, x, NULL, &x));
}

static void end(void)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void step(void)
{
    float samples[BATCH * WIDTH], targets[BATCH * WIDTH];
    support_fill(samples, THAW_COUNT(samples), 3);
    support_fill(targets, THAW_COUNT(targets), 4);
    const thaw_tensor in = thaw_view_f32(samples, 2, (int64_t[]){ BATCH, WIDTH });
    const thaw_tensor out = thaw_view_f32(targets, 2, (int64_t[]){ BATCH, WIDTH });
    assert_ok(context, thaw_step(model, &in, &out, NULL, NULL));
}

static size_t count_of(const thaw_parameter *parameter)
{
    return thaw_shape_count(thaw_parameter_shape(parameter));
}

/* ---- what depends on what ---- */

static void evaluate_layers(float *values)
{
    for (size_t i = 0; i < LAYERS; i++) {
        thaw_expression *value = thaw_parameter_binding(layers[i]);
        if (!value)
            assert_ok(context, thaw_expression_of(model, layers[i], &value));
        const thaw_tensor tensor = thaw_view_f32(values + i * WIDTH * WIDTH, 2, (int64_t[]){ WIDTH, WIDTH });
        assert_ok(context, thaw_expression_evaluate(value, &tensor));
    }
}

static bool is_needed(thaw_parameter *leaf, size_t element)
{
    float before[LAYERS * WIDTH * WIDTH], after[LAYERS * WIDTH * WIDTH];
    evaluate_layers(before);
    float *value = &thaw_parameter_edit(leaf)[element];
    const float kept = *value;
    *value = kept * 1.7F;
    evaluate_layers(after);
    thaw_parameter_edit(leaf)[element] = kept;
    for (size_t i = 0; i < THAW_COUNT(before); i++)
        if (before[i] != after[i])
            return true;
    return false;
}

/* Steps, after which what trains has moved where it is needed and nowhere else; in a single one, gradient and decay may
   cancel. Adds to the numbers of elements that train and move, and that train and stay. */
static void check_steps(size_t *moving, size_t *staying)
{
    bool needed[RANDOM_MOST_LEAVES][RANDOM_MOST_ELEMENTS];
    float before[RANDOM_MOST_LEAVES][RANDOM_MOST_ELEMENTS];
    for (size_t k = 0; k < leaves.count; k++) {
        cr_assert_leq(count_of(leaves.list[k]), RANDOM_MOST_ELEMENTS);
        memcpy(before[k], thaw_parameter_data(leaves.list[k]), count_of(leaves.list[k]) * sizeof(float));
        for (size_t i = 0; i < count_of(leaves.list[k]); i++)
            needed[k][i] = thaw_parameter_trainable(leaves.list[k]) && is_needed(leaves.list[k], i);
    }
    for (int i = 0; i < 3; i++)
        step();
    for (size_t k = 0; k < leaves.count; k++) {
        const float *now = thaw_parameter_data(leaves.list[k]), *gradient = thaw_parameter_gradient(leaves.list[k]);
        for (size_t i = 0; i < count_of(leaves.list[k]); i++) {
            const bool moved = memcmp(&now[i], &before[k][i], sizeof *now) != 0;
            cr_assert_eq(moved, needed[k][i], "%s, element %zu of %zu: %g became %g",
                         thaw_parameter_name(leaves.list[k]), i, count_of(leaves.list[k]), (double)before[k][i],
                         (double)now[i]);
            cr_assert(!gradient || needed[k][i] || gradient[i] == 0);
            *moving += needed[k][i];
            *staying += thaw_parameter_trainable(leaves.list[k]) && !needed[k][i];
        }
    }
}

Test(reach, weight_decay_moves_what_is_needed_and_nothing_else)
{
    size_t moving = 0, staying = 0;
    srand(6);
    for (int k = 0; k < MODELS; k++) {
        begin();
        for (size_t i = 0; i < LAYERS; i++)
            assert_ok(context, thaw_parameter_bind(model, layers[i], random_expression(&leaves, WIDTH, WIDTH, DEPTH)));
        for (size_t i = 0; i < leaves.count; i++) {
            float *values = thaw_parameter_edit(leaves.list[i]);
            for (size_t at = 0; at < count_of(leaves.list[i]); at++)
                values[at] = random_value();
        }
        support_optimize(model, "sgd:lr=0.001,weight_decay=0.5");
        check_steps(&moving, &staying);
        end();
    }
    cr_assert(moving > 1000 && staying > 1000, "%zu move, %zu stay", moving, staying);
}

/* The rows of B and the columns of A of which the mask leaves nothing. */
Test(reach, factors_of_a_masked_low_rank_change_keep_their_bytes, .init = begin, .fini = end)
{
    static const float mask[] = { 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 0 };
    const thaw_tensor values = thaw_view_f32((float *)mask, 2, (int64_t[]){ WIDTH, WIDTH });
    assert_ok(context, thaw_lora(model, "layer1", 2, 2));
    assert_ok(context, thaw_mask(model, "layer1", &values));
    thaw_parameter *b = thaw_model_find_parameter(model, "layer1.weight.lora_B");
    thaw_parameter *a = thaw_model_find_parameter(model, "layer1.weight.lora_A");
    support_fill(thaw_parameter_edit(b), WIDTH * 2, 5);
    support_optimize(model, "adamw:lr=0.01,weight_decay=0.5");
    float b_before[WIDTH * 2], a_before[2 * WIDTH];
    memcpy(b_before, thaw_parameter_data(b), sizeof b_before);
    memcpy(a_before, thaw_parameter_data(a), sizeof a_before);
    for (int i = 0; i < 5; i++)
        step();
    for (size_t i = 0; i < 2 * WIDTH; i++) {
        const bool row_is_masked = i / 2 == 0, column_is_masked = i % WIDTH == 0 || i % WIDTH == 3;
        cr_assert_eq(thaw_parameter_data(b)[i] == b_before[i], row_is_masked, "element %zu of B", i);
        cr_assert_eq(thaw_parameter_data(a)[i] == a_before[i], column_is_masked, "element %zu of A", i);
    }
}
