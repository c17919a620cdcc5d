/* Shapes, element types, and views of the caller's memory. A view owns nothing. */
#ifndef THAW_TENSOR_H
#define THAW_TENSOR_H

#include <thaw/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { THAW_MAX_RANK = 6 };

/* Types of elements. */
typedef enum thaw_dtype { THAW_F32 = 0, THAW_U8, THAW_I32, THAW_I64, THAW_BF16 } thaw_dtype;

/* A THAW_BF16 number: the upper half of a float's bits. */
typedef uint16_t thaw_bfloat16;

/* Dimensions, outermost first. Rank 0 is a scalar. */
typedef struct thaw_shape {
    int rank;                    /* 0 to THAW_MAX_RANK */
    int64_t dims[THAW_MAX_RANK]; /* entries past the rank are ignored */
} thaw_shape;

/* A dense, row-major view of memory that the caller owns. A `const thaw_tensor *` is a view that the call does not
   change. Most calls only read its `data`; two write to it: thaw_predict to its `outputs`, and
   thaw_expression_evaluate to its `values`. Only thaw_dataset_from_arrays keeps a view's data after the call. */
typedef struct thaw_tensor {
    thaw_dtype dtype; /* of the elements */
    thaw_shape shape; /* row-major */
    void *data;       /* the first element */
} thaw_tensor;

/* Bytes of one element; 0 for an unknown type. Thread-safe. */
THAW_API size_t thaw_dtype_bytes(thaw_dtype dtype);

/* The number of elements; 0 if a dimension is 0. The shape must not overflow (every shape inside a model was checked
   when it was built). Thread-safe. */
THAW_API size_t thaw_shape_count(const thaw_shape *shape);

/* Whether the rank is within bounds, every dimension is at least 1, and `batch` samples of this shape, as floats, take
   at most SIZE_MAX / 4 bytes. Thread-safe. */
THAW_API bool thaw_shape_usable(const thaw_shape *shape, size_t batch);

/* Same rank and same dimensions. Thread-safe. */
THAW_API bool thaw_shape_equal(const thaw_shape *left, const thaw_shape *right);

/* Writes "[2, 3]" into `text`, cut to `capacity` (80 always suffices), and returns `text`. Thread-safe. */
THAW_API char *thaw_shape_format(const thaw_shape *shape, char *text, size_t capacity);

/* Views of host arrays. `dims` holds `rank` dimensions, outermost first. A const array may be passed to calls that
   only read it. */
THAW_API thaw_tensor thaw_view_f32(const float *data, int rank, const int64_t *dims);
THAW_API thaw_tensor thaw_view_i32(const int32_t *data, int rank, const int64_t *dims);

#ifdef __cplusplus
}
#endif

#endif
