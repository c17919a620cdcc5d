#include "cli/demo_output.h"

#include <stdio.h>
#include <string.h>

#include "cli/epoch_table.h"
#include "cli/json.h"

enum { LINE_COLUMNS = 96 };

void cli_demo_print_header(void)
{
    printf("%-40s %8s  %-20s %9s %10s %11s\n", "", "test", "  seconds per epoch", "parameters", "gradients", "");
    printf("%-40s %8s  %6s %6s %6s %10s %10s %11s\n", "run", "accuracy", "1", "2", "3", "trained", "+ state",
           "activations");
    fflush(stdout);
}

static int print_json(const char *name, const cli_demo_result *result)
{
    json_t *object = cli_epoch_object("run", &result->last);
    json_t *seconds = json_array();
    for (size_t i = 0; i < CLI_DEMO_EPOCHS; i++)
        json_array_append_new(seconds, cli_json_real(result->seconds[i]));
    json_object_set_new(object, "run", json_string(name));
    json_object_set_new(object, "epoch_seconds", seconds);
    return cli_json_print(object);
}

int cli_demo_print_run(const char *name, const cli_demo_result *result, bool json)
{
    if (json)
        return print_json(name, result);
    const thaw_epoch_result *last = &result->last;
    char accuracy[CLI_SHARE_BYTES], held[CLI_SIZE_BYTES], activations[CLI_SIZE_BYTES];
    printf("%-40s %8s  %6.2f %6.2f %6.2f %10zu %10s %11s\n", name, cli_format_share(accuracy, last->test_accuracy),
           result->seconds[0], result->seconds[1], result->seconds[2], last->trainable_parameters,
           cli_format_bytes(held, last->gradient_bytes + last->optimizer_state_bytes),
           cli_format_bytes(activations, last->activation_bytes));
    fflush(stdout);
    return 0;
}

/* ---------------------------------------------------------------- the paragraph */

/* Prints a text in lines of LINE_COLUMNS. */
static void print_wrapped(const char *text)
{
    while (*text) {
        size_t length = strlen(text);
        if (length > LINE_COLUMNS) {
            length = LINE_COLUMNS;
            while (length > 0 && text[length] != ' ')
                length--;
        }
        printf("%.*s\n", (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
}

/* The fastest epoch: other processes may have slowed the others. */
static double fastest(const cli_demo_result *result)
{
    double seconds = result->seconds[0];
    for (size_t i = 1; i < CLI_DEMO_EPOCHS; i++)
        seconds = result->seconds[i] < seconds ? result->seconds[i] : seconds;
    return seconds;
}

static const char *best_of_small(const cli_demo_result *results)
{
    const double all = results[CLI_DEMO_SMALL_ALL].last.test_accuracy;
    const double frozen = results[CLI_DEMO_SMALL_FROZEN].last.test_accuracy;
    const double scratch = results[CLI_DEMO_SMALL_SCRATCH].last.test_accuracy;
    if (scratch > all && scratch > frozen)
        return "training from scratch does best";
    return frozen >= all ? "keeping the convolutions frozen does best" : "training everything does best";
}

void cli_demo_print_paragraph(const cli_demo_result results[CLI_DEMO_ROLES])
{
    const cli_demo_result *all = &results[CLI_DEMO_ALL], *frozen = &results[CLI_DEMO_FROZEN];
    const cli_demo_result *cached = &results[CLI_DEMO_CACHED];
    char text[1024], memory[3][CLI_SIZE_BYTES], small[3][CLI_SHARE_BYTES];
    const double points = 100 * (frozen->last.test_accuracy - all->last.test_accuracy);
    snprintf(
        text, sizeof text,
        "Freezing the convolutions makes an epoch %.1f times as fast (%.2f s instead of %.2f s), takes %s of memory "
        "for activations instead of %s, and changes the test accuracy by %+.2f points. Caching the outputs of the "
        "frozen layers (%s) makes an epoch %.1f times as fast as training everything: %.2f s. With 20 images "
        "per class, %s: %s frozen, %s all trainable, %s from scratch.",
        fastest(all) / fastest(frozen), fastest(frozen), fastest(all),
        cli_format_bytes(memory[0], frozen->last.activation_bytes),
        cli_format_bytes(memory[1], all->last.activation_bytes), points,
        cli_format_bytes(memory[2], cached->last.cache_bytes), fastest(all) / fastest(cached), fastest(cached),
        best_of_small(results), cli_format_share(small[0], results[CLI_DEMO_SMALL_FROZEN].last.test_accuracy),
        cli_format_share(small[1], results[CLI_DEMO_SMALL_ALL].last.test_accuracy),
        cli_format_share(small[2], results[CLI_DEMO_SMALL_SCRATCH].last.test_accuracy));
    print_wrapped(text);
}
