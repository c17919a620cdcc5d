/* The matrix stage of optimizers: steps that need a whole parameter as a matrix, for products, inverse roots or
   eigenvectors. A module with `matrix` (thaw/optimizer_module.h) has neither `update` nor sums.

   A parameter of shape [a, b, c, ...] is the matrix [a, b * c * ...]: a convolution's weight is [outputs, inputs *
   height * width]. A parameter of one dimension is a single row.

   Every thread of a team calls the module's function with the same arguments but for `thread`. It computes its share of
   what it can, and meets the others in the functions below, which all threads must call in the same order. Gradient
   descent with a step of a given length:

       static void matrix(const thaw_matrix_update *m)
       {
           const size_t count = m->rows * m->columns;
           const double length = sqrt(thaw_matrix_dot(m, count, m->gradient, m->gradient));
           const float rate = (float)(m->hyperparameter[LR] / length);
           const thaw_part own = thaw_matrix_part(m, count);
           for (size_t i = own.first; i < own.past; i++)
               m->parameter[i] -= rate * m->gradient[i];
       }

   The result is the same to the bit for any number of threads if no element's value depends on how parts are cut. */
#ifndef THAW_MATRIX_STAGE_H
#define THAW_MATRIX_STAGE_H

#include <thaw/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { THAW_MAX_SLOTS = 8 }; /* state arrays of an optimizer */

/* Of an optimizer's state arrays for a parameter of `rows` x `columns`. */
typedef enum thaw_slot_shape {
    THAW_SLOT_WHOLE = 0,       /* the parameter's own */
    THAW_SLOT_ROWS,            /* [rows] */
    THAW_SLOT_COLUMNS,         /* [columns] */
    THAW_SLOT_ROWS_SQUARED,    /* [rows, rows] */
    THAW_SLOT_COLUMNS_SQUARED, /* [columns, columns] */
    THAW_SLOT_ONE,             /* [1] */
    THAW_SLOT_SHARED           /* [1], the same for all parameters of the optimizer: see thaw/optimizer_module.h */
} thaw_slot_shape;

/* A whole parameter in one step; see below. */
typedef struct thaw_matrix_update thaw_matrix_update;

/* result = factor * left * right + addend_factor * addend. Matrices are dense and row-major. No side is longer than the
   longer side of the parameter. */
typedef struct thaw_matrix_product {
    size_t rows, columns;  /* of the result */
    size_t depth;          /* the terms of each element */
    const float *left;     /* [rows, depth] */
    const float *right;    /* [depth, columns] */
    bool left_transposed;  /* `left` is stored as [depth, rows] */
    bool right_transposed; /* `right` is stored as [columns, depth] */
    bool symmetric;        /* the result is known to be: half of it is computed, and copied */
    float factor;          /* of the product */
    const float *addend;   /* [rows, columns]; may be `result`; NULL: none */
    float addend_factor;   /* of the addend */
    float *result;         /* must not overlap `left` or `right` */
} thaw_matrix_product;

/* What the team does together. Modules call the functions below instead. */
typedef struct thaw_matrix_tools {
    /* thaw_matrix_wait */
    void (*wait)(const thaw_matrix_update *matrix);
    /* thaw_matrix_multiply */
    void (*multiply)(const thaw_matrix_update *matrix, const thaw_matrix_product *product);
    /* thaw_matrix_dot */
    double (*dot)(const thaw_matrix_update *matrix, size_t count, const float *left, const float *right);
    /* thaw_matrix_eigen */
    void (*eigen)(const thaw_matrix_update *matrix, size_t side, float *symmetric, float *values, float *vectors);
    /* thaw_matrix_orthonormalize */
    void (*orthonormalize)(const thaw_matrix_update *matrix, size_t side, float *rows, float *orthonormal);
} thaw_matrix_tools;

/* One parameter in one step. Gradients and state are whole even if some elements are held (thaw/combine.h, frozen
   slices): the gradient of those is 0, their state changes, and their values are restored afterwards, to the bit. */
