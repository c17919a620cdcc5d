#include "cli/report.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

#include "cli/json.h"

char *cli_format_bytes(char text[CLI_SIZE_BYTES], size_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
    double value = (double)bytes;
    if (bytes < 1000) {
        snprintf(text, CLI_SIZE_BYTES, "%zu B", bytes);
        return text;
    }
    size_t unit = 0;
    for (value /= 1000; value >= 999.95 && unit + 1 < THAW_COUNT(units); unit++)
        value /= 1000;
    snprintf(text, CLI_SIZE_BYTES, "%.1f %s", value, units[unit]);
    return text;
}

char *cli_format_share(char text[CLI_SHARE_BYTES], double share)
{
    if (isnan(share))
        snprintf(text, CLI_SHARE_BYTES, "-");
    else
        snprintf(text, CLI_SHARE_BYTES, "%.2f %%", 100 * share);
    return text;
}

size_t cli_peak_rss_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (size_t)usage.ru_maxrss * 1024;
}

void cli_print_epoch_header(void)
{
    printf("%7s %10s %9s %10s %9s %9s %10s %10s\n", "epoch", "loss", "accuracy", "test loss", "accuracy", "seconds",
           "samples/s", "trained");
}

void cli_print_epoch(const thaw_epoch_report *report)
{
    char epoch[24], test_loss[24] = "-", accuracy[CLI_SHARE_BYTES], test_accuracy[CLI_SHARE_BYTES];
    snprintf(epoch, sizeof epoch, "%d/%d", report->epoch, report->epochs);
    if (!isnan(report->test_loss))
        snprintf(test_loss, sizeof test_loss, "%.4f", report->test_loss);
    printf("%7s %10.4f %9s %10s %9s %9.3f %10.0f %10zu%s", epoch, report->loss,
           cli_format_share(accuracy, report->accuracy), test_loss,
           cli_format_share(test_accuracy, report->test_accuracy), report->seconds, report->samples_per_second,
           report->trainable_parameters, report->cached ? "  cached" : "");
    if (report->skipped_steps)
        printf("  %zu steps skipped", report->skipped_steps);
    putchar('\n');
    fflush(stdout);
}

json_t *cli_epoch_object(const char *event, const thaw_epoch_report *report)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string(event));
    json_object_set_new(object, "epoch", json_integer(report->epoch));
    json_object_set_new(object, "epochs", json_integer(report->epochs));
    json_object_set_new(object, "loss", cli_json_real(report->loss));
    json_object_set_new(object, "accuracy", cli_json_real(report->accuracy));
    json_object_set_new(object, "test_loss", cli_json_real(report->test_loss));
    json_object_set_new(object, "test_accuracy", cli_json_real(report->test_accuracy));
    json_object_set_new(object, "seconds", cli_json_real(report->seconds));
    json_object_set_new(object, "samples_per_second", cli_json_real(report->samples_per_second));
    json_object_set_new(object, "rate_factor", cli_json_real(report->rate_factor));
    json_object_set_new(object, "skipped_steps", cli_json_count(report->skipped_steps));
    json_object_set_new(object, "cached", json_boolean(report->cached));
    json_object_set_new(object, "trainable_parameters", cli_json_count(report->trainable_parameters));
    json_object_set_new(object, "gradient_bytes", cli_json_count(report->gradient_bytes));
    json_object_set_new(object, "optimizer_state_bytes", cli_json_count(report->optimizer_state_bytes));
    json_object_set_new(object, "activation_bytes", cli_json_count(report->activation_bytes));
    json_object_set_new(object, "cache_on_disk", json_boolean(report->cache_on_disk));
    json_object_set_new(object, "cache_bytes", cli_json_count(report->cache_bytes));
    return object;
}
