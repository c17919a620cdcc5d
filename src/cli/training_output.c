#include "cli/training_output.h"

#include <math.h>
#include <stdio.h>

#include "cli/epoch_table.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/shown.h"
#include "policy/strategy.h"

void cli_training_on_rule(void *user, const thaw_rule_effect *effect)
{
    cli_training *now = user;
    const thaw_strategy_rule *rule = effect->rule;
    json_t *object = json_object();
    json_object_set_new(object, "action", json_string(thaw_action_name(rule->action)));
    json_object_set_new(object, "part", cli_json_text(rule->pattern));
    json_object_set_new(object, "pattern", cli_json_text(effect->pattern));
    if (thaw_action_has_value(rule->action))
        json_object_set_new(object, "value", cli_json_real(rule->value));
    json_object_set_new(object, "trainable_parameters", cli_json_count(effect->trainable_parameters));
    json_array_append_new(now->rules, object);
}

void cli_training_print_epoch(cli_training *now)
{
    cli_progress_clear(&now->progress);
    if (now->options->json) {
        json_t *object = cli_epoch_object("epoch", &now->last);
        json_object_set(object, "rules", now->rules);
        cli_json_print(object);
    } else {
        cli_print_epoch(&now->last);
    }
    json_array_clear(now->rules);
}

void cli_training_print_beginning(const cli_session *session)
{
    const thaw_summary_totals totals = thaw_model_summary_totals(session->model);
    printf("%s: %zu parameters, ", session->options->model, totals.total_parameters);
    if (session->named)
        printf("strategy %s", cli_show(session->named->name).text);
    else if (session->policy)
        printf("policy %s", cli_show(thaw_policy_name(session->policy)).text);
    else
        printf("%zu trainable", totals.trainable_parameters);
    printf("; %zu samples to train on", thaw_dataset_count(session->training));
    if (session->test)
        printf(", %zu to test", thaw_dataset_count(session->test));
    printf("; batch %llu, threads %d", (unsigned long long)session->options->batch,
           thaw_context_threads(session->context));
    if (session->test && session->options->average_decay > 0)
        printf("; tests the average of the weights, decay %g", session->options->average_decay);
    putchar('\n');
    cli_print_epoch_header();
    fflush(stdout);
}

/* Whether patience was at its end before the epochs were. */
static bool ended_early(const cli_training *now)
{
    const int patience = (int)now->options->patience;
    return patience && now->last.best.waited >= patience && now->last.epoch < now->last.epochs;
}

static void print_best(const cli_training *now)
{
    const thaw_best *best = &now->last.best;
    const char *file = now->options->best, *figure = thaw_monitor_name(best->monitor);
    char value[CLI_SHARE_BYTES];
    if (ended_early(now))
        printf("ended after epoch %d: %d epoch%s without a better %s\n", now->last.epoch, best->waited,
               best->waited == 1 ? "" : "s", figure);
    if (!best->epoch) {
        printf("no epoch is the best: the %s was never a finite number\n", figure);
        return;
    }
    if (best->monitor == THAW_MONITOR_TEST_ACCURACY || best->monitor == THAW_MONITOR_TEST_TOP5_ACCURACY)
        cli_format_share(value, best->value);
    else
        snprintf(value, sizeof value, "%.4f", best->value);
    printf("best epoch %d: %s %s", best->epoch, figure, value);
    if (file && best->saved == best->epoch)
        printf("; saved %s", cli_show(file).text);
    else if (file && best->saved)
        printf("; %s has the weights of epoch %d", cli_show(file).text, best->saved);
    else if (file)
        printf("; its weights are not saved");
    putchar('\n');
}

/* Of the run, and of its last test. */
static void print_totals(const thaw_epoch_result *last)
{
    char top5[CLI_SHARE_BYTES];
    printf("%.3f seconds in all", last->run_seconds);
    if (!isnan(last->test_perplexity))
        printf("; perplexity %.2f", last->test_perplexity);
    else if (!isnan(last->test_top5_accuracy)) /* more than five classes */
        printf("; top-5 accuracy %s, macro F1 %.4f", cli_format_share(top5, last->test_top5_accuracy),
               last->test_macro_f1);
    putchar('\n');
}

int cli_training_print_end(const cli_training *now, bool stopped)
{
    const thaw_epoch_result *last = &now->last;
    const char *save = now->options->save;
    const size_t peak = cli_peak_rss_bytes();
    if (now->options->json) {
        json_t *object = cli_epoch_object("done", last);
        json_object_set_new(object, "peak_rss_bytes", cli_json_count(peak));
        json_object_set_new(object, "saved", cli_json_text(save));
        json_object_set_new(object, "saved_average", cli_json_text(now->average));
        json_object_set_new(object, "cache_file", cli_json_text(now->cache_path));
        json_object_set_new(object, "checkpoint", cli_json_text(now->checkpoint));
        json_object_set_new(object, "best_saved", json_integer(last->best.saved));
        json_object_set_new(object, "ended_early", json_boolean(ended_early(now)));
        json_object_set_new(object, "stopped", json_boolean(stopped));
        return cli_json_print(object);
    }
    char memory[5][CLI_SIZE_BYTES];
    if (last->epoch)
        printf("gradients %s, optimizer state %s, activations %s, feature cache %s, peak memory %s\n",
               cli_format_bytes(memory[0], last->gradient_bytes),
               cli_format_bytes(memory[1], last->optimizer_state_bytes),
               cli_format_bytes(memory[2], last->activation_bytes),
               cli_format_bytes(memory[3], last->cache_bytes + last->test_cache_bytes),
               cli_format_bytes(memory[4], peak));
    if (last->sent_bytes)
        printf("each of %d ranks sends %s a step to the others\n", now->ranks->count,
               cli_format_bytes(memory[0], last->sent_bytes));
    if (last->epoch)
        print_totals(last);
    if (now->cache_path && last->cache_on_disk)
        printf("the feature cache is %s; runs with the same frozen layers and data reuse it\n",
               cli_show(now->cache_path).text);
    if (last->epoch && (now->options->best || now->options->patience))
        print_best(now);
    if (stopped)
        printf("stopped by a signal\n");
    if (now->checkpoint)
        printf(stopped ? "the checkpoint is %s; continue with the same command and --resume\n"
                       : "the checkpoint is %s\n",
               cli_show(now->checkpoint).text);
    if (save && now->average)
        printf("saved %s, and the average of the weights in %s\n", cli_show(save).text, cli_show(now->average).text);
    else if (save)
        printf("saved %s\n", cli_show(save).text);
    return CLI_DONE;
}

int cli_training_check_end(const cli_training *now)
{
    const thaw_epoch_result *last = &now->last;
    char loss[CLI_LOSS_BYTES];
    const bool tested = !isnan(last->test_accuracy) || !isnan(last->test_loss);
    if (!last->epoch)
        return CLI_DONE;
    if (now->epoch_steps && last->skipped_steps >= now->epoch_steps)
        return cli_fail(
            "training",
            "the run has diverged: the gradients of all %zu steps of epoch %d were not finite; the learning "
            "rate may be too high",
            now->epoch_steps, last->epoch);
    if (!isfinite(last->loss) || (tested && !isfinite(last->test_loss)))
        return cli_fail(
            "training",
            "the run has diverged: the %s of epoch %d is %s; the learning rate may be too high, or the data "
            "may contain NaN",
            isfinite(last->loss) ? "test loss" : "loss", last->epoch,
            cli_format_loss(loss, isfinite(last->loss) ? last->test_loss : last->loss));
    return CLI_DONE;
}
