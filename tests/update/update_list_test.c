/* How the update list is made: shares, gradients and state. */
#include "update/update_list.h"

#include <stdlib.h>

#include "support/allocator.h"
#include "support/parameters.h"

static const size_t sizes[] = { 1, 15, 16, 17, 63, 100003, 64, 65, 4096, 4097, 2 };
enum { COUNT = THAW_COUNT(sizes), LINE = 16 /* floats in 64 bytes */ };

static size_t lines_of(const thaw_update_list *list, size_t thread)
{
    size_t lines = 0;
    for (size_t i = list->first_span[thread]; i < list->first_span[thread + 1]; i++)
        lines += (list->spans[i].count + LINE - 1) / LINE;
    return lines;
}

static void assert_covered_once(const thaw_update_list *list)
{
    for (size_t i = 0; i < list->parameter_count; i++) {
        const thaw_parameter *parameter = list->parameters[i];
        unsigned char *seen = calloc(parameter->count, 1);
        for (size_t k = 0; k < list->span_count; k++) {
            const thaw_span *span = &list->spans[k];
            if (span->parameter != i)
                continue;
            cr_assert_gt(span->count, 0);
            cr_assert_leq(span->begin + span->count, parameter->count);
            cr_assert_eq((uintptr_t)(parameter->data + span->begin) % 64, 0, "a span of size %zu begins at %zu",
                         parameter->count, span->begin);
            for (size_t e = span->begin; e < span->begin + span->count; e++)
                cr_assert_eq(++seen[e], 1, "element %zu of size %zu is updated twice", e, parameter->count);
        }
        for (size_t e = 0; e < parameter->count; e++)
            cr_assert_eq(seen[e], 1, "element %zu of size %zu is not updated", e, parameter->count);
        free(seen);
    }
}

Test(update_list, cuts_equal_shares_of_whole_cache_lines)
{
    for (int threads = 1; threads <= 9; threads++) {
        thaw_context *context = support_context(threads);
        thaw_parameter_set set = parameters_create(context, sizes, COUNT);
        thaw_update_list *list = parameters_list(&set, 0, COUNT);
        assert_covered_once(list);
        cr_assert_eq(list->first_span[0], 0);
        cr_assert_eq(list->first_span[threads], list->span_count);
        size_t least = SIZE_MAX, most = 0;
        for (size_t thread = 0; thread < (size_t)threads; thread++) {
            const size_t lines = lines_of(list, thread);
            least = lines < least ? lines : least;
            most = lines > most ? lines : most;
        }
        cr_assert_leq(most - least, 1, "%d threads: shares of %zu to %zu lines", threads, least, most);
        thaw_update_list_release(list);
        thaw_set_release(&set);
        thaw_context_destroy(context);
    }
}

/* OMP_THREAD_LIMIT and OMP_DYNAMIC make teams smaller than what was asked for. */
Test(update_list, is_shared_out_whole_to_a_team_of_any_size)
{
    thaw_context *context = support_context(7);
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    for (int team = 1; team <= 7; team++) {
        size_t expected = 0, first, past;
        for (int thread = 0; thread < team; thread++) {
            thaw_share_of(list, thread, team, &first, &past);
            cr_assert_eq(first, expected, "thread %d of %d begins at %zu", thread, team, first);
            expected = past;
        }
        cr_assert_eq(expected, list->span_count, "%d threads end at %zu", team, expected);
    }
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

Test(update_list, has_more_threads_than_work)
{
    thaw_context *context = support_context(7);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 3, 17 }, 2);
    parameters_optimize(&set, 0, 2, "sgd:lr=1");
    thaw_update_list *list = parameters_list(&set, 0, 2);
    assert_covered_once(list);
    cr_assert_eq(list->span_count, 3);
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

Test(update_list, may_be_empty)
{
    thaw_context *context = support_context(2);
    thaw_parameter_set set = parameters_create(context, (size_t[]){ 5 }, 1);
    thaw_update_list *list = parameters_list(&set, 0, 0);
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    cr_assert_eq(thaw_update_list_norm(list), 0);
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_update_list_release(NULL);
    thaw_context_destroy(context);
}

