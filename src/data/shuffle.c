#include "data/shuffle.h"

#include "core/philox.h"

enum { DRAWS = 128 };

__extension__ typedef unsigned __int128 wide;

/* A number in [0, bound): the high half of a product (Lemire 2019, arXiv 1805.10941). His rejection step is left
   out, since it would make the number of draws random. The odds of two numbers therefore differ by at most bound /
   2^64. */
static size_t draw(const uint32_t words[2], size_t bound)
{
    const uint64_t bits = (uint64_t)words[0] << 32 | words[1];
    return (size_t)((wide)bits * bound >> 64);
}

static void exchange(size_t *one, size_t *other, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const size_t kept = one[i];
        one[i] = other[i];
        other[i] = kept;
    }
}

/* Fisher and Yates, in Durstenfeld's form (1964). */
static void shuffle(const thaw_context *context, const thaw_stream *stream, size_t *indices, size_t count, size_t width)
{
    uint32_t words[2 * DRAWS];
    for (size_t i = 0; i + 1 < count; i++) {
        if (i % DRAWS == 0)
            thaw_random_fill(context, stream, 2 * i, 2 * DRAWS, words);
        const size_t left = count - 1 - i;
        const size_t other = draw(words + 2 * (i % DRAWS), left + 1);
        exchange(indices + left * width, indices + other * width, width);
    }
}

void thaw_shuffle(const thaw_context *context, uint64_t seed, uint64_t epoch, size_t *indices, size_t count)
{
    const thaw_stream stream = { .seed = seed, .purpose = THAW_PURPOSE_SHUFFLE, .step = epoch };
    for (size_t i = 0; i < count; i++)
        indices[i] = i;
    shuffle(context, &stream, indices, count, 1);
}

void thaw_shuffle_batches(const thaw_context *context, uint64_t seed, uint64_t epoch, size_t *indices, size_t batches,
                          size_t batch)
{
    const thaw_stream stream = { .seed = seed, .purpose = THAW_PURPOSE_BATCHES, .step = epoch };
    shuffle(context, &stream, indices, batches, batch);
}
