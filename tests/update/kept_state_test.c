/* Optimizer state in fewer bits than 32, through the update list: golden values, any thread count and cut, held elements,
   and how far steps are from those with floats. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "params/bits.h"
#include "params/suits.h"
#include "support/parameters.h"

/* ---- against tests/golden/kept_state.py ---- */

enum { GOLDEN = 4, STEPS = 20, STRIDE = 61, MOST_LINE = 4096, MOST_COUNT = 8192 };
static const size_t golden_sizes[GOLDEN] = { 4096, 5001, 4095, 8192 };
static const float scales[] = { 1, 10, 0.1F, 1e-3F, 3, 1e-5F };

static bool trains(size_t index, uint32_t step)
{
    return !(index % 2 == 1 && step < 8) && !(index == 3 && 12 <= step && step < 15);
}

static void train_golden(const thaw_parameter_set *set)
{
    for (uint32_t step = 1; step <= STEPS; step++) {
        thaw_parameter *some[GOLDEN];
        thaw_update_list *list;
        size_t count = 0;
        for (size_t i = 0; i < GOLDEN; i++)
            if (trains(i, step))
                some[count++] = set->parameters[i];
        assert_ok(set->context, thaw_update_list_create(set->context, some, count, 0, &list));
        parameters_fill_gradients(set, 1000 * step);
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < some[i]->count; k++)
                some[i]->gradient[k] *= scales[k % THAW_COUNT(scales)];
        assert_ok(set->context, thaw_update_list_run(list, 1 - step / 40.0, 1));
        thaw_update_list_release(list);
    }
}

typedef struct tally {
    size_t values, other;
} tally;

/* A number very near to the middle of two entries may become the other one: few, and by no more than a part of the map. */
static tally compare_line(const thaw_parameter_set *set, const char *description, char *line)
{
    static float actual[MOST_COUNT];
    char *rest;
    const size_t index = strtoul(line, &rest, 10);
    const char *name = strtok(rest, " \n"), *value;
    const thaw_parameter *parameter = set->parameters[index];
    const bool weights = strcmp(name, "parameter") == 0;
    tally seen = { 0 };
    if (weights)
        memcpy(actual, parameter->data, parameter->count * sizeof *actual);
    else
        cr_assert(thaw_parameter_read_state(parameter, name, 0, parameter->count, actual), "%s: no %s", description,
                  name);
    for (size_t i = 0; (value = strtok(NULL, " \n")); i += STRIDE, seen.values++) {
        const double expected = strtod(value, NULL), off = fabs((double)actual[i] - expected);
        cr_assert_lt(i, parameter->count);
        const double near = 1e-5 * fabs(expected) + (weights ? 1e-6 : 1e-12);
        seen.other += off > near;
        cr_assert(off <= 0.16 * fabs(expected) + (weights ? 0.02 : 1e-6), "%s: %zu %s[%zu] is %.9g, expected %.9g",
                  description, index, name, i, (double)actual[i], expected);
    }
    cr_assert_eq(seen.values, (parameter->count + STRIDE - 1) / STRIDE);
    return seen;
}

