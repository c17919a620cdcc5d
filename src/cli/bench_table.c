#include "cli/bench_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

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

/* By rank, then by accuracy; unranked configurations come last. */
static int compare(const void *left, const void *right)
{
    const thaw_configuration *a = left, *b = right;
    const int rank_a = a->rank ? a->rank : INT32_MAX, rank_b = b->rank ? b->rank : INT32_MAX;
    if (rank_a != rank_b)
        return rank_a < rank_b ? -1 : 1;
    return (a->accuracy.mean < b->accuracy.mean) - (a->accuracy.mean > b->accuracy.mean);
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

static int print_json(const thaw_configuration *one)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("configuration"));
    json_object_set_new(object, "strategy", cli_json_text(one->strategy));
    json_object_set_new(object, "optimizer", cli_json_text(one->optimizer));
    json_object_set_new(object, "learning_rate", json_real(one->learning_rate));
    json_object_set_new(object, "rank", one->rank ? json_integer(one->rank) : json_null());
    json_object_set_new(object, "runs", cli_json_count(one->runs));
    json_object_set_new(object, "diverged", cli_json_count(one->diverged));
    json_object_set_new(object, "accuracy", cli_json_real(one->accuracy.mean));
    json_object_set_new(object, "accuracy_low", cli_json_real(one->accuracy.low));
    json_object_set_new(object, "accuracy_high", cli_json_real(one->accuracy.high));
    json_object_set_new(object, "seconds_per_epoch", cli_json_real(one->seconds_per_epoch));
    json_object_set_new(object, "memory_bytes", cli_json_count(memory_of(one)));
    return cli_json_print(object);
}

static int print_all(const thaw_configuration *configurations, size_t count, bool json)
{
    int code = CLI_DONE;
    if (!json)
        printf("%4s  %-16s %-28s %8s %16s %16s %9s   %10s %10s\n", "rank", "strategy", "optimizer", "rate",
               "accuracy %", "against full", "s/epoch", "trained", "memory");
    for (size_t i = 0; i < count && code == CLI_DONE; i++) {
        const bool passed_over = !configurations[i].chosen && configurations[i].diverged == 0;
        if (json)
            code = print_json(&configurations[i]);
        else if (configurations[i].runs && !passed_over)
            print_line(&configurations[i]);
    }
    if (!json)
        printf(
            "\n+- is half the 95 %% interval over seeds. Equal ranks are ties: their intervals overlap. * marks what "
            "nothing beats in accuracy\n"
            "and time, or in accuracy and memory. Of several learning rates, the most accurate is shown.\n");
    fflush(stdout);
    return code;
}

int cli_bench_print(thaw_comparison *comparison, const thaw_context *context, bool json)
{
    const size_t count = thaw_comparison_count(comparison);
    thaw_configuration *configurations = calloc(count, sizeof *configurations);
    int code = configurations ? CLI_DONE : cli_fail("bench", "out of memory");
    for (size_t i = 0; i < count && code == CLI_DONE; i++)
        code = cli_check(context, thaw_comparison_at(comparison, i, &configurations[i]), "bench");
    if (code == CLI_DONE) {
        qsort(configurations, count, sizeof *configurations, compare);
        code = print_all(configurations, count, json);
    }
    free(configurations);
    return code;
}
