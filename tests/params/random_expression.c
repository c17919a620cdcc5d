#include "params/random_expression.h"

#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 4 }; /* of most matrices */

static int64_t draw(int64_t count)
{
    return rand() % count;
}

float random_value(void)
{
    const float size = 0.5F + (float)draw(1000) / 1000;
    return draw(2) ? size : -size;
}

static thaw_expression *stored(const random_leaves *leaves, thaw_parameter *parameter)
{
    thaw_expression *expression;
    assert_ok(leaves->context, thaw_expression_of(leaves->model, parameter, &expression));
    return expression;
}

static thaw_expression *add_leaf(random_leaves *leaves, int64_t rows, int64_t columns)
{
    char name[20];
    const thaw_parameter_specification specification = { .name = "w",
                                                         .shape = { 2, { rows, columns } },
                                                         .initializer = THAW_INITIAL_ONE };
    cr_assert_lt(leaves->count, RANDOM_MOST_LEAVES);
    snprintf(name, sizeof name, "added%zu", leaves->count);
    thaw_parameter **added = &leaves->list[leaves->count++];
    assert_ok(leaves->context, thaw_model_add_parameter(leaves->model, name, &specification, added));
    if (draw(6) == 0)
        assert_ok(leaves->context, thaw_model_freeze(leaves->model, name));
    return stored(leaves, *added);
}

/* An old one where there is one of this shape, unless `apart`. */
static thaw_expression *choose_leaf(random_leaves *leaves, int64_t rows, int64_t columns, bool apart)
{
    const size_t from = (size_t)draw((int64_t)leaves->count);
    for (size_t i = 0; i < leaves->count && !apart && draw(3); i++) {
        thaw_parameter *leaf = leaves->list[(from + i) % leaves->count];
        if (thaw_shape_equal(thaw_parameter_shape(leaf), &(thaw_shape){ 2, { rows, columns } }))
            return stored(leaves, leaf);
    }
    return add_leaf(leaves, rows, columns);
}

static void draw_elements(float *elements, bool is_mask)
{
    for (size_t i = 0; i < RANDOM_MOST_ELEMENTS; i++)
        elements[i] = draw(2) == 0 ? 0 : is_mask ? 1 : random_value();
    if (draw(2)) /* whole rows and columns, too */
        for (size_t i = 0; i < RANDOM_MOST_ELEMENTS; i++)
            elements[i] = i / WIDTH % 2 || i % WIDTH == 1 ? 0 : elements[i];
}

static thaw_expression *make(random_leaves *leaves, int64_t rows, int64_t columns, int depth, bool apart);

static thaw_expression *make_cellwise(random_leaves *leaves, int64_t rows, int64_t columns, int depth, bool apart)
{
    const int64_t own_rows = draw(3) ? rows : 1, own_columns = draw(3) ? columns : 1;
    thaw_expression *result, *one = make(leaves, rows, columns, depth, apart);
    switch (draw(3)) {
    case 0:
        assert_ok(leaves->context,
                  thaw_expression_add(make(leaves, own_rows, own_columns, depth, apart), one, &result));
        break;
    case 1: /* the same on both sides would cancel */
        assert_ok(leaves->context,
                  thaw_expression_subtract(one, make(leaves, own_rows, own_columns, depth, true), &result));
        break;
    default:
        assert_ok(leaves->context,
                  thaw_expression_multiply(one, make(leaves, own_rows, own_columns, depth, apart), &result));
    }
    return result;
}

static thaw_expression *make_matrix(random_leaves *leaves, int64_t rows, int64_t columns, int depth, bool apart)
{
    thaw_expression *result;
    if (rows < 2 || columns < 2)
        return make(leaves, rows, columns, depth, apart);
    const int64_t inner = 1 + draw(rows < columns ? rows : columns);
    thaw_expression *left = make(leaves, rows, inner, depth, apart),
                    *right = make(leaves, inner, columns, depth, apart);
    if (draw(2))
        assert_ok(leaves->context, thaw_expression_product(left, right, &result));
    else
        assert_ok(leaves->context, thaw_expression_low_rank(make(leaves, rows, columns, depth, apart), left, right,
                                                            draw(6) ? 0.7 : 0, &result));
    return result;
}

static thaw_expression *make_piece(random_leaves *leaves, int64_t rows, int64_t columns, int depth, bool apart)
{
    thaw_expression *result;
    const int axis = (int)draw(2);
    const int64_t dim = axis ? columns : rows, begin = draw(3);
    if (draw(2) || dim < 2) {
        const int64_t more = begin + draw(3);
        thaw_expression *whole = make(leaves, rows + (axis ? 0 : more), columns + (axis ? more : 0), depth, apart);
        assert_ok(leaves->context, thaw_expression_slice(whole, axis, begin, begin + dim, &result));
        return result;
    }
    const int64_t first = 1 + draw(dim - 1);
    thaw_expression *const parts[] = { make(leaves, axis ? rows : first, axis ? first : columns, depth, apart),
                                       make(leaves, axis ? rows : dim - first, axis ? dim - first : columns, depth,
                                            apart) };
    assert_ok(leaves->context, thaw_expression_concatenate(parts, 2, axis, &result));
    return result;
}

static thaw_expression *make_leaving_out(random_leaves *leaves, int64_t rows, int64_t columns, int depth, bool apart)
{
    float elements[RANDOM_MOST_ELEMENTS];
    thaw_expression *result;
    const bool is_mask = draw(3) != 0;
    draw_elements(elements, is_mask);
    const thaw_tensor values = thaw_view_f32(elements, 2, (int64_t[]){ rows, columns });
    if (!is_mask)
        assert_ok(leaves->context, thaw_expression_constant(leaves->model, &values, &result));
    else
        assert_ok(leaves->context, thaw_expression_mask(make(leaves, rows, columns, depth, apart), &values, &result));
    return result;
}

static thaw_expression *make_scaled(random_leaves *leaves, int64_t rows, int64_t columns, int depth, bool apart)
{
    thaw_expression *result, *one = make(leaves, rows, draw(2) ? 1 : columns, depth, apart);
    if (columns > 1 && thaw_expression_shape(one)->dims[1] == 1)
        assert_ok(leaves->context, thaw_expression_weight_norm(one, add_leaf(leaves, rows, columns), &result));
    else
        assert_ok(leaves->context, thaw_expression_scale(one, draw(6) ? -1.3 : 0, &result));
    return result;
}

static thaw_expression *make(random_leaves *leaves, int64_t rows, int64_t columns, int depth, bool apart)
{
    if (depth == 0 || rows * columns > RANDOM_MOST_ELEMENTS || leaves->count + 16 > RANDOM_MOST_LEAVES)
        return choose_leaf(leaves, rows, columns, apart);
    switch (draw(8)) {
    case 0:
    case 1:
        return make_cellwise(leaves, rows, columns, depth - 1, apart);
    case 2:
        return make_matrix(leaves, rows, columns, depth - 1, apart);
    case 3:
        return make_piece(leaves, rows, columns, depth - 1, apart);
    case 4:
    case 5:
        return make_leaving_out(leaves, rows, columns, depth - 1, apart);
    case 6:
        return make_scaled(leaves, rows, columns, depth - 1, apart);
    default:
        return choose_leaf(leaves, rows, columns, apart);
    }
}

thaw_expression *random_expression(random_leaves *leaves, int64_t rows, int64_t columns, int depth)
{
    return make(leaves, rows, columns, depth, false);
}
