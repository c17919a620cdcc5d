/* A policy's part of a checkpoint. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "train/policy_run.h"

static const char POLICY[] = "policy";

/* The lists of numbers, by name. */
typedef struct list {
    const char *name;
    double *numbers;
    size_t count;
} list;

enum { LISTS = 3, COUNTS = 10, PRICE_NUMBERS = 7, BLOCK_NUMBERS = 1 + PRICE_NUMBERS };

static void fill_lists(const thaw_policy_run *run, double figures[4], list lists[LISTS])
{
    const double now[] = { run->loss, run->weight, run->test_loss, run->test_accuracy };
    memcpy(figures, now, sizeof now);
    lists[0] = (list){ "state", run->state, run->state_count };
    lists[1] = (list){ "squares", run->squares, run->block_count };
    lists[2] = (list){ "figures", figures, THAW_COUNT(now) };
}

static void write_list(thaw_text *text, const list *one)
{
    thaw_lines_begin(text, POLICY, one->name, NULL);
    for (size_t i = 0; i < one->count; i++) {
        thaw_text_append(text, i ? " " : "");
        thaw_lines_append_bits(text, one->numbers[i]);
    }
    thaw_text_append(text, "\n");
}

static void price_numbers(const thaw_price *price, double numbers[PRICE_NUMBERS])
{
    const double all[] = { price->step_seconds,
                           price->cached_step_seconds,
                           price->step_flops,
                           price->cached_step_flops,
                           (double)price->cache_sample_bytes,
                           (double)price->memory_bytes,
                           (double)price->trainable_parameters };
    memcpy(numbers, all, sizeof all);
}

void thaw_policy_write(const thaw_policy_run *run, thaw_text *text)
{
    double figures[4];
    list lists[LISTS];
    if (!run)
        return;
    fill_lists(run, figures, lists);
    for (size_t i = 0; i < LISTS; i++)
        write_list(text, &lists[i]);
    thaw_lines_begin(text, POLICY, "counts", NULL);
    thaw_text_append(text, "%d %zu %zu %zu %zu %d %zu %zu %d %zu\n", run->asked, run->asked_at, run->decisions,
                     run->steps, run->watched_steps, run->rests, run->compilations, run->known_count, run->priced,
                     run->changed_at);
    for (size_t i = 0; i < run->known_count; i++) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        thaw_lines_begin(text, POLICY, "known", index);
        thaw_text_append(text, "%" PRIu64 "\n", run->known[i]);
    }
    for (size_t b = 0; b < run->block_count; b++) {
        double numbers[BLOCK_NUMBERS] = { run->blocks[b].rate };
        price_numbers(&run->prices[b], numbers + 1);
        char index[24];
        snprintf(index, sizeof index, "%zu", b);
        thaw_lines_begin(text, POLICY, "block", index);
        for (size_t i = 0; i < THAW_COUNT(numbers); i++) {
            thaw_text_append(text, i ? " " : "");
            thaw_lines_append_bits(text, numbers[i]);
        }
        thaw_text_append(text, "\n");
    }
}

/* ---- reading ---- */

/* Reads so many numbers; into nothing if `numbers` is NULL. */
static bool read_numbers(thaw_lines *lines, const char *name, const char *detail, double *numbers, size_t count)
{
    const char *value = thaw_lines_find(lines, POLICY, name, detail);
    double number;
    bool right = value != NULL;
    for (size_t i = 0; i < count && right; i++) {
        right = thaw_lines_read_bits(&value, &number);
        if (right && numbers)
            numbers[i] = number;
    }
    return right && !*value;
}

static bool read_counts(thaw_lines *lines, uint64_t counts[COUNTS])
{
    const char *value = thaw_lines_find(lines, POLICY, "counts", NULL);
    bool right = value != NULL;
    for (size_t i = 0; i < COUNTS && right; i++)
        right = thaw_lines_read_number(&value, &counts[i]);
    return right && !*value && counts[7] <= THAW_POLICY_KNOWN_STATES;
}