struct thaw_matrix_update {
    size_t rows, columns;         /* of the matrix */
    const thaw_shape *shape;      /* of the parameter */
    float *parameter;             /* [rows, columns], read and written */
    const float *gradient;        /* [rows, columns], of the loss */
    float *slot[THAW_MAX_SLOTS];  /* shapes as the module declares; zero before its first step; NULL where unused */
    const double *scalar;         /* what `prepare` wrote */
    const double *hyperparameter; /* the values in effect */
    uint64_t step;                /* of this parameter, from 1 */
    uint64_t slot_step[THAW_MAX_SLOTS]; /* of a slot in use, from 1 */
    float *scratch;                 /* as many floats as the module's `scratch` says, aligned to 64 bytes; undefined */
    int thread, threads;            /* this one, of how many */
    const thaw_matrix_tools *tools; /* Thaw's own */
    void *team;                     /* also */
};

/* A share of a range. */
typedef struct thaw_part {
    size_t first, past; /* [first, past) */
} thaw_part;

/* This thread's share of `count` elements, rows or columns. Parts are in the order of threads, cut at multiples of 16 if
   there are enough. */
static inline thaw_part thaw_matrix_part(const thaw_matrix_update *matrix, size_t count)
{
    const size_t thread = (size_t)matrix->thread, threads = (size_t)matrix->threads;
    const size_t grain = count >= 64 * threads ? 16 : 1, grains = (count + grain - 1) / grain;
    const size_t past = grains * (thread + 1) / threads * grain;
    const thaw_part part = { grains * thread / threads * grain, past < count ? past : count };
    return part;
}

/* Waits for all threads: what each has written before, all may read after. */
static inline void thaw_matrix_wait(const thaw_matrix_update *matrix)
{
    matrix->tools->wait(matrix);
}

/* A product, by all threads. Waits before and after, so operands may just have been written, in parts. The terms of an
   element are added in one order, whatever the number of threads. */
static inline void thaw_matrix_multiply(const thaw_matrix_update *matrix, const thaw_matrix_product *product)
{
    matrix->tools->multiply(matrix, product);
}

/* The sum of left[i] * right[i], in double and in one order, whatever the number of threads. Waits before and after. */
static inline double thaw_matrix_dot(const thaw_matrix_update *matrix, size_t count, const float *left,
                                     const float *right)
{
    return matrix->tools->dot(matrix, count, left, right);
}

/* The eigenvalues [side] of a symmetric matrix [side, side], the largest first, and an orthonormal eigenvector of each
   as a row of `vectors` [side, side]; destroys the matrix. Signs of the vectors, and those of equal eigenvalues, are
   arbitrary, but the same for any number of threads. Householder's reduction in float, then QL iterations in double:
   A v differs from the eigenvalue times v by some 1e-6 of the matrix's norm. Waits before and after. `side` is at most
   what the module's `decomposed_side` says. The eigenbasis of S, and the root S^(-1/2) as W^T W:

       thaw_matrix_eigen(m, side, copy, values, basis);
       const thaw_part own = thaw_matrix_part(m, side);
       for (size_t i = own.first; i < own.past; i++)
           for (size_t j = 0; j < side; j++)
               w[i * side + j] = basis[i * side + j] / powf(values[i] + eps, 0.25F);
       thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = side, .columns = side, .depth = side, .left = w,
                                                       .left_transposed = true, .right = w, .symmetric = true,
                                                       .factor = 1, .result = root }); */
static inline void thaw_matrix_eigen(const thaw_matrix_update *matrix, size_t side, float *symmetric, float *values,
                                     float *vectors)
{
    matrix->tools->eigen(matrix, side, symmetric, values, vectors);
}

/* Orthonormal rows [side, side], of which row i is in the span of rows [0, i] of `rows` [side, side], which is
   destroyed: Q^T of the QR decomposition of its transpose, by Householder's reflections, with arbitrary signs. Rows that
   depend on those before yield any that are orthogonal to them. The same conditions as above. A step of orthogonal
   iteration towards the eigenbasis of S:

       thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = side, .columns = side, .depth = side, .left = basis,
                                                       .right = S, .factor = 1, .result = turned });
       thaw_matrix_orthonormalize(m, side, turned, basis); */
static inline void thaw_matrix_orthonormalize(const thaw_matrix_update *matrix, size_t side, float *rows,
                                              float *orthonormal)
{
    matrix->tools->orthonormalize(matrix, side, rows, orthonormal);
}

#ifdef __cplusplus
}
#endif

#endif