Test(kept_state, equals_the_published_algorithm)
{
    char path[1024], line[MOST_LINE], description[256] = "";
    snprintf(path, sizeof path, "%s/tests/golden/kept_state.txt", getenv("THAW_SOURCE_ROOT"));
    FILE *golden = fopen(path, "r");
    cr_assert_not_null(golden, "%s cannot be opened", path);
    thaw_context *context = support_context(2);
    thaw_parameter_set set = { .context = context };
    size_t cases = 0;
    tally all = { 0 };
    while (fgets(line, sizeof line, golden)) {
        if (strncmp(line, "case ", 5) != 0) {
            const tally seen = compare_line(&set, description, line);
            all.values += seen.values;
            all.other += seen.other;
            continue;
        }
        snprintf(description, sizeof description, "%.*s", (int)strcspn(line + 5, "\n"), line + 5);
        thaw_set_release(&set);
        set = parameters_create(context, golden_sizes, GOLDEN);
        parameters_optimize(&set, 0, GOLDEN, description);
        train_golden(&set);
        cases++;
    }
    fclose(golden);
    cr_assert_eq(cases, 6);
    cr_assert_leq(all.other * 500, all.values, "%zu of %zu values are others", all.other, all.values);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

/* ---- properties ---- */

static const size_t sizes[] = { 3, 4095, 4096, 4097, 70001, 20000, 5 };
enum { COUNT = THAW_COUNT(sizes), LONG = 50 };
static const char *const descriptions[] = {
    "adamw:state=8bit",
    "adam:state=bf16,weight_decay=0.1",
    "adam:amsgrad=1,state=8bit",
    "lion:state=8bit,weight_decay=0.1",
    "lion:state=bf16",
    "sgd:state=8bit,momentum=0.9,nesterov=1",
    "sgd:momentum=0.9,dampening=0.5,state=bf16",
    "lookahead:k=2/adamw:state=8bit",
};

static thaw_parameter_set train(thaw_context *context, const char *description, uint32_t steps, double scale,
                                bool (*is_held)(size_t index))
{
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    parameters_optimize(&set, 0, COUNT, description);
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    for (size_t i = 0; is_held && i < COUNT; i++) {
        uint64_t *held = thaw_allocate_array(context, thaw_bit_words(sizes[i]), sizeof *held);
        for (size_t k = 0; k < sizes[i]; k++)
            thaw_set_bit(held, k, is_held(k));
        assert_ok(context, thaw_update_list_hold(list, i, held));
    }
    for (uint32_t step = 1; step <= steps; step++) {
        parameters_fill_gradients(&set, 1000 * step);
        assert_ok(context, thaw_update_list_run(list, 1, scale));
    }
    thaw_update_list_release(list);
    return set;
}

Test(kept_state, has_the_same_bits_for_any_number_of_threads)
{
    for (size_t d = 0; d < THAW_COUNT(descriptions); d++) {
        thaw_context *alone = support_context(1);
        thaw_parameter_set expected = train(alone, descriptions[d], 3, 0.5, NULL);
        for (int threads = 2; threads <= 7; threads++) {
            thaw_context *context = support_context(threads);
            thaw_parameter_set set = train(context, descriptions[d], 3, 0.5, NULL);
            for (size_t i = 0; i < COUNT; i++) {
                const thaw_parameter *one = set.parameters[i], *other = expected.parameters[i];
                cr_assert_eq(memcmp(one->data, other->data, one->count * sizeof(float)), 0, "%s, %d threads, size %zu",
                             descriptions[d], threads, one->count);
                for (size_t k = 0; k < THAW_MOST_SLOTS; k++)
                    cr_assert(!one->slot[k] == !other->slot[k] &&
                                  (!one->slot[k] ||
                                   memcmp(one->slot[k], other->slot[k], thaw_parameter_slot_bytes(one, k)) == 0),
                              "%s, %d threads, size %zu: slot %zu", descriptions[d], threads, one->count, k);
            }
            thaw_set_release(&set);
            thaw_context_destroy(context);
        }
        thaw_set_release(&expected);
        thaw_context_destroy(alone);
    }
}

Test(kept_state, is_floats_in_parameters_of_fewer_than_4096_elements)
{
    thaw_context *context = support_context(2);
    thaw_parameter_set kept = train(context, "adamw:state=8bit", 3, 1, NULL);
    thaw_parameter_set floats = train(context, "adamw", 3, 1, NULL);
    for (size_t i = 0; i < COUNT; i++) {
        const bool same = memcmp(kept.parameters[i]->data, floats.parameters[i]->data, sizes[i] * sizeof(float)) == 0;
        cr_assert_eq(same, sizes[i] < 4096, "size %zu", sizes[i]);
        cr_assert_eq(thaw_parameter_state(kept.parameters[i], "exp_avg") != NULL, sizes[i] < 4096);
        cr_assert_eq(thaw_parameter_slot_bytes(kept.parameters[i], 0),
                     sizes[i] < 4096 ? sizes[i] * 4 : (sizes[i] + 63) / 64 * 64 + (sizes[i] + 255) / 256 * 4);
    }
    thaw_set_release(&kept);
    thaw_set_release(&floats);
    thaw_context_destroy(context);
}

static bool held_by_three(size_t index)
{
    return index % 3 == 0;
}

/* Held from the first step, an element's state stays zero. */
Test(kept_state, keeps_held_elements)
{
    static float state[70001], before[70001];
    for (size_t d = 0; d < THAW_COUNT(descriptions); d++) {
        thaw_context *context = support_context(2);
        thaw_parameter_set set = train(context, descriptions[d], 3, 1, held_by_three);
        for (size_t i = 0; i < COUNT; i++) {
            const thaw_parameter *parameter = set.parameters[i];
            support_fill(before, parameter->count, 100 + (uint32_t)i);
            cr_assert(thaw_parameter_read_state(parameter, thaw_parameter_slot_name(parameter, 0), 0, parameter->count,
                                                state));
            for (size_t k = 0; k < parameter->count; k++) {
                cr_assert(!held_by_three(k) || parameter->data[k] == before[k], "%s: element %zu", descriptions[d], k);
                cr_assert(!held_by_three(k) || state[k] == 0, "%s: state %zu is %g", descriptions[d], k,
                          (double)state[k]);
            }
        }
        thaw_set_release(&set);
        thaw_context_destroy(context);
    }
}

typedef struct distances {
    double apart, moved; /* means, of the weights */
} distances;

/* From what floats give, and from where both began. */
static distances measure(thaw_context *context, const char *kept, const char *floats)
{
    thaw_parameter_set one = train(context, kept, LONG, 0.01, NULL), other = train(context, floats, LONG, 0.01, NULL);
    distances found = { 0 };
    size_t count = 0;
    for (size_t i = 0; i < COUNT; i++) {
        static float before[70001];
        support_fill(before, sizes[i], 100 + (uint32_t)i);
        for (size_t k = 0; k < sizes[i] && sizes[i] >= 4096; k++, count++) {
            found.apart += fabs((double)one.parameters[i]->data[k] - (double)other.parameters[i]->data[k]);
            found.moved += fabs((double)other.parameters[i]->data[k] - (double)before[k]);
        }
    }
    thaw_set_release(&one);
    thaw_set_release(&other);
    found.apart /= (double)count;
    found.moved /= (double)count;
    return found;
}

/* bitsandbytes' own tests, with gradients of 0.01 and a learning rate of 1e-3, allow a mean distance of 6e-5 a step. The
   parts of the way are what was seen, and half as much again. */
Test(kept_state, stays_within_the_published_distance_of_floats)
{
    static const struct {
        const char *kept, *floats;
        double part;
    } pairs[] = {
        { "adamw:state=8bit", "adamw", 0.053 },
        { "adamw:state=bf16", "adamw", 0.0075 },
        { "sgd:momentum=0.9,state=8bit", "sgd:momentum=0.9", 0.071 },
        { "sgd:momentum=0.9,state=bf16", "sgd:momentum=0.9", 0.0091 },
    };
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(pairs); i++) {
        const distances found = measure(context, pairs[i].kept, pairs[i].floats);
        cr_assert_leq(found.apart, 6e-5 * LONG, "%s: %g", pairs[i].kept, found.apart);
        cr_assert_leq(found.apart, pairs[i].part * found.moved, "%s: %g of %g", pairs[i].kept, found.apart,
                      found.moved);
        cr_assert_gt(found.apart, 0, "%s", pairs[i].kept);
    }
    thaw_context_destroy(context);
}