static bool read_block(thaw_lines *lines, size_t index, double numbers[BLOCK_NUMBERS])
{
    char name[24];
    snprintf(name, sizeof name, "%zu", index);
    return read_numbers(lines, "block", name, numbers, BLOCK_NUMBERS);
}

static bool read_known(thaw_lines *lines, size_t index, uint64_t *known)
{
    char name[24];
    snprintf(name, sizeof name, "%zu", index);
    const char *value = thaw_lines_find(lines, POLICY, "known", name);
    return value && thaw_lines_read_number(&value, known) && !*value;
}

thaw_status thaw_policy_check_stored(thaw_policy_run *run, thaw_stored_run *from)
{
    double figures[4];
    list lists[LISTS];
    double numbers[BLOCK_NUMBERS];
    uint64_t counts[COUNTS] = { 0 }, known;
    if (!run)
        return THAW_OK;
    fill_lists(run, figures, lists);
    bool right = read_counts(&from->state, counts);
    for (size_t i = 0; i < LISTS && right; i++)
        right = read_numbers(&from->state, lists[i].name, NULL, NULL, lists[i].count);
    for (size_t i = 0; i < counts[7] && right; i++)
        right = read_known(&from->state, i, &known);
    for (size_t b = 0; b < run->block_count && right; b++)
        right = read_block(&from->state, b, numbers);
    if (!right)
        return from->state.key.failed ? THAW_OUT_OF_MEMORY
                                      : thaw_stored_damaged(from, "the state of its policy cannot be read");
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < run->parameter_count && status == THAW_OK; i++) {
        thaw_watched_parameter *watched = &run->parameters[i];
        if (watched->before)
            status = thaw_stored_find_values(from, watched->parameter, THAW_SNAPSHOT_POLICY, &watched->stored);
    }
    return status;
}

static void restore_block(thaw_policy_run *run, thaw_lines *lines, size_t b)
{
    double numbers[BLOCK_NUMBERS] = { 0 };
    read_block(lines, b, numbers);
    run->blocks[b].rate = numbers[0];
    run->blocks[b].weight_norm = NAN; /* to be measured */
    run->prices[b] = (thaw_price){ .step_seconds = numbers[1],
                                   .cached_step_seconds = numbers[2],
                                   .step_flops = numbers[3],
                                   .cached_step_flops = numbers[4],
                                   .cache_sample_bytes = (size_t)numbers[5],
                                   .memory_bytes = (size_t)numbers[6],
                                   .trainable_parameters = (size_t)numbers[7] };
}

void thaw_policy_restore(thaw_policy_run *run, thaw_stored_run *from)
{
    double figures[4] = { 0 };
    list lists[LISTS];
    uint64_t counts[COUNTS] = { 0 };
    if (!run)
        return;
    fill_lists(run, figures, lists);
    for (size_t i = 0; i < LISTS; i++)
        read_numbers(&from->state, lists[i].name, NULL, lists[i].numbers, lists[i].count);
    run->loss = figures[0];
    run->weight = figures[1];
    run->test_loss = figures[2];
    run->test_accuracy = figures[3];
    read_counts(&from->state, counts);
    run->asked = counts[0];
    run->asked_at = counts[1];
    run->decisions = counts[2];
    run->steps = counts[3];
    run->watched_steps = counts[4];
    run->rests = counts[5];
    run->compilations = counts[6];
    run->known_count = counts[7];
    run->priced = counts[8];
    run->changed_at = counts[9];
    for (size_t i = 0; i < run->known_count; i++)
        read_known(&from->state, i, &run->known[i]);
    for (size_t b = 0; b < run->block_count; b++)
        restore_block(run, &from->state, b);
    for (size_t i = 0; i < run->parameter_count; i++)
        if (run->parameters[i].before)
            memcpy(run->parameters[i].before, from->bytes + run->parameters[i].stored->begin,
                   run->parameters[i].parameter->count * sizeof(float));
    thaw_price_list_destroy(run->list);
    run->list = NULL;
    run->timed_steps = 0;
    thaw_policy_find_trained(run);
}
