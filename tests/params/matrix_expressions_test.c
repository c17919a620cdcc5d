/* Parts and products of matrices, and nested expressions, against their definition in double precision. */
#include <math.h>

#include "params/expression_network.h"

enum { OUTPUTS = EXPRESSION_OUTPUTS, INPUTS = EXPRESSION_INPUTS };

/* ---- parts ---- */

static thaw_status build_rows(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_concatenate((thaw_expression *[]){ l[1], l[2], l[3] }, 3, 0, r);
}

static double define_rows(const expression_point *p)
{
    return p->o < 2 ? p->leaf[1][p->at] : p->o < 3 ? p->leaf[2][p->i] : p->leaf[3][(p->o - 3) * INPUTS + p->i];
}

static thaw_status build_columns(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_concatenate((thaw_expression *[]){ l[1], l[2] }, 2, 1, r);
}

static double define_columns(const expression_point *p)
{
    return p->i < 9 ? p->leaf[1][p->o * 9 + p->i] : p->leaf[2][p->o * 4 + p->i - 9];
}

static thaw_status build_row_slice(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_slice(l[1], 0, 2, 2 + OUTPUTS, r);
}

static double define_row_slice(const expression_point *p)
{
    return p->leaf[1][(p->o + 2) * INPUTS + p->i];
}

static thaw_status build_column_slice(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_slice(l[1], 1, 3, 3 + INPUTS, r);
}

static double define_column_slice(const expression_point *p)
{
    return p->leaf[1][p->o * 17 + p->i + 3];
}

/* Two slices of one tensor that overlap. */
static thaw_status build_overlap(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    thaw_expression *first, *second;
    thaw_status status = thaw_expression_slice(l[1], 1, 0, INPUTS, &first);
    if (status == THAW_OK)
        status = thaw_expression_slice(l[1], 1, 4, 4 + INPUTS, &second);
    return status == THAW_OK ? thaw_expression_add(first, second, r) : status;
}

static double define_overlap(const expression_point *p)
{
    return p->leaf[1][p->o * 17 + p->i] + p->leaf[1][p->o * 17 + p->i + 4];
}

/* ---- matrices ---- */

static thaw_status build_matrices(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_product(l[1], l[2], r);
}

static double dot(const double *left, const double *right, size_t count, size_t step)
{
    double sum = 0;
    for (size_t k = 0; k < count; k++)
        sum += left[k] * right[k * step];
    return sum;
}

static double define_matrices(const expression_point *p)
{
    return dot(&p->leaf[1][p->o * 3], &p->leaf[2][p->i], 3, INPUTS);
}

static double define_matrices_one(const expression_point *p)
{
    return p->leaf[1][p->o] * p->leaf[2][p->i];
}

static thaw_status build_low_rank(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_low_rank(l[0], l[1], l[2], 1.5, r);
}

static double define_low_rank(const expression_point *p)
{
    return p->w + 1.5 * dot(&p->leaf[1][p->o * 3], &p->leaf[2][p->i], 3, INPUTS);
}

static thaw_status build_weight_norm(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    return thaw_expression_weight_norm(l[1], l[0], r);
}

static double define_weight_norm(const expression_point *p)
{
    return p->w * p->leaf[1][p->o] / sqrt(dot(&p->leaf[0][p->o * INPUTS], &p->leaf[0][p->o * INPUTS], INPUTS, 1));
}

/* ---- nested ---- */

/* mask(weight_norm(g, w * w + r)) - 0.5 (w + 2 B A) */
static thaw_status build_nested(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    thaw_expression *e, *f;
    thaw_status status = thaw_expression_multiply(l[0], l[0], &e);
    if (status == THAW_OK)
        status = thaw_expression_add(e, l[1], &e);
    if (status == THAW_OK)
        status = thaw_expression_weight_norm(l[2], e, &e);
    if (status == THAW_OK)
        status = expression_mask(e, &e);
    if (status == THAW_OK)
        status = thaw_expression_low_rank(l[0], l[3], l[4], 2, &f);
    if (status == THAW_OK)
        status = thaw_expression_scale(f, 0.5, &f);
    return status == THAW_OK ? thaw_expression_subtract(e, f, r) : status;
}

static double define_nested(const expression_point *p)
{
    double row[INPUTS];
    for (size_t i = 0; i < INPUTS; i++) {
        const double w = p->leaf[0][p->o * INPUTS + i];
        row[i] = w * w + p->leaf[1][i];
    }
    return expression_mask_at(p->at) * p->leaf[2][p->o] * row[p->i] / sqrt(dot(row, row, INPUTS, 1)) -
           0.5 * (p->w + 2 * dot(&p->leaf[3][p->o * 2], &p->leaf[4][p->i], 2, INPUTS));
}

/* x * x where x = w + r is one expression that is used twice, sixteen times over. */
static thaw_status build_shared(thaw_model *m, thaw_expression *const *l, thaw_expression **r)
{
    (void)m;
    thaw_expression *e;
    thaw_status status = thaw_expression_add(l[0], l[1], &e);
    for (int i = 0; i < 16 && status == THAW_OK; i++) {
        status = thaw_expression_add(e, e, &e);
        if (status == THAW_OK)
            status = thaw_expression_scale(e, 0.5, &e);
    }
    return status == THAW_OK ? thaw_expression_multiply(e, e, r) : status;
}

static double define_shared(const expression_point *p)
{
    return (p->w + p->leaf[1][p->i]) * (p->w + p->leaf[1][p->i]);
}

static const expression_case cases[] = {
    { "rows joined",
      { { 2, { 2, INPUTS } }, { 2, { 1, INPUTS } }, { 2, { 4, INPUTS } } },
      build_rows,
      define_rows,
      WITHOUT_OWN },
    { "columns joined", { { 2, { OUTPUTS, 9 } }, { 2, { OUTPUTS, 4 } } }, build_columns, define_columns, WITHOUT_OWN },
    { "slice of rows", { { 2, { OUTPUTS + 5, INPUTS } } }, build_row_slice, define_row_slice, WITHOUT_OWN },
    { "slice of columns", { { 2, { OUTPUTS, 17 } } }, build_column_slice, define_column_slice, WITHOUT_OWN },
    { "slices that overlap", { { 2, { OUTPUTS, 17 } } }, build_overlap, define_overlap, WITHOUT_OWN },
    { "matrices", { { 2, { OUTPUTS, 3 } }, { 2, { 3, INPUTS } } }, build_matrices, define_matrices, WITHOUT_OWN },
    { "matrices of rank 1",
      { { 2, { OUTPUTS, 1 } }, { 2, { 1, INPUTS } } },
      build_matrices,
      define_matrices_one,
      WITHOUT_OWN },
    { "low rank", { { 2, { OUTPUTS, 3 } }, { 2, { 3, INPUTS } } }, build_low_rank, define_low_rank, OF_ALL },
    { "weight norm", { { 2, { OUTPUTS, 1 } } }, build_weight_norm, define_weight_norm, OF_ALL },
    { "nested",
      { { 1, { INPUTS } }, { 1, { OUTPUTS } }, { 2, { OUTPUTS, 2 } }, { 2, { 2, INPUTS } } },
      build_nested,
      define_nested,
      ALWAYS_PARTIAL },
    { "shared", { { 1, { INPUTS } } }, build_shared, define_shared, OF_ALL },
};

Test(matrix_expressions, are_what_they_are_defined_to_be)
{
    expression_check(cases, THAW_COUNT(cases));
}
