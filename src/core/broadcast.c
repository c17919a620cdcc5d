#include "core/broadcast.h"

/* An operand's strides over a result of `rank` dimensions, the first of which is the added batch. */
static void fill_strides(const thaw_shape *operand, int rank, size_t strides[THAW_MAX_RANK + 1])
{
    size_t stride = 1;
    for (int i = rank; i > 0; i--) {
        const int own = i - 1 - (rank - operand->rank);
        const size_t dim = own < 0 ? 1 : (size_t)operand->dims[own];
        strides[i] = dim == 1 ? 0 : stride;
        stride *= dim;
    }
    strides[0] = stride;
}

/* Adds a loop inside the others, or lengthens the innermost one. */
static void add_loop(thaw_broadcast *loops, size_t dim, size_t result, size_t left, size_t right)
{
    int at = loops->rank - 1;
    if (at >= 0 && loops->left[at] == left * dim && loops->right[at] == right * dim) {
        loops->dims[at] *= dim;
    } else {
        at = loops->rank++;
        loops->dims[at] = dim;
    }
    loops->result[at] = result;
    loops->left[at] = left;
    loops->right[at] = right;
}

thaw_broadcast thaw_broadcast_of(size_t batch, const thaw_shape *left, const thaw_shape *right,
                                 const thaw_shape *result)
{
    thaw_broadcast loops = { 0 };
    size_t l[THAW_MAX_RANK + 1], r[THAW_MAX_RANK + 1], own[THAW_MAX_RANK + 1];
    fill_strides(left, result->rank, l);
    fill_strides(right, result->rank, r);
    fill_strides(result, result->rank, own);
    for (int i = 0; i <= result->rank; i++) {
        const size_t dim = i == 0 ? batch : (size_t)result->dims[i - 1];
        if (dim > 1)
            add_loop(&loops, dim, own[i], l[i], r[i]);
    }
    if (loops.rank == 0)
        add_loop(&loops, 1, 0, 0, 0);
    return loops;
}

thaw_broadcast_span thaw_broadcast_next(const thaw_broadcast *loops, size_t at, size_t past)
{
    const int last = loops->rank - 1;
    const size_t within = at % loops->dims[last], left_in_row = loops->dims[last] - within;
    thaw_broadcast_span span = {
        .result = at,
        .left = within * loops->left[last],
        .right = within * loops->right[last],
        .count = left_in_row < past - at ? left_in_row : past - at,
    };
    for (size_t rest = at / loops->dims[last], i = (size_t)last; i-- > 0; rest /= loops->dims[i]) {
        span.left += rest % loops->dims[i] * loops->left[i];
        span.right += rest % loops->dims[i] * loops->right[i];
    }
    return span;
}
