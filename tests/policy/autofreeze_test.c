/* AutoFreeze's formula on planted norms, beside a plain one. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "policy/planted.h"

enum { BLOCKS = 9, INTERVALS = 12 };

/* The value that `percent` of the others are at most, by ranks: numpy.percentile of its default method. */
static double percentile(const double *values, size_t count, double percent)
{
    double sorted[BLOCKS];
    memcpy(sorted, values, count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (sorted[k] < sorted[i]) {
                const double larger = sorted[i];
                sorted[i] = sorted[k];
                sorted[k] = larger;
            }
    const double place = (double)(count - 1) * percent / 100;
    const size_t low = (size_t)floor(place), high = (size_t)ceil(place);
    return sorted[low] * (1 - (place - (double)low)) + sorted[high] * (place - (double)low);
}

static double norm_at(uint32_t seed, size_t interval, size_t block)
{
    return (0.1 + planted_number(seed, (uint32_t)(interval * BLOCKS + block))) / (1 + (double)block);
}

/* How many blocks are frozen after this interval, if so many were before. */
static size_t expect(uint32_t seed, size_t interval, size_t frozen, double percent)
{
    double changes[BLOCKS], training[BLOCKS];
    size_t count = 0;
    for (size_t b = frozen; b < BLOCKS; b++) {
        const double before = norm_at(seed, interval - 1, b), now = norm_at(seed, interval, b);
        changes[b] = fabs(before - now) / before;
        training[count++] = changes[b];
    }
    const double threshold = percentile(training, count, percent);
    for (size_t b = frozen; b < BLOCKS - 1; b++)
        if (changes[b] > threshold)
            return b;
    return BLOCKS - 1;
}

static void follow(uint32_t seed, double percent)
{
    char description[64];
    snprintf(description, sizeof description, "autofreeze:percentile=%g", percent);
    planted run = planted_open(description, BLOCKS);
    size_t frozen = 0;
    planted_decide(&run, 0);
    for (size_t interval = 1; interval <= INTERVALS; interval++) {
        for (size_t b = 0; b < BLOCKS; b++)
            run.blocks[b].update_norm = b < frozen ? 0 : norm_at(seed, interval, b);
        planted_decide(&run, interval);
        frozen = interval == 1 ? 0 : expect(seed, interval, frozen, percent);
        cr_assert_eq(thaw_policy_frozen_below(&run.view), frozen, "interval %zu: %zu blocks frozen, expected %zu",
                     interval, thaw_policy_frozen_below(&run.view), frozen);
    }
    planted_close(&run);
}

Test(autofreeze, freezes_what_is_below_the_percentile)
{
    for (uint32_t seed = 1; seed <= 20; seed++) {
        follow(seed, 50);
        follow(seed, 90);
        follow(seed, 10);
    }
}

Test(autofreeze, leaves_what_was_frozen_by_others_and_the_head)
{
    planted run = planted_open("autofreeze:percentile=100", 4);
    run.blocks[1].fixed = true;
    run.blocks[1].trains = false;
    for (size_t interval = 0; interval < 4; interval++) {
        for (size_t b = 0; b < 4; b++)
            run.blocks[b].update_norm = 1 + (double)b;
        planted_decide(&run, interval);
    }
    char trains[PLANTED_MOST + 1];
    cr_assert_str_eq(planted_trains(&run, trains), "---T");
    planted_close(&run);
}
