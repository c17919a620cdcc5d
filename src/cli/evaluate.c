/* thaw evaluate. */
#include <math.h>
#include <stdio.h>

#include "cli/classified.h"
#include "cli/command.h"
#include "cli/epoch_table.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/target_output.h"

static int print(const cli_options *options, const thaw_evaluation *found, const cli_classified *classified)
{
    const double rate = (double)found->samples / found->seconds;
    if (options->json) {
        json_t *object = json_object();
        json_object_set_new(object, "event", json_string("evaluation"));
        json_object_set_new(object, "loss", cli_json_real(found->loss));
        json_object_set_new(object, "accuracy", cli_json_real(found->accuracy));
        json_object_set_new(object, "top5_accuracy", cli_json_real(found->top5_accuracy));
        json_object_set_new(object, "macro_f1", cli_json_real(found->macro_f1));
        json_object_set_new(object, "samples", cli_json_count(found->samples));
        json_object_set_new(object, "seconds", cli_json_real(found->seconds));
        json_object_set_new(object, "samples_per_second", cli_json_real(rate));
        json_object_set_new(object, "peak_rss_bytes", cli_json_count(cli_peak_rss_bytes()));
        if (!isnan(found->perplexity))
            json_object_set_new(object, "perplexity", cli_json_real(found->perplexity));
        if (classified->counts)
            cli_classified_describe(classified, object);
        return cli_json_print(object);
    }
    char loss[CLI_LOSS_BYTES], accuracy[CLI_SHARE_BYTES], top5[CLI_SHARE_BYTES];
    const bool of_tokens = !isnan(found->perplexity);
    printf("loss %s", cli_format_loss(loss, found->loss));
    if (of_tokens)
        printf(", perplexity %.2f", found->perplexity);
    if (!isnan(found->accuracy)) /* not regression */
        printf(", %s %s", of_tokens ? "token accuracy" : "accuracy", cli_format_share(accuracy, found->accuracy));
    if (!of_tokens && !isnan(found->top5_accuracy)) /* more than five classes */
        printf(", top-5 accuracy %s, macro F1 %.4f", cli_format_share(top5, found->top5_accuracy), found->macro_f1);
    printf(" on %zu samples, %.3f seconds (%.0f samples/s)\n", found->samples, found->seconds, rate);
    return CLI_DONE;
}

static bool draw(void *user, const thaw_evaluation_progress *progress)
{
    cli_progress_draw(user,
                      &(cli_progress_state){
                          .label = "evaluating", .done = progress->samples, .total = progress->all, .loss = NAN });
    return true;
}

static int measure(const cli_session *session, const cli_classified *classified, thaw_evaluation *found)
{
    cli_progress progress = cli_progress_begin(false);
    const thaw_evaluation_options options = { .batch = (int64_t)session->options->batch,
                                              .classification = classified->counts,
                                              .on_batch = draw,
                                              .user = &progress };
    const thaw_status status = thaw_evaluate_with(session->model, session->test, &options, found);
    cli_progress_clear(&progress);
    return cli_check(session->context, status, "evaluation");
}

static int evaluate(const cli_options *options)
{
    cli_session session;
    thaw_evaluation found;
    cli_classified classified = { 0 };
    int code = cli_session_open(&session, options);
    if (code == CLI_DONE)
        code = cli_open_test_data(&session, "--data", session.options->data);
    if (code == CLI_DONE)
        code = cli_build_model(&session, session.test);
    if (code == CLI_DONE)
        code = cli_load_weights(&session);
    if (code == CLI_DONE)
        code = cli_classified_begin(&classified, &session);
    if (code == CLI_DONE)
        code = measure(&session, &classified, &found);
    if (code == CLI_DONE)
        code = cli_classified_finish(&classified, &session, &found);
    if (code == CLI_DONE)
        code = print(options, &found, &classified);
    if (code == CLI_DONE)
        code = cli_classified_print(&classified, options);
    if (code == CLI_DONE)
        code = cli_print_target_figures(&session, session.test);
    cli_classified_end(&classified);
    cli_session_close(&session);
    return code;
}

const cli_command cli_evaluate = {
    .name = "evaluate",
    .summary = "measure loss and accuracy",
    .description =
        "Measure loss and accuracy on the test data of a data set, or on its training data if it has no test "
        "data. For a classifier, also figures of each class, which equal scikit-learn's: thaw/classification.h has the "
        "formulas. They come from the same probabilities as those of thaw predict.",
    .examples = "  thaw evaluate --load tuned.safetensors --data folder:photos\n"
                "  thaw evaluate --model transfer-cnn --load tuned.safetensors \\\n"
                "                --data fashion-mnist:classes=5-9\n"
                "  thaw evaluate --load tuned.safetensors --data folder:photos \\\n"
                "                --per-class --confusion --html answers.html\n",
    .takes = CLI_MODEL | CLI_LOAD | CLI_DATA | CLI_BATCH | CLI_PRECISION | CLI_BY_CLASS | CLI_COMMON,
    .needs = CLI_LOAD | CLI_DATA,
    .run = evaluate,
};