static void assert_zeros(const float *values, size_t count)
{
    cr_assert_not_null(values);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(values[i], 0, "element %zu is %g", i, (double)values[i]);
}

Test(update_list, makes_gradients_and_the_state_that_is_used_for_what_trains_alone)
{
    thaw_context *context = support_context(3);
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    parameters_optimize(&set, 0, 2, "sgd");
    parameters_optimize(&set, 2, 4, "sgd:momentum=0.9");
    parameters_optimize(&set, 4, COUNT, "adam");
    thaw_update_list *list = parameters_list(&set, 1, 6);
    const size_t slots[COUNT] = { 0, 0, 1, 1, 2, 2 };
    for (size_t i = 0; i < COUNT; i++) {
        const thaw_parameter *parameter = set.parameters[i];
        size_t found = 0;
        for (size_t k = 0; k < THAW_MAX_SLOTS; k++) {
            found += parameter->slot[k] != NULL;
            if (parameter->slot[k])
                assert_zeros(parameter->slot[k], parameter->count);
        }
        cr_assert_eq(found, slots[i], "parameter %zu has %zu slots, wanted %zu", i, found, slots[i]);
        cr_assert_eq(parameter->gradient != NULL, i >= 1 && i < 6, "gradient of parameter %zu", i);
        if (parameter->gradient)
            assert_zeros(parameter->gradient, parameter->count);
    }
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

Test(update_list, keeps_the_state_that_is_there)
{
    thaw_context *context = support_context(1);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 20, 30 }, 2);
    parameters_optimize(&set, 0, 2, "sgd:momentum=0.5,lr=1");
    thaw_update_list *list = parameters_list(&set, 0, 2);
    parameters_fill_gradients(&set, 1);
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    thaw_update_list_release(list);
    const float *buffer = set.parameters[1]->slot[0], first = buffer[0];
    cr_assert_neq(first, 0);
    list = parameters_list(&set, 1, 2);
    cr_assert_eq(set.parameters[1]->slot[0], buffer);
    cr_assert_eq(buffer[0], first);
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

/* Ranks exchange them where they are. */
Test(update_list, lays_gradients_one_after_another_at_cache_lines)
{
    static const size_t counts[] = { 20, 1, 48 }, places[] = { 0, 32, 48 }, past = 96;
    thaw_context *context = support_context(2);
    thaw_parameter_set set = parameters_create(context, counts, 3);
    thaw_update_list *list = parameters_list(&set, 0, 3);
    const float *first = set.parameters[0]->gradient;
    cr_assert_eq((uintptr_t)first % 64, 0);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(set.parameters[i]->gradient, first + places[i], "gradient %zu", i);
    assert_zeros(first, past + PARAMETERS_ROOM);
    thaw_update_list_release(list);
    for (size_t i = 0; i < 3; i++)
        cr_assert_null(set.parameters[i]->gradient);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

Test(update_list, leaves_nothing_behind_where_memory_runs_out)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 20, 30 }, 2);
    parameters_optimize(&set, 0, 2, "adam");
    thaw_update_list *list = NULL;
    size_t failures = 0;
    for (thaw_status status = THAW_OUT_OF_MEMORY; status != THAW_OK; failures++) {
        allocator.fail_at = allocator.calls + failures + 1;
        status = thaw_update_list_create(context, set.parameters, 2, 0, &list);
        cr_assert(status == THAW_OK || status == THAW_OUT_OF_MEMORY, "%s", thaw_status_name(status));
        cr_assert_eq(list != NULL, status == THAW_OK);
    }
    cr_assert_geq(failures, 9, "%zu failures", failures);
    for (size_t i = 0; i < 2; i++) {
        assert_zeros(set.parameters[i]->gradient, set.parameters[i]->count);
        assert_zeros(set.parameters[i]->slot[0], set.parameters[i]->count);
        assert_zeros(set.parameters[i]->slot[1], set.parameters[i]->count);
    }
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0, "%zu blocks leaked", allocator.live);
}
