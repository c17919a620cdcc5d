#include "data/npy_values.h"

#include <float.h>
#include <math.h>
#include <string.h>
#include <thaw/runtime.h>

enum { CHUNK_BYTES = 1 << 16, LARGEST_LABEL = INT32_MAX - 1 };

/* ---- one element ---- */

static uint64_t bits_of(const uint8_t *bytes, unsigned width, bool big_endian)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < width; i++)
        bits = bits << 8 | bytes[big_endian ? i : width - 1 - i];
    return bits;
}

/* IEEE 754's binary16. */
static double half_of(uint64_t bits)
{
    const int exponent = (int)(bits >> 10 & 31);
    const double fraction = (double)(bits & 1023) / 1024;
    double value = exponent == 0 ? ldexp(fraction, -14) : ldexp(1 + fraction, exponent - 15);
    if (exponent == 31)
        value = fraction > 0 ? (double)NAN : (double)INFINITY;
    return bits >> 15 & 1 ? -value : value;
}

static double float_of(uint64_t bits, unsigned width)
{
    if (width == 2)
        return half_of(bits);
    if (width == 4) {
        const uint32_t word = (uint32_t)bits;
        float value;
        memcpy(&value, &word, sizeof value);
        return (double)value;
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double signed_of(uint64_t bits, unsigned width)
{
    const uint64_t sign = (uint64_t)1 << (8 * width - 1);
    return bits & sign ? -(double)((sign - 1 - (bits & (sign - 1))) + 1) : (double)bits;
}

static double number_of(const uint8_t *bytes, const thaw_npy_header *header)
{
    const uint64_t bits = bits_of(bytes, header->width, header->big_endian);
    if (header->kind == 'f')
        return float_of(bits, header->width);
    return header->kind == 'i' ? signed_of(bits, header->width) : (double)bits;
}

/* ---- all of them ---- */

/* The place of the next element in the file, and where it goes. */
typedef struct odometer {
    const thaw_npy_header *header;
    const size_t *strides;
    size_t index[THAW_MAX_RANK], offset;
} odometer;

static void advance(odometer *o)
{
    const thaw_shape *shape = &o->header->shape;
    for (int i = 0; i < shape->rank; i++) {
        const int d = o->header->fortran ? i : shape->rank - 1 - i;
        o->offset += o->strides[d];
        if (++o->index[d] < (size_t)shape->dims[d])
            return;
        o->offset -= o->index[d] * o->strides[d];
        o->index[d] = 0;
    }
}

static thaw_status fail_value(const thaw_content *from, const odometer *o, double value, const char *wanted)
{
    const size_t sample = o->header->shape.rank ? o->index[0] : 0;
    return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: a value of sample %zu is %.9g, must be %s", from->name,
                     sample, value, wanted);
}

static thaw_status store(const thaw_content *from, const odometer *o, const uint8_t *bytes, thaw_dtype dtype,
                         void *values)
{
    if (dtype == THAW_U8) {
        ((uint8_t *)values)[o->offset] = *bytes;
        return THAW_OK;
    }
    const double value = number_of(bytes, o->header);
    if (o->header->kind == 'b' && value > 1)
        return fail_value(from, o, value, "0 or 1, for true or false");
    if (dtype == THAW_I32) {
        if (!(value >= 0 && value <= LARGEST_LABEL) || value != floor(value))
            return fail_value(from, o, value, "a label: a whole number from 0 to 2147483646");
        ((int32_t *)values)[o->offset] = (int32_t)value;
        return THAW_OK;
    }
    if (isfinite(value) && fabs(value) > (double)FLT_MAX)
        return fail_value(from, o, value, "at most 3.4e38 in size");
    ((float *)values)[o->offset] = (float)value;
    return THAW_OK;
}

thaw_status thaw_npy_read_values(const thaw_content *from, const thaw_npy_header *header, const size_t *strides,
                                 thaw_dtype dtype, void *values)
{
    odometer place = { .header = header, .strides = strides };
    uint8_t *chunk = thaw_allocate(from->context, CHUNK_BYTES);
    thaw_status status = chunk ? THAW_OK : THAW_OUT_OF_MEMORY;
    const size_t most = CHUNK_BYTES / header->width;
    for (size_t done = 0; done < header->count && status == THAW_OK;) {
        const size_t left = header->count - done, count = left < most ? left : most;
        status = thaw_content_read(from, chunk, count * header->width, "elements");
        for (size_t i = 0; i < count && status == THAW_OK; i++, advance(&place))
            status = store(from, &place, chunk + i * header->width, dtype, values);
        done += count;
    }
    thaw_release(from->context, chunk);
    return status == THAW_OK ? thaw_content_end(from) : status;
}

void thaw_npy_dense_strides(const thaw_shape *shape, size_t strides[THAW_MAX_RANK])
{
    size_t stride = 1;
    for (int i = shape->rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= (size_t)shape->dims[i];
    }
}
