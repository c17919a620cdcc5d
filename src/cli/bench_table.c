#include "cli/bench_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/bench_tuning.h"
#include "cli/epoch_table.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/shown.h"

enum { FIELD_BYTES = 64 };

static size_t memory_of(const thaw_configuration *one)
{
    const thaw_run_bytes *bytes = &one->bytes;
    return bytes->weights + bytes->gradients + bytes->optimizer_state + bytes->activations + bytes->cache;
}

/* Unranked configurations come last. */
static int compare_ranks(int left, int right)
{
    const int a = left ? left : INT32_MAX, b = right ? right : INT32_MAX;
    return (a > b) - (a < b);
}

/* By rank, then by accuracy. */
static int compare(const void *left, const void *right)
{
    const thaw_configuration *a = left, *b = right;
    const int ranks = compare_ranks(a->rank, b->rank);
    return ranks ? ranks : (a->accuracy.mean < b->accuracy.mean) - (a->accuracy.mean > b->accuracy.mean);
}

/* By rank of the time to the target, then by how many runs reached it, then by time, then by accuracy. */
static int compare_times(const void *left, const void *right)
{
    const thaw_configuration *a = left, *b = right;
    const thaw_reach *x = &a->to_target.seconds, *y = &b->to_target.seconds;
    const int ranks = compare_ranks(a->to_target.rank_by_seconds, b->to_target.rank_by_seconds);
    if (ranks != 0 || x->reached != y->reached)
        return ranks ? ranks : (x->reached < y->reached) - (x->reached > y->reached);
    if (x->reached && x->at_least != y->at_least)
        return (x->at_least > y->at_least) - (x->at_least < y->at_least);
    return compare(left, right);
}

/* "84.21 +- 0.40"; the spread is half the interval. */
static void format_mean(char field[FIELD_BYTES], const char *format, const thaw_mean *mean)
{
    const int length =
        isnan(mean->mean) ? snprintf(field, FIELD_BYTES, "-") : snprintf(field, FIELD_BYTES, format, 100 * mean->mean);
    if (!isnan(mean->high))
        snprintf(field + length, (size_t)(FIELD_BYTES - length), " +- %.2f", 100 * (mean->high - mean->mean));
}

static void print_line(const thaw_configuration *one)
{
    char rank[16] = "-", accuracy[FIELD_BYTES], difference[FIELD_BYTES], memory[CLI_SIZE_BYTES];
    char seconds[16] = "-", note[48] = "";
    if (one->rank)
        snprintf(rank, sizeof rank, "%d", one->rank);
    if (!isnan(one->seconds_per_epoch))
        snprintf(seconds, sizeof seconds, "%.3f", one->seconds_per_epoch);
    if (one->diverged)
        snprintf(note, sizeof note, "  %zu of %zu diverged", one->diverged, one->runs);
    format_mean(accuracy, "%.2f", &one->accuracy);
    format_mean(difference, "%+.2f", &one->against_full);
    printf("%4s  %-16s %-28s %8.2g %16s %16s %9s %c %10zu %10s %c%s\n", rank, cli_show(one->strategy).text,
           cli_show(one->optimizer).text, one->learning_rate, accuracy, difference, seconds,
           one->pareto_time ? '*' : ' ', one->parameters_trained, cli_format_bytes(memory, memory_of(one)),
           one->pareto_memory ? '*' : ' ', note);
}

/* "3.21 (3.02 to 3.41)"; "> 4.10" if some runs never reached the target, and "never" if none did. */
static void format_reach(char field[FIELD_BYTES], const thaw_reach *reach, int decimals)
{
    if (reach->reached == 0)
        snprintf(field, FIELD_BYTES, reach->count ? "never" : "-");
    else if (reach->reached < reach->count)
        snprintf(field, FIELD_BYTES, "> %.*f", decimals, isnan(reach->low) ? reach->at_least : reach->low);
    else if (isnan(reach->low))
        snprintf(field, FIELD_BYTES, "%.*f", decimals, reach->mean);
    else
        snprintf(field, FIELD_BYTES, "%.*f (%.*f to %.*f)", decimals, reach->mean, decimals, reach->low, decimals,
                 reach->high);
}

static void print_target_line(const thaw_configuration *one)
{
    char rank[16] = "-", by_steps[16] = "-", seconds[FIELD_BYTES], steps[FIELD_BYTES], reached[FIELD_BYTES];
    char accuracy[FIELD_BYTES], epoch[16] = "-", memory[CLI_SIZE_BYTES];
    const thaw_to_target *target = &one->to_target;
    if (target->rank_by_seconds)
        snprintf(rank, sizeof rank, "%d", target->rank_by_seconds);
    if (target->rank_by_steps)
        snprintf(by_steps, sizeof by_steps, "%d", target->rank_by_steps);
    if (!isnan(one->seconds_per_epoch))
        snprintf(epoch, sizeof epoch, "%.3f", one->seconds_per_epoch);
    snprintf(reached, sizeof reached, "%zu of %zu", target->seconds.reached, target->seconds.count);
    format_reach(seconds, &target->seconds, 3);
    format_reach(steps, &target->steps, 0);
    format_mean(accuracy, "%.2f", &one->accuracy);
    printf("%4s  %-16s %-28s %8.2g %9s %24s %4s %18s %16s %9s %10s\n", rank, cli_show(one->strategy).text,
           cli_show(one->optimizer).text, one->learning_rate, reached, seconds, by_steps, steps, accuracy, epoch,
           cli_format_bytes(memory, memory_of(one)));
}

