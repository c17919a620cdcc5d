#include "params/broadcast.h"

/* Dimension `axis` of a shape that is aligned at the end of `rank` dimensions. */
static int64_t aligned(const thaw_shape *shape, int rank, int axis)
{
    const int own = axis - (rank - shape->rank);
    return own < 0 ? 1 : shape->dims[own];
}

bool thaw_broadcast_shape(const thaw_shape *left, const thaw_shape *right, thaw_shape *result)
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

/* Strides of an operand: 0 where it is repeated. */
static void fill_strides(const thaw_shape *operand, const thaw_shape *result, size_t strides[THAW_MAX_RANK])
{
    size_t stride = 1;
    for (int i = result->rank; i-- > 0;) {
        const int64_t dim = aligned(operand, result->rank, i);
        strides[i] = dim == 1 ? 0 : stride;
        stride *= (size_t)dim;
    }
}

thaw_broadcast thaw_broadcast_of(const thaw_shape *left, const thaw_shape *right, const thaw_shape *result)
{
    size_t l[THAW_MAX_RANK], r[THAW_MAX_RANK], own[THAW_MAX_RANK];
    fill_strides(left, result, l);
    fill_strides(right, result, r);
    fill_strides(result, result, own);
    thaw_broadcast made = { 0 };
    for (int i = 0; i < result->rank; i++) {
        const size_t dim = (size_t)result->dims[i];
        if (dim == 1)
            continue;
        const int last = made.rank - 1;
        int at = made.rank;
        if (last >= 0 && made.left[last] == l[i] * dim && made.right[last] == r[i] * dim)
            at = last; /* joins the one before */
        else
            made.rank++;
        made.dims[at] = at == last ? made.dims[at] * dim : dim;
        made.left[at] = l[i];
        made.right[at] = r[i];
        made.result[at] = own[i];
    }
    if (made.rank == 0) {
        made.rank = 1;
        made.dims[0] = 1;
    }
    return made;
}
