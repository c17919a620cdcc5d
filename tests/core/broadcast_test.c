#include "core/broadcast.h"

#include "core/shape.h"
#include "support/support.h"

static thaw_shape shape_of(const char *digits)
{
    thaw_shape shape = { 0 };
    for (; digits[shape.rank]; shape.rank++)
        shape.dims[shape.rank] = digits[shape.rank] - '0';
    return shape;
}

/* Shapes by their digits; "-": they do not go together. */
static const char *const cases[][3] = {
    { "", "", "" },
    { "", "3", "3" },
    { "3", "3", "3" },
    { "1", "1", "1" },
    { "1", "4", "4" },
    { "234", "4", "234" },
    { "234", "1", "234" },
    { "234", "34", "234" },
    { "234", "214", "234" },
    { "234", "231", "234" },
    { "234", "131", "234" },
    { "214", "231", "234" },
    { "31", "14", "34" },
    { "5", "31", "35" },
    { "212", "131", "232" },
    { "111", "5", "115" },
    { "3", "4", "-" },
    { "23", "2", "-" },
    { "23", "32", "-" },
    { "234", "224", "-" },
    { "1312", "12", "1312" },
    { "2", "3312", "3312" },
    { "213121", "3112", "213122" },
    { "", "123456", "123456" },
};

Test(shape, only_shapes_whose_bytes_can_be_counted_are_usable)
{
    const int64_t huge = INT64_MAX / 2, most = (int64_t)(SIZE_MAX / 16);
    static const thaw_shape good[] = { { 0 }, { 1, { 1 } }, { 6, { 1, 2, 3, 4, 5, 6 } } };
    for (size_t i = 0; i < THAW_COUNT(good); i++)
        cr_assert(thaw_shape_usable(&good[i], 1), "%zu", i);
    const thaw_shape bad[] = { { -1, { 1 } },   { 7, { 1, 1, 1, 1, 1, 1 } }, { 2, { 3, 0 } },   { 1, { -1 } },
                               { 1, { huge } }, { 2, { huge, 8 } },          { 2, { most, 2 } } };
    for (size_t i = 0; i < THAW_COUNT(bad); i++)
        cr_assert_not(thaw_shape_usable(&bad[i], 1), "%zu", i);
    cr_assert(thaw_shape_usable(&(thaw_shape){ 1, { most } }, 1));
    cr_assert_not(thaw_shape_usable(&(thaw_shape){ 1, { most } }, 2));
}

Test(broadcast, shape_is_that_of_both_together)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        for (int swapped = 0; swapped < 2; swapped++) {
            const thaw_shape left = shape_of(cases[i][swapped]), right = shape_of(cases[i][1 - swapped]);
            thaw_shape result;
            const bool fits = thaw_shape_broadcast(&left, &right, &result);
            cr_assert_eq(fits, cases[i][2][0] != '-', "%s and %s", cases[i][0], cases[i][1]);
            if (!fits)
                continue;
            const thaw_shape expected = shape_of(cases[i][2]);
            char text[80];
            cr_assert(thaw_shape_equal(&result, &expected), "%s and %s: %s", cases[i][0], cases[i][1],
                      thaw_shape_format(&result, text, sizeof text));
        }
    }
}

/* Where the operand's element for element `at` of the result stands, by going through the result's indices. */
static size_t naive_offset(size_t at, size_t batch, const thaw_shape *operand, const thaw_shape *result)
{
    size_t offset = 0, stride = 1;
    for (int i = result->rank; i-- > 0; at /= (size_t)result->dims[i]) {
        const int own = i - (result->rank - operand->rank);
        if (own < 0)
            continue;
        offset += operand->dims[own] == 1 ? 0 : at % (size_t)result->dims[i] * stride;
        stride *= (size_t)operand->dims[own];
    }
    return offset + (batch > 1 ? at * stride : 0);
}

static void check_walk(size_t batch, const thaw_shape *left, const thaw_shape *right, size_t begin)
{
    thaw_shape result;
    cr_assert(thaw_shape_broadcast(left, right, &result));
    const thaw_broadcast loops = thaw_broadcast_of(batch, left, right, &result);
    const int last = loops.rank - 1;
    const size_t past = batch * thaw_shape_count(&result);
    size_t at = begin < past ? begin : 0;
    while (at < past) {
        const thaw_broadcast_span span = thaw_broadcast_next(&loops, at, past);
        cr_assert(span.result == at && span.count > 0 && span.count <= past - at);
        for (size_t i = 0; i < span.count; i++) {
            cr_assert_eq(span.left + i * loops.left[last], naive_offset(at + i, batch, left, &result));
            cr_assert_eq(span.right + i * loops.right[last], naive_offset(at + i, batch, right, &result));
        }
        at += span.count;
    }
    cr_assert_eq(at, past);
}

Test(broadcast, walks_over_every_element_from_anywhere)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        if (cases[i][2][0] == '-')
            continue;
        const thaw_shape left = shape_of(cases[i][0]), right = shape_of(cases[i][1]);
        for (size_t batch = 1; batch < 4; batch++)
            for (size_t begin = 0; begin < 7; begin++) {
                check_walk(batch, &left, &right, begin);
                check_walk(batch, &right, &left, begin);
            }
    }
}

Test(broadcast, joins_loops_that_behave_alike)
{
    const thaw_shape whole = shape_of("234"), channels = shape_of("4"), rows = shape_of("231");
    cr_assert_eq(thaw_broadcast_of(5, &whole, &whole, &whole).rank, 1);
    cr_assert_eq(thaw_broadcast_of(5, &whole, &channels, &whole).rank, 3, "batch, places, channels");
    cr_assert_eq(thaw_broadcast_of(5, &rows, &whole, &whole).rank, 2, "places of all samples, channels");
}