static void add_target(json_t *object, const thaw_to_target *target)
{
    json_object_set_new(object, "target_reached", cli_json_count(target->seconds.reached));
    json_object_set_new(object, "rank_by_seconds",
                        target->rank_by_seconds ? json_integer(target->rank_by_seconds) : json_null());
    json_object_set_new(object, "rank_by_steps",
                        target->rank_by_steps ? json_integer(target->rank_by_steps) : json_null());
    json_object_set_new(object, "seconds_to_target", cli_json_real(target->seconds.mean));
    json_object_set_new(object, "seconds_to_target_low", cli_json_real(target->seconds.low));
    json_object_set_new(object, "seconds_to_target_high", cli_json_real(target->seconds.high));
    json_object_set_new(object, "steps_to_target", cli_json_real(target->steps.mean));
}

static int print_json(const thaw_configuration *one, bool target)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("configuration"));
    json_object_set_new(object, "strategy", cli_json_text(one->strategy));
    json_object_set_new(object, "optimizer", cli_json_text(one->optimizer));
    json_object_set_new(object, "learning_rate", cli_json_real(one->learning_rate));
    json_object_set_new(object, "rank", one->rank ? json_integer(one->rank) : json_null());
    json_object_set_new(object, "runs", cli_json_count(one->runs));
    json_object_set_new(object, "diverged", cli_json_count(one->diverged));
    json_object_set_new(object, "accuracy", cli_json_real(one->accuracy.mean));
    json_object_set_new(object, "accuracy_low", cli_json_real(one->accuracy.low));
    json_object_set_new(object, "accuracy_high", cli_json_real(one->accuracy.high));
    json_object_set_new(object, "seconds_per_epoch", cli_json_real(one->seconds_per_epoch));
    json_object_set_new(object, "memory_bytes", cli_json_count(memory_of(one)));
    if (one->race.stopped)
        json_object_set_new(object, "stopped", json_string(one->race.diverged ? "diverged" : "beaten"));
    if (one->tuning.chosen) {
        json_object_set_new(object, "settings", cli_json_text(one->tuning.settings));
        json_object_set_new(object, "validation_accuracy", cli_json_real(one->tuning.validation_accuracy));
    }
    if (target)
        add_target(object, &one->to_target);
    return cli_json_print(object);
}

static void print_head(bool target)
{
    if (target)
        printf("%4s  %-16s %-28s %8s %9s %24s %4s %18s %16s %9s %10s\n", "rank", "strategy", "optimizer", "rate",
               "reached", "s to target", "rank", "steps to target", "accuracy %", "s/epoch", "memory");
    else
        printf("%4s  %-16s %-28s %8s %16s %16s %9s   %10s %10s\n", "rank", "strategy", "optimizer", "rate",
               "accuracy %", "against full", "s/epoch", "trained", "memory");
}

static void print_notes(bool target)
{
    if (target)
        printf(
            "\nTimes and steps are geometric means until a test after an epoch first reached the target, with their 95 %% "
            "intervals over\nseeds. A run that never reached it took longer than it ran, so such times have a lower end "
            "only (>). Equal ranks are ties:\ntheir intervals overlap. Of several learning rates, the one is shown with "
            "which most runs reached the target, in the fewest steps.\n");
    else
        printf(
            "\n+- is half the 95 %% interval over seeds. Equal ranks are ties: their intervals overlap. * marks what "
            "nothing beats in accuracy\n"
            "and time, or in accuracy and memory. Of several learning rates, the most accurate is shown.\n");
}

static void print_race(const thaw_configuration *configurations, size_t count)
{
    size_t stopped = 0, diverged = 0;
    for (size_t i = 0; i < count; i++) {
        stopped += configurations[i].race.stopped;
        diverged += configurations[i].race.diverged;
    }
    if (stopped)
        printf("The race stopped %zu of %zu configurations, %zu of them because they diverged; the report says why.\n",
               stopped, count, diverged);
}

static int print_all(const thaw_configuration *configurations, size_t count, bool target, bool json)
{
    int code = CLI_DONE;
    if (!json)
        print_head(target);
    for (size_t i = 0; i < count && code == CLI_DONE; i++) {
        const bool passed_over = !configurations[i].chosen && configurations[i].diverged == 0;
        if (json)
            code = print_json(&configurations[i], target);
        else if (configurations[i].runs && !passed_over)
            (target ? print_target_line : print_line)(&configurations[i]);
    }
    if (!json) {
        print_notes(target);
        print_race(configurations, count);
    }
    if (code == CLI_DONE)
        code = cli_bench_tuning_print(configurations, count, json);
    fflush(stdout);
    return code;
}

int cli_bench_print(thaw_comparison *comparison, const thaw_context *context, bool target, bool json)
{
    const size_t count = thaw_comparison_count(comparison);
    thaw_configuration *configurations = calloc(count, sizeof *configurations);
    int code = configurations ? CLI_DONE : cli_fail("bench", "out of memory");
    for (size_t i = 0; i < count && code == CLI_DONE; i++)
        code = cli_check(context, thaw_comparison_at(comparison, i, &configurations[i]), "bench");
    if (code == CLI_DONE) {
        qsort(configurations, count, sizeof *configurations, target ? compare_times : compare);
        code = print_all(configurations, count, target, json);
    }
    free(configurations);
    return code;
}
