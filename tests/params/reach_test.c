/* Elements that the loss cannot depend on keep their bytes under weight decay, and all others move. What depends on
   what is found by changing one element after the other and computing the expressions again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

enum { BATCH = 4, WIDTH = 4, LAYERS = 3, MOST_LEAVES = 120, MOST_ELEMENTS = 64, DEPTH = 4, MODELS = 40 };

static thaw_context *context;
static thaw_model *model;
static thaw_parameter *leaves[MOST_LEAVES], *layers[LAYERS];
static size_t leaf_count;

/* ---- a chain of dense layers ---- */

static void begin(void)
{
    thaw_node x;
    context = support_context(2);
    leaf_count = 0;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { WIDTH } }, &x));
    for (size_t i = 0; i < LAYERS; i++) {
        char name[40];
        snprintf(name, sizeof name, "layer%zu", i);
        assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = WIDTH, .name = name }, &x));
        snprintf(name, sizeof name, "layer%zu.weight", i);
        leaves[leaf_count++] = layers[i] = thaw_model_find_parameter(model, name);
    }
    assert_ok(context, thaw_mse(model, x, NULL, &x));
}

static void optimize(const char *description)
{
    thaw_optimizer *optimizer;
    assert_ok(context, thaw_optimizer_create(context, description, &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
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

static thaw_expression *stored(thaw_parameter *parameter)
{
    thaw_expression *expression;
    assert_ok(context, thaw_expression_of(model, parameter, &expression));
    return expression;
}

/* ---- random expressions ---- */

static int64_t draw(int64_t count)
{
    return rand() % count;
}

static float draw_value(void)
{
    const float size = 0.5F + (float)draw(1000) / 1000;
    return draw(2) ? size : -size;
}

static thaw_expression *add_leaf(int64_t rows, int64_t columns)
{
    char name[20];
    const thaw_parameter_specification specification = { .name = "w",
                                                         .shape = { 2, { rows, columns } },
                                                         .initializer = THAW_INITIAL_ONE };
    cr_assert_lt(leaf_count, MOST_LEAVES);
    snprintf(name, sizeof name, "added%zu", leaf_count);
    thaw_parameter **added = &leaves[leaf_count++];
    assert_ok(context, thaw_model_add_parameter(model, name, &specification, added));
    if (draw(6) == 0)
        assert_ok(context, thaw_model_freeze(model, name));
    return stored(*added);
}

/* An old one where there is one of this shape, unless `apart`. */
static thaw_expression *choose_leaf(int64_t rows, int64_t columns, bool apart)
{
    const size_t from = (size_t)draw((int64_t)leaf_count);
    for (size_t i = 0; i < leaf_count && !apart && draw(3); i++) {
        thaw_parameter *leaf = leaves[(from + i) % leaf_count];
        if (thaw_shape_equal(thaw_parameter_shape(leaf), &(thaw_shape){ 2, { rows, columns } }))
            return stored(leaf);
    }
    return add_leaf(rows, columns);
}

static void draw_elements(float *elements, bool is_mask)
{
    for (size_t i = 0; i < MOST_ELEMENTS; i++)
        elements[i] = draw(2) == 0 ? 0 : is_mask ? 1 : draw_value();
    if (draw(2)) /* whole rows and columns, too */
        for (size_t i = 0; i < MOST_ELEMENTS; i++)
            elements[i] = i / WIDTH % 2 || i % WIDTH == 1 ? 0 : elements[i];
}

static thaw_expression *make(int64_t rows, int64_t columns, int depth, bool apart);

static thaw_expression *make_cellwise(int64_t rows, int64_t columns, int depth, bool apart)
{
    const int64_t own_rows = draw(3) ? rows : 1, own_columns = draw(3) ? columns : 1;
    thaw_expression *result, *one = make(rows, columns, depth, apart);
    switch (draw(3)) {
    case 0:
        assert_ok(context, thaw_expression_add(make(own_rows, own_columns, depth, apart), one, &result));
        break;
    case 1: /* the same on both sides would cancel */
        assert_ok(context, thaw_expression_subtract(one, make(own_rows, own_columns, depth, true), &result));
        break;
    default:
        assert_ok(context, thaw_expression_multiply(one, make(own_rows, own_columns, depth, apart), &result));
    }
    return result;
}

static thaw_expression *make_matrix(int64_t rows, int64_t columns, int depth, bool apart)
{
    thaw_expression *result;
    if (rows < 2 || columns < 2)
        return make(rows, columns, depth, apart);
    const int64_t inner = 1 + draw(rows < columns ? rows : columns);
    thaw_expression *left = make(rows, inner, depth, apart), *right = make(inner, columns, depth, apart);
    if (draw(2))
        assert_ok(context, thaw_expression_product(left, right, &result));
    else
        assert_ok(context,
                  thaw_expression_low_rank(make(rows, columns, depth, apart), left, right, draw(6) ? 0.7 : 0, &result));
    return result;
}

static thaw_expression *make_piece(int64_t rows, int64_t columns, int depth, bool apart)
{
    thaw_expression *result;
    const int axis = (int)draw(2);
    const int64_t dim = axis ? columns : rows, begin = draw(3);
    if (draw(2) || dim < 2) {
        const int64_t more = begin + draw(3);
        thaw_expression *whole = make(rows + (axis ? 0 : more), columns + (axis ? more : 0), depth, apart);
        assert_ok(context, thaw_expression_slice(whole, axis, begin, begin + dim, &result));
        return result;
    }
    const int64_t first = 1 + draw(dim - 1);
    thaw_expression *const parts[] = { make(axis ? rows : first, axis ? first : columns, depth, apart),
                                       make(axis ? rows : dim - first, axis ? dim - first : columns, depth, apart) };
    assert_ok(context, thaw_expression_concatenate(parts, 2, axis, &result));
    return result;
}

static thaw_expression *make_leaving_out(int64_t rows, int64_t columns, int depth, bool apart)
{
    float elements[MOST_ELEMENTS];
    thaw_expression *result;
    const bool is_mask = draw(3) != 0;
    draw_elements(elements, is_mask);
    const thaw_tensor values = thaw_view_f32(elements, 2, (int64_t[]){ rows, columns });
    if (!is_mask)
        assert_ok(context, thaw_expression_constant(model, &values, &result));
    else
        assert_ok(context, thaw_expression_mask(make(rows, columns, depth, apart), &values, &result));
    return result;
}

static thaw_expression *make_scaled(int64_t rows, int64_t columns, int depth, bool apart)
{
    thaw_expression *result, *one = make(rows, draw(2) ? 1 : columns, depth, apart);
    if (columns > 1 && thaw_expression_shape(one)->dims[1] == 1)
        assert_ok(context, thaw_expression_weight_norm(one, add_leaf(rows, columns), &result));
    else
        assert_ok(context, thaw_expression_scale(one, draw(6) ? -1.3 : 0, &result));
    return result;
}

static thaw_expression *make(int64_t rows, int64_t columns, int depth, bool apart)
{
    if (depth == 0 || rows * columns > MOST_ELEMENTS || leaf_count + 16 > MOST_LEAVES)
        return choose_leaf(rows, columns, apart);
    switch (draw(8)) {
    case 0:
    case 1:
        return make_cellwise(rows, columns, depth - 1, apart);
    case 2:
        return make_matrix(rows, columns, depth - 1, apart);
    case 3:
        return make_piece(rows, columns, depth - 1, apart);
    case 4:
    case 5:
        return make_leaving_out(rows, columns, depth - 1, apart);
    case 6:
        return make_scaled(rows, columns, depth - 1, apart);
    default:
        return choose_leaf(rows, columns, apart);
    }
}

/* ---- what depends on what ---- */

static void evaluate_layers(float *values)
{
    for (size_t i = 0; i < LAYERS; i++) {
        thaw_expression *bound = thaw_parameter_binding(layers[i]);
        const thaw_tensor tensor = thaw_view_f32(values + i * WIDTH * WIDTH, 2, (int64_t[]){ WIDTH, WIDTH });
        assert_ok(context, thaw_expression_evaluate(bound ? bound : stored(layers[i]), &tensor));
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
   cancel. Adds to the numbers of elements that
   train and move, and that train and stay. */
static void check_steps(size_t *moving, size_t *staying)
{
    bool needed[MOST_LEAVES][MOST_ELEMENTS];
    float before[MOST_LEAVES][MOST_ELEMENTS];
    for (size_t k = 0; k < leaf_count; k++) {
        cr_assert_leq(count_of(leaves[k]), MOST_ELEMENTS);
        memcpy(before[k], thaw_parameter_data(leaves[k]), count_of(leaves[k]) * sizeof(float));
        for (size_t i = 0; i < count_of(leaves[k]); i++)
            needed[k][i] = thaw_parameter_trainable(leaves[k]) && is_needed(leaves[k], i);
    }
    for (int i = 0; i < 3; i++)
        step();
    for (size_t k = 0; k < leaf_count; k++) {
        const float *now = thaw_parameter_data(leaves[k]), *gradient = thaw_parameter_gradient(leaves[k]);
        for (size_t i = 0; i < count_of(leaves[k]); i++) {
            const bool moved = memcmp(&now[i], &before[k][i], sizeof *now) != 0;
            cr_assert_eq(moved, needed[k][i], "%s, element %zu of %zu: %g became %g", thaw_parameter_name(leaves[k]), i,
                         count_of(leaves[k]), (double)before[k][i], (double)now[i]);
            cr_assert(!gradient || needed[k][i] || gradient[i] == 0);
            *moving += needed[k][i];
            *staying += thaw_parameter_trainable(leaves[k]) && !needed[k][i];
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
            assert_ok(context, thaw_parameter_bind(model, layers[i], make(WIDTH, WIDTH, DEPTH, false)));
        for (size_t i = 0; i < leaf_count; i++) {
            float *values = thaw_parameter_edit(leaves[i]);
            for (size_t at = 0; at < count_of(leaves[i]); at++)
                values[at] = draw_value();
        }
        optimize("sgd:lr=0.001,weight_decay=0.5");
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
    optimize("adamw:lr=0.01,weight_decay=0.5");
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
