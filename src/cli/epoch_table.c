#include "cli/epoch_table.h"

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

char *cli_format_loss(char text[CLI_LOSS_BYTES], double loss)
{
    if (isnan(loss)) /* without the sign */
        snprintf(text, CLI_LOSS_BYTES, "nan");
    else
        snprintf(text, CLI_LOSS_BYTES, fabs(loss) < 1e5 || isinf(loss) ? "%.4f" : "%.3e", loss);
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
    printf("%7s %9s %9s %9s %9s %8s %8s %8s %9s %10s\n", "epoch", "loss", "accuracy", "test loss", "accuracy",
           "seconds", "testing", "all", "samples/s", "trained");
}

/* The seconds of a test; "-" without one. */
static char *format_seconds(char text[CLI_SECONDS_BYTES], double seconds, bool there)
{
    if (there)
        snprintf(text, CLI_SECONDS_BYTES, "%.3f", seconds);
    else
        snprintf(text, CLI_SECONDS_BYTES, "-");
    return text;
}

/* What started at the feature cache. */
static const char *cached_word(const thaw_epoch_result *epoch_result)
{
    if (epoch_result->cached)
        return epoch_result->test_cached ? "  cached, test too" : "  cached";
    return epoch_result->test_cached ? "  test cached" : "";
}

void cli_print_epoch(const thaw_epoch_result *epoch_result)
{
    char epoch[24], loss[CLI_LOSS_BYTES], test_loss[CLI_LOSS_BYTES] = "-", accuracy[CLI_SHARE_BYTES],
                                          test_accuracy[CLI_SHARE_BYTES], testing[CLI_SECONDS_BYTES];
    snprintf(epoch, sizeof epoch, "%d/%d", epoch_result->epoch, epoch_result->epochs);
    if (epoch_result->tested)
        cli_format_loss(test_loss, epoch_result->test_loss);
    printf("%7s %9s %9s %9s %9s %8.3f %8s %8.3f %9.0f %10zu%s", epoch, cli_format_loss(loss, epoch_result->loss),
           cli_format_share(accuracy, epoch_result->accuracy), test_loss,
           cli_format_share(test_accuracy, epoch_result->test_accuracy), epoch_result->seconds,
           format_seconds(testing, epoch_result->test_seconds, epoch_result->tested), epoch_result->wall_seconds,
           epoch_result->samples_per_second, epoch_result->trainable_parameters, cached_word(epoch_result));
    if (epoch_result->views)
        printf("  view %zu of %zu", epoch_result->view + 1, epoch_result->views);
    if (!isnan(epoch_result->padding))
        printf("  %.1f %% padding, %.0f tokens/s", 100 * epoch_result->padding, epoch_result->tokens_per_second);
    if (!isnan(epoch_result->test_perplexity))
        printf("  perplexity %.2f", epoch_result->test_perplexity);
    if (epoch_result->skipped_steps)
        printf("  %zu steps skipped", epoch_result->skipped_steps);
    putchar('\n');
    fflush(stdout);
}

json_t *cli_epoch_object(const char *event, const thaw_epoch_result *epoch_result)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string(event));
    json_object_set_new(object, "epoch", json_integer(epoch_result->epoch));
    json_object_set_new(object, "epochs", json_integer(epoch_result->epochs));
    json_object_set_new(object, "loss", cli_json_real(epoch_result->loss));
    json_object_set_new(object, "accuracy", cli_json_real(epoch_result->accuracy));
    json_object_set_new(object, "test_loss", cli_json_real(epoch_result->test_loss));
    json_object_set_new(object, "test_accuracy", cli_json_real(epoch_result->test_accuracy));
    json_object_set_new(object, "test_top5_accuracy", cli_json_real(epoch_result->test_top5_accuracy));
    json_object_set_new(object, "test_macro_f1", cli_json_real(epoch_result->test_macro_f1));
    json_object_set_new(object, "tested", json_boolean(epoch_result->tested));
    json_object_set_new(object, "seconds", cli_json_real(epoch_result->seconds));
    json_object_set_new(object, "test_seconds", cli_json_real(epoch_result->test_seconds));
    json_object_set_new(object, "wall_seconds", cli_json_real(epoch_result->wall_seconds));
    json_object_set_new(object, "run_seconds", cli_json_real(epoch_result->run_seconds));
    json_object_set_new(object, "samples_per_second", cli_json_real(epoch_result->samples_per_second));
    if (!isnan(epoch_result->padding)) {
        json_object_set_new(object, "padding", cli_json_real(epoch_result->padding));
        json_object_set_new(object, "tokens_per_second", cli_json_real(epoch_result->tokens_per_second));
    }
    if (!isnan(epoch_result->test_perplexity))
        json_object_set_new(object, "test_perplexity", cli_json_real(epoch_result->test_perplexity));
    json_object_set_new(object, "rate_factor", cli_json_real(epoch_result->rate_factor));
    json_object_set_new(object, "skipped_steps", cli_json_count(epoch_result->skipped_steps));
    json_object_set_new(object, "cached", json_boolean(epoch_result->cached));
    if (epoch_result->views) {
        json_object_set_new(object, "views", cli_json_count(epoch_result->views));
        json_object_set_new(object, "view", cli_json_count(epoch_result->view));
    }
    json_object_set_new(object, "trainable_parameters", cli_json_count(epoch_result->trainable_parameters));
    json_object_set_new(object, "gradient_bytes", cli_json_count(epoch_result->gradient_bytes));
    json_object_set_new(object, "optimizer_state_bytes", cli_json_count(epoch_result->optimizer_state_bytes));
    json_object_set_new(object, "activation_bytes", cli_json_count(epoch_result->activation_bytes));
    json_object_set_new(object, "cache_on_disk", json_boolean(epoch_result->cache_on_disk));
    json_object_set_new(object, "cache_bytes", cli_json_count(epoch_result->cache_bytes));
    json_object_set_new(object, "test_cached", json_boolean(epoch_result->test_cached));
    json_object_set_new(object, "test_cache_bytes", cli_json_count(epoch_result->test_cache_bytes));
    json_object_set_new(object, "sent_bytes", cli_json_count(epoch_result->sent_bytes));
    json_object_set_new(object, "average_bytes", cli_json_count(epoch_result->average_bytes));
    json_object_set_new(object, "monitor", json_string(thaw_monitor_name(epoch_result->best.monitor)));
    json_object_set_new(object, "best_epoch", json_integer(epoch_result->best.epoch));
    json_object_set_new(object, "best_value", cli_json_real(epoch_result->best.value));
    return object;
}
