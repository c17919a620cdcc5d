#include "core/shape.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t thaw_dtype_bytes(thaw_dtype dtype)
{
    switch (dtype) {
    case THAW_U8:
        return 1;
    case THAW_BF16:
        return 2;
    case THAW_F32:
    case THAW_I32:
        return 4;
    case THAW_I64:
        return 8;
    }
    return 0;
}

size_t thaw_shape_count(const thaw_shape *shape)
{
    size_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        count *= (size_t)shape->dims[i];
    return count;
}

bool thaw_shape_equal(const thaw_shape *left, const thaw_shape *right)
{
    return left->rank == right->rank && memcmp(left->dims, right->dims, (size_t)left->rank * sizeof left->dims[0]) == 0;
}

char *thaw_shape_format(const thaw_shape *shape, char *text, size_t capacity)
{
    size_t used = (size_t)snprintf(text, capacity, "[");
    for (int i = 0; i < shape->rank && i < THAW_MAX_RANK && used < capacity; i++)
        used += (size_t)snprintf(text + used, capacity - used, "%s%" PRId64, i ? ", " : "", shape->dims[i]);
    if (used < capacity)
        snprintf(text + used, capacity - used, "]");
    return text;
}

static thaw_tensor view(thaw_dtype dtype, const void *data, int rank, const int64_t *dims)
{
    thaw_tensor tensor = { .dtype = dtype, .shape = { .rank = rank }, .data = (void *)(uintptr_t)data };
    memcpy(tensor.shape.dims, dims, (size_t)rank * sizeof dims[0]);
    return tensor;
}

thaw_tensor thaw_view_f32(const float *data, int rank, const int64_t *dims)
{
    return view(THAW_F32, data, rank, dims);
}

thaw_tensor thaw_view_i32(const int32_t *data, int rank, const int64_t *dims)
{
    return view(THAW_I32, data, rank, dims);
}

bool thaw_shape_usable(const thaw_shape *shape, size_t batch)
{
    size_t bytes;
    if (shape->rank < 0 || shape->rank > THAW_MAX_RANK || __builtin_mul_overflow(batch, sizeof(float), &bytes))
        return false;
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 1 || __builtin_mul_overflow(bytes, (size_t)shape->dims[i], &bytes))
            return false;
    return bytes <= SIZE_MAX / 4;
}

/* Dimension `axis` of `rank` dimensions, when the shape is aligned at the last one. */
static int64_t aligned(const thaw_shape *shape, int rank, int axis)
{
    const int own = axis - (rank - shape->rank);
    return own < 0 ? 1 : shape->dims[own];
}

bool thaw_shape_broadcast(const thaw_shape *left, const thaw_shape *right, thaw_shape *result)
{
    *result = (thaw_shape){ .rank = left->rank > right->rank ? left->rank : right->rank };
    for (int i = 0; i < result->rank; i++) {
        const int64_t l = aligned(left, result->rank, i), r = aligned(right, result->rank, i);
        if (l != r && l != 1 && r != 1)
            return false;
        result->dims[i] = l == 1 ? r : l;
    }
    return true;
}
