#include <stdint.h>
#include <string.h>

#include "support/plans.h"

enum { MOST = 40, ROUNDS = 300, HORIZON = 25 };

static size_t aligned(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static size_t place(thaw_memory_request *requests, size_t count)
{
    thaw_context *context = support_context(1);
    size_t bytes = 12345;
    assert_ok(context, thaw_memory_place(context, requests, count, &bytes));
    thaw_context_destroy(context);
    return bytes;
}

/* Requests of all kinds, from `seed`; some are empty. */
static size_t draw_requests(uint32_t seed, thaw_memory_request requests[MOST])
{
    float numbers[1 + 3 * MOST];
    support_fill(numbers, THAW_COUNT(numbers), seed);
    const size_t count = (size_t)((numbers[0] + 1) / 2 * MOST) + 1;
    for (size_t i = 0; i < count; i++) {
        const double size = ((double)numbers[3 * i + 1] + 1) / 2, start = ((double)numbers[3 * i + 2] + 1) / 2;
        const size_t first = (size_t)(start * HORIZON);
        requests[i] = (thaw_memory_request){
            .bytes = size < 0.1 ? 0 : (size_t)(size * size * size * 5000),
            .first = first,
            .last = first + (size_t)(((double)numbers[3 * i + 3] + 1) / 2 * 8),
        };
    }
    return count;
}

static bool live_together(const thaw_memory_request *a, const thaw_memory_request *b)
{
    for (size_t time = 0; time <= 2 * HORIZON; time++)
        if (a->first <= time && time <= a->last && b->first <= time && time <= b->last)
            return true;
    return false;
}

/* The most bytes that are needed at any one time: no placement does with less. */
static size_t peak_of(const thaw_memory_request *requests, size_t count)
{
    size_t peak = 0;
    for (size_t time = 0; time <= 2 * HORIZON; time++) {
        size_t now = 0;
        for (size_t i = 0; i < count; i++)
            now += requests[i].first <= time && time <= requests[i].last ? aligned(requests[i].bytes) : 0;
        peak = now > peak ? now : peak;
    }
    return peak;
}

static void assert_apart(const thaw_memory_request *requests, size_t count, size_t bytes, uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        const thaw_memory_request *a = &requests[i];
        cr_assert_eq(a->offset % 64, 0, "set %u: offset %zu", seed, a->offset);
        cr_assert_leq(a->offset + a->bytes, bytes, "set %u: request %zu ends past the arena", seed, i);
        for (size_t k = 0; k < i; k++) {
            const thaw_memory_request *b = &requests[k];
            const bool overlap = a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
            cr_assert_not(overlap && live_together(a, b), "set %u: requests %zu and %zu share bytes", seed, k, i);
        }
    }
}

Test(memory, keeps_apart_what_is_needed_at_one_time_and_wastes_little)
{
    size_t all = 0, all_peaks = 0;
    for (uint32_t seed = 0; seed < ROUNDS; seed++) {
        thaw_memory_request requests[MOST], again[MOST];
        const size_t count = draw_requests(seed, requests);
        memcpy(again, requests, sizeof again);
        const size_t bytes = place(requests, count), peak = peak_of(requests, count);
        size_t sum = 0;
        for (size_t i = 0; i < count; i++)
            sum += aligned(requests[i].bytes);
        assert_apart(requests, count, bytes, seed);
        cr_assert_leq(bytes, sum, "set %u: %zu bytes, without sharing %zu", seed, bytes, sum);
        cr_assert_geq(bytes, peak, "set %u: %zu bytes, %zu are needed at one time", seed, bytes, peak);
        cr_assert_eq(place(again, count), bytes, "set %u: the second time another size", seed);
        cr_assert_eq(memcmp(again, requests, count * sizeof *again), 0, "set %u: the second time elsewhere", seed);
        all += bytes;
        all_peaks += peak;
    }
    cr_assert_leq(all, all_peaks * 11 / 10, "%zu bytes, %zu are needed", all, all_peaks);
}

/* One at a time, between others: all in one place, and the others mostly where it is not wanted. */
Test(memory, has_scratch_at_the_beginning)
{
    size_t all = 0, all_apart = 0;
    for (uint32_t seed = 0; seed < ROUNDS; seed++) {
        thaw_memory_request requests[MOST + HORIZON];
        float sizes[HORIZON];
        size_t count = draw_requests(seed, requests), most = 0;
        const size_t others = place(requests, count);
        support_fill(sizes, HORIZON, ROUNDS + seed);
        for (size_t time = 0; time < HORIZON; time++) {
            const size_t bytes = sizes[time] > 0 ? (size_t)(sizes[time] * 5000) : 0;
            most = bytes > most ? bytes : most;
            requests[count++] = (thaw_memory_request){ .bytes = bytes, .first = time, .last = time, .scratch = true };
        }
        const size_t bytes = place(requests, count);
        assert_apart(requests, count, bytes, seed);
        for (size_t i = count - HORIZON; i < count; i++)
            cr_assert_eq(requests[i].offset, 0, "set %u: offset %zu", seed, requests[i].offset);
        all += bytes;
        all_apart += others + aligned(most);
    }
    cr_assert_lt(all, all_apart * 95 / 100, "%zu bytes, %zu with scratch beside all others", all, all_apart);
}

Test(memory, of_nothing_is_nothing)
{
    cr_assert_eq(place(NULL, 0), 0);
    thaw_memory_request empty = { .bytes = 0, .first = 3, .last = 9, .offset = 77 };
    cr_assert_eq(place(&empty, 1), 0);
    cr_assert_eq(empty.offset, 0);
}

Test(memory, ping_pongs_along_a_chain)
{
    thaw_memory_request requests[10];
    for (size_t i = 0; i < 10; i++)
        requests[i] = (thaw_memory_request){ .bytes = 1000, .first = i, .last = i + 1 };
    cr_assert_eq(place(requests, 10), 2 * 1024);
}

Test(memory, both_ends_of_a_time_are_included)
{
    thaw_memory_request touching[] = { { .bytes = 64, .first = 0, .last = 4 }, { .bytes = 64, .first = 4, .last = 9 } };
    cr_assert_eq(place(touching, 2), 128);
    thaw_memory_request apart[] = { { .bytes = 64, .first = 0, .last = 4 }, { .bytes = 64, .first = 5, .last = 9 } };
    cr_assert_eq(place(apart, 2), 64);
}

Test(memory, more_than_a_size_can_count_is_an_error)
{
    const size_t cases[][3] = {
        { SIZE_MAX / 2, SIZE_MAX / 2, SIZE_MAX / 2 },
        { SIZE_MAX, 1, 1 },
        { SIZE_MAX - 62, 64, 64 },
        { 64, 64, SIZE_MAX - 63 },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_memory_request requests[3];
        size_t bytes;
        for (size_t k = 0; k < 3; k++)
            requests[k] = (thaw_memory_request){ .bytes = cases[i][k], .last = 1 };
        assert_fails(context, thaw_memory_place(context, requests, 3, &bytes), THAW_OUT_OF_MEMORY, "overflow");
    }
    thaw_context_destroy(context);
}
