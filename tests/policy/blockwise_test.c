/* Policies that draw blocks, or take them in turns, on planted draws. */
#include <stdlib.h>
#include <string.h>

#include "policy/planted.h"

enum { BLOCKS = 8 };

static void draw(planted *run, uint32_t seed)
{
    for (uint32_t b = 0; b < run->count; b++)
        run->draws[b] = planted_number(seed, b);
}

/* The place of a block among some, by its draw: 0 for the smallest. */
static size_t place_of(const planted *run, size_t block, size_t first, size_t past)
{
    size_t place = 0;
    for (size_t b = first; b < past; b++)
        place += run->draws[b] < run->draws[block];
    return place;
}

Test(lisa, trains_the_drawn_with_the_lowest_and_the_head)
{
    planted run = planted_open("lisa:blocks=3", BLOCKS);
    size_t times[BLOCKS] = { 0 };
    cr_assert_eq(run.policy->module.interval(run.policy->settings), 20U);
    for (uint32_t k = 0; k < 400; k++) {
        draw(&run, k);
        planted_decide(&run, 20 * k);
        for (size_t b = 0; b < BLOCKS; b++) {
            const bool expected = b == 0 || b == BLOCKS - 1 || place_of(&run, b, 1, BLOCKS - 1) >= BLOCKS - 2 - 3;
            cr_assert_eq(run.blocks[b].trains, expected);
            times[b] += run.blocks[b].trains;
        }
    }
    for (size_t b = 1; b + 1 < BLOCKS; b++) /* half of 400, and five standard deviations */
        cr_assert(times[b] > 150 && times[b] < 250, "block %zu trained %zu times", b, times[b]);
    planted_close(&run);
}

Test(lisa, draws_the_lowest_too_if_it_is_no_stem)
{
    planted run = planted_open("lisa:blocks=1,stem=0,keep_state=0", 4);
    char trains[PLANTED_MOST + 1];
    run.draws[0] = 0.9;
    planted_decide(&run, 0);
    cr_assert_str_eq(planted_trains(&run, trains), "T--T");
    cr_assert(run.actions.action[0].drops_state);
    run.draws[2] = 0.95;
    planted_decide(&run, 20);
    cr_assert_str_eq(planted_trains(&run, trains), "--TT");
    planted_close(&run);
}

/* A cycle takes the blocks in the order of the draws at its beginning. */
Test(badam, takes_each_block_once_in_a_cycle)
{
    planted run = planted_open("badam", BLOCKS);
    double at_beginning[BLOCKS] = { 0 };
    const size_t turns = BLOCKS - 1;
    cr_assert_eq(run.policy->module.interval(run.policy->settings), 100U);
    for (uint32_t k = 0; k < 5 * turns; k++) {
        draw(&run, k);
        if (k % turns == 0)
            memcpy(at_beginning, run.draws, sizeof at_beginning);
        planted_decide(&run, 100 * k);
        for (size_t b = 0; b < turns; b++) {
            size_t place = 0;
            for (size_t other = 0; other < turns; other++)
                place += at_beginning[other] < at_beginning[b];
            cr_assert_eq(run.blocks[b].trains, place == k % turns);
        }
        cr_assert(run.blocks[BLOCKS - 1].trains);
        for (size_t i = 0; i < run.actions.count; i++)
            cr_assert_eq(run.actions.action[i].drops_state, run.actions.action[i].act == THAW_POLICY_FREEZE);
    }
    planted_close(&run);
}

static void assert_order(const char *description, const char *const *expected, size_t count)
{
    planted run = planted_open(description, 4);
    char trains[PLANTED_MOST + 1];
    for (uint32_t k = 0; k < 2 * count; k++) {
        draw(&run, k);
        planted_decide(&run, 100 * k);
        cr_assert_str_eq(planted_trains(&run, trains), expected[k % count], "%s: turn %u: %s", description, k, trains);
    }
    planted_close(&run);
}

Test(badam, goes_up_and_down)
{
    assert_order("badam:order=1", (const char *const[]){ "T--T", "-T-T", "--TT" }, 3);
    assert_order("badam:order=2", (const char *const[]){ "--TT", "-T-T", "T--T" }, 3);
    assert_order("badam:order=1,head=0", (const char *const[]){ "T---", "-T--", "--T-", "---T" }, 4);
}

Test(badam, leaves_what_is_fixed)
{
    planted run = planted_open("badam:order=1", 5);
    char trains[PLANTED_MOST + 1];
    run.blocks[1].fixed = true;
    run.blocks[1].trains = false;
    for (size_t k = 0; k < 6; k++) {
        planted_decide(&run, k);
        cr_assert_str_eq(planted_trains(&run, trains), ((const char *const[]){ "T---T", "--T-T", "---TT" })[k % 3]);
    }
    planted_close(&run);
}

Test(random_policy, freezes_the_lowest_when_the_coin_says_so)
{
    planted run = planted_open("random:chance=0.3", 4);
    const double coins[] = { 0.1, 0.29, 0.31, 0.9, 0, 0.2, 0.1 };
    const char *const expected[] = { "TTTT", "-TTT", "-TTT", "-TTT", "--TT", "---T", "---T" };
    char trains[PLANTED_MOST + 1];
    for (size_t k = 0; k < THAW_COUNT(coins); k++) {
        run.draws[0] = coins[k];
        planted_decide(&run, k);
        cr_assert_str_eq(planted_trains(&run, trains), expected[k]);
    }
    planted_close(&run);
}
