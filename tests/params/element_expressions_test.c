/* Operations element by element, alone, against their definition in double precision. */
#include "params/expression_network.h"

enum { OUTPUTS = EXPRESSION_OUTPUTS, INPUTS = EXPRESSION_INPUTS };

static thaw_status build_sum(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_add(l[0], l[1], r);
}

static thaw_status build_sum_swapped(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_add(l[1], l[0], r);
}

static thaw_status build_difference(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_subtract(l[0], l[1], r);
}

static thaw_status build_difference_swapped(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_subtract(l[1], l[0], r);
}

static thaw_status build_product(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_multiply(l[0], l[1], r);
}

static thaw_status build_product_swapped(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_multiply(l[1], l[0], r);
}

static double define_sum(const expression_point *p)
{
    return p->w + p->leaf[1][p->at];
}

static double define_sum_row(const expression_point *p)
{
    return p->w + p->leaf[1][p->i];
}

static double define_sum_column(const expression_point *p)
{
    return p->w + p->leaf[1][p->o];
}

static double define_sum_one(const expression_point *p)
{
    return p->w + p->leaf[1][0];
}

static double define_difference(const expression_point *p)
{
    return p->w - p->leaf[1][p->at];
}

static double define_difference_row(const expression_point *p)
{
    return p->leaf[1][p->i] - p->w;
}

static double define_difference_column(const expression_point *p)
{
    return p->w - p->leaf[1][p->o];
}

static double define_product(const expression_point *p)
{
    return p->w * p->leaf[1][p->at];
}

static double define_product_row(const expression_point *p)
{
    return p->w * p->leaf[1][p->i];
}

static double define_product_column(const expression_point *p)
{
    return p->w * p->leaf[1][p->o];
}

static double define_product_one(const expression_point *p)
{
    return p->w * p->leaf[1][0];
}

static thaw_status build_outer(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_multiply(l[1], l[2], r);
}

static double define_outer(const expression_point *p)
{
    return p->leaf[1][p->o] * p->leaf[2][p->i];
}

static thaw_status build_outer_sum(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_add(l[2], l[1], r);
}

static double define_outer_sum(const expression_point *p)
{
    return p->leaf[1][p->o] + p->leaf[2][p->i];
}

static thaw_status build_square(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_multiply(l[0], l[0], r);
}

static double define_square(const expression_point *p)
{
    return p->w * p->w;
}

static thaw_status build_scale(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_scale(l[0], -0.75, r);
}

static double define_scale(const expression_point *p)
{
    return -0.75 * p->w;
}

static thaw_status build_mask(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return expression_mask(l[0], r);
}

static double define_mask(const expression_point *p)
{
    return expression_mask_at(p->at) * p->w;
}

static thaw_status build_constant(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    float values[INPUTS];
    for (size_t i = 0; i < INPUTS; i++)
        values[i] = 0.25F * (float)i;
    thaw_expression *constant;
    const thaw_status status =
        thaw_expression_constant(m, &(thaw_tensor){ THAW_F32, { 1, { INPUTS } }, values }, &constant);
    return status == THAW_OK ? thaw_expression_multiply(constant, l[0], r) : status;
}

static double define_constant(const expression_point *p)
{
    return 0.25 * (double)p->i * p->w;
}

static const expression_case cases[] = {
    { "sum", { { 2, { OUTPUTS, INPUTS } } }, build_sum, define_sum, OF_ALL },
    { "sum, a row", { { 1, { INPUTS } } }, build_sum, define_sum_row, OF_ALL },
    { "sum, a row first", { { 2, { 1, INPUTS } } }, build_sum_swapped, define_sum_row, OF_ALL },
    { "sum, a column", { { 2, { OUTPUTS, 1 } } }, build_sum, define_sum_column, OF_ALL },
    { "sum, one", { { 1, { 1 } } }, build_sum_swapped, define_sum_one, OF_ALL },
    { "difference", { { 2, { OUTPUTS, INPUTS } } }, build_difference, define_difference, OF_ALL },
    { "difference, a row first", { { 1, { INPUTS } } }, build_difference_swapped, define_difference_row, OF_ALL },
    { "difference, a column", { { 2, { OUTPUTS, 1 } } }, build_difference, define_difference_column, OF_ALL },
    { "product", { { 2, { OUTPUTS, INPUTS } } }, build_product, define_product, OF_ALL },
    { "product swapped", { { 2, { OUTPUTS, INPUTS } } }, build_product_swapped, define_product, OF_ALL },
    { "product, a row", { { 2, { 1, INPUTS } } }, build_product, define_product_row, OF_ALL },
    { "product, a column first", { { 2, { OUTPUTS, 1 } } }, build_product_swapped, define_product_column, OF_ALL },
    { "product, one", { { 1, { 1 } } }, build_product, define_product_one, OF_ALL },
    { "product of column and row",
      { { 2, { OUTPUTS, 1 } }, { 1, { INPUTS } } },
      build_outer,
      define_outer,
      WITHOUT_OWN },
    { "sum of row and column",
      { { 2, { OUTPUTS, 1 } }, { 2, { 1, INPUTS } } },
      build_outer_sum,
      define_outer_sum,
      WITHOUT_OWN },
    { "square", { { 0 } }, build_square, define_square, OF_ALL },
    { "scale", { { 0 } }, build_scale, define_scale, OF_ALL },
    { "mask", { { 0 } }, build_mask, define_mask, ALWAYS_PARTIAL },
    { "constant", { { 0 } }, build_constant, define_constant, ALWAYS_PARTIAL },
};

Test(element_expressions, are_what_they_are_defined_to_be)
{
    expression_check(cases, THAW_COUNT(cases));
}
