#include "compare/halton.h"

#include <math.h>
#include <thaw/runtime.h>

#include "core/philox.h"

enum { LARGEST_BASE = 53 };

static const unsigned bases[THAW_MOST_COORDINATES] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53 };

/* What becomes of a digit: where Fisher and Yates put it. */
static unsigned permute(const thaw_context *context, const thaw_stream *stream, unsigned base, unsigned digit)
{
    uint32_t words[LARGEST_BASE];
    unsigned digits[LARGEST_BASE];
    thaw_random_fill(context, stream, 0, base, words);
    for (unsigned i = 0; i < base; i++)
        digits[i] = i;
    for (unsigned left = base - 1; left > 0; left--) {
        const unsigned other = (unsigned)((uint64_t)words[left] * (left + 1) >> 32), kept = digits[left];
        digits[left] = digits[other];
        digits[other] = kept;
    }
    return digits[digit];
}

double thaw_halton(const thaw_context *context, uint64_t seed, size_t coordinate, uint64_t point)
{
    const unsigned base = bases[coordinate];
    thaw_stream stream = { .seed = seed, .purpose = THAW_PURPOSE_TRIALS, .node = (uint32_t)coordinate };
    double sum = 0;
    for (double unit = 1.0 / base; unit > 0x1p-53; unit /= base) {
        sum += unit * permute(context, &stream, base, (unsigned)(point % base));
        point /= base;
        stream.step++;
    }
    return fmin(sum, 1 - 0x1p-53);
}
