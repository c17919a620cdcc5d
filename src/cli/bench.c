/* thaw bench: strategies and optimizers side by side. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/bench_checks.h"
#include "cli/bench_progress.h"
#include "cli/bench_table.h"
#include "cli/command.h"
#include "cli/contenders.h"
#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/ranks.h"
#include "cli/session.h"
#include "cli/shown.h"
#include "cli/strategy.h"
#include "report/write.h"

enum { PATH_BYTES = 4096, LONGEST_RUN = 24 * 60 * 60 /* seconds for which ranks wait for each other */ };

typedef struct bench {
    cli_session session; /* holds the context and the data */
    cli_ranks ranks;
    cli_contenders contenders;
    char results[PATH_BYTES];
    thaw_comparison *comparison;
    cli_bench_progress progress;
    int build_code; /* why the network could not be built */
} bench;

static int make_folder(bench *now)
{
    const char *folder = now->session.options->report;
    const int code =
        cli_check(now->session.context, thaw_report_make_directory(now->session.context, folder), "--report");
    const int length = snprintf(now->results, sizeof now->results, "%s/results.json", folder);
    if (code != CLI_DONE)
        return code;
    return length < (int)sizeof now->results ? CLI_DONE : cli_fail("--report", "the path is too long");
}

/* ---------------------------------------------------------------- callbacks */

/* Prints the error itself. */
static thaw_status build(void *user, thaw_model *model)
{
    bench *now = user;
    cli_session probe = { .options = now->session.options,
                          .context = thaw_model_context(model),
                          .model = model,
                          .folder = now->session.folder,
                          .from_folder = now->session.from_folder };
    int code = cli_build_model(&probe, now->session.training);
    if (code == CLI_DONE)
        code = cli_load_weights(&probe);
    if (code != CLI_DONE)
        now->build_code = code;
    free(probe.description);
    return code == CLI_DONE ? THAW_OK : THAW_INVALID_ARGUMENT;
}

static bool on_progress(void *user, const thaw_comparison_progress *state)
{
    bench *now = user;
    cli_bench_progress_draw(&now->progress, state);
    return cli_interrupt_signal() == 0;
}

/* ---------------------------------------------------------------- the command */

static int explain(const bench *now, thaw_status status, const char *what)
{
    return now->build_code != CLI_DONE ? now->build_code : cli_check_option(now->session.context, status, what);
}

static int create(bench *now)
{
    const cli_options *options = now->session.options;
    const char *reset = *now->session.reset ? now->session.reset : NULL;
    const thaw_comparison_options wanted = {
        .build = build,
        .on_progress = on_progress,
        .user = now,
        .training = now->session.training,
        .test = now->session.test,
        .jobs = (int)options->jobs,
        .communicator = now->ranks.communicator,
        .strategies = (const thaw_strategy *const *)now->contenders.strategies,
        .strategy_count = now->contenders.strategy_count,
        .policies = (const thaw_policy *const *)now->contenders.policies,
        .policy_count = now->contenders.policy_count,
        .optimizers = now->contenders.optimizers.items,
        .optimizer_count = now->contenders.optimizers.count,
        .rates = (int)options->rates,
        .seeds = (int)options->seeds,
        .first_seed = options->seed,
        .epochs = (int)options->epochs,
        .batch = (int64_t)options->batch,
        .cache_bytes = (size_t)options->cache_bytes,
        .target_accuracy = options->target_accuracy,
        .target_loss = options->target_loss,
        .race = options->race,
        .trials = (int)options->trials,
        .search = options->search,
        .validation_share = options->validation_share,
        .head = now->session.head,
        .results = *now->results ? now->results : NULL,
        .resume = options->resume,
        .model = options->model,
        .load = options->load,
        .reset = reset,
        .data = options->data,
        .test_data = options->test_data,
        .command = options->line,
    };
    const thaw_status status = thaw_comparison_create(now->session.context, &wanted, &now->comparison);
    const bool of_file = status == THAW_IO_ERROR || status == THAW_BAD_FORMAT;
    const char *search = options->search;
    const bool of_search = search && strncmp(thaw_context_message(now->session.context), search, strlen(search)) == 0;
    return explain(now, status, of_file && of_search ? "--search" : of_file ? "--report" : "bench");
}

/* What has been run, also until a signal. */
static int report(bench *now, bool stopped)
{
    const cli_options *options = now->session.options;
    int code =
        cli_check(now->session.context, thaw_comparison_write_report(now->comparison, options->report), "--report");
    if (code == CLI_DONE)
        code = cli_bench_print(now->comparison, now->session.context,
                               options->target_accuracy > 0 || options->target_loss > 0, options->json);
    if (code == CLI_DONE && !options->json)
        printf("saved %s/index.html\n", cli_show(options->report).text);
    if (code == CLI_DONE && stopped && !options->json)
        printf("stopped by a signal; continue with the same command and --resume\n");
    return code;
}

static int run(bench *now)
{
    const cli_options *options = now->session.options;
    const bool quiet = now->ranks.rank > 0 || (options->json && isatty(STDOUT_FILENO));
    int code = cli_bench_progress_begin(&now->progress, options->jobs, (size_t)options->batch, quiet);
    if (code != CLI_DONE)
        return code;
    cli_interrupt_catch();
    cli_ranks_begin(&now->ranks);
    const thaw_status status = thaw_comparison_run(now->comparison);
    cli_bench_progress_end(&now->progress);
    const int signal = status == THAW_STOPPED ? cli_ranks_signal(&now->ranks) : 0;
    code = signal > 0 ? CLI_DONE : explain(now, status, "training");
    cli_ranks_end(&now->ranks, code);
    if (code == CLI_DONE && now->ranks.rank == 0)
        code = report(now, signal > 0);
    return code == CLI_DONE && signal > 0 ? CLI_SIGNALLED + signal : code;
}

/* What can fail before the ranks open the data together. */
static int begin(bench *now)
{
    int code = cli_contenders_read(&now->contenders, &now->session);
    if (code == CLI_DONE)
        code = cli_strategy_find_head(&now->session);
    return code == CLI_DONE && now->ranks.rank == 0 ? make_folder(now) : code;
}

/* All else that can fail before the first run. */
static int prepare(bench *now)
{
    const cli_options *options = now->session.options;
    cli_ranks_begin(&now->ranks);
    int code = cli_ranks_open_data(&now->ranks, &now->session);
    if (code == CLI_DONE && !now->session.test)
        code = cli_misuse("--data", "\"%s\" has no test data; give some with --test-data", options->data);
    return code == CLI_DONE ? create(now) : code;
}

static void release(bench *now)
{
    thaw_comparison_destroy(now->comparison);
    cli_contenders_release(&now->contenders, &now->session);
    cli_session_close(&now->session);
}

static int bench_all(const cli_options *given)
{
    cli_options options = *given;
    bench now = { 0 };
    if (options.timeout == 0)
        options.timeout = LONGEST_RUN;
    int code = cli_ranks_open(&now.ranks, &options);
    if (code == CLI_DONE)
        code = cli_bench_check(&options, now.ranks.communicator != NULL);
    if (code == CLI_DONE)
        code = cli_bench_choose_threads(&options);
    if (code == CLI_DONE)
        code = cli_session_open(&now.session, &options);
    if (code == CLI_DONE)
        code = begin(&now);
    code = cli_ranks_meet(&now.ranks, code);
    if (code == CLI_DONE)
        code = cli_ranks_meet(&now.ranks, prepare(&now));
    if (code == CLI_DONE)
        code = run(&now);
    if (now.session.options)
        release(&now);
    return cli_ranks_close(&now.ranks, code);
}

const cli_command cli_bench = {
    .name = "bench",
    .summary = "compare fine-tuning strategies and optimizers",
    .description = "Compare fine-tuning strategies and optimizers: accuracy, time and memory, and which differences "
                   "several seeds support.",
    .examples = "  thaw bench --model transfer-cnn --load source.safetensors --reset 'dense*' \\\n"
                "             --data 'fashion-mnist:classes=5-9;per-class=100' \\\n"
                "             --strategies 'full head gradual lora:rank=8 lp-ft scratch' \\\n"
                "             --policies 'auto autofreeze' \\\n"
                "             --optimizers 'adam:lr=1e-3 sgd:lr=1e-2,momentum=0.9' \\\n"
                "             --lr-sweep 3 --seeds 5 --epochs 10 --report report\n",
    .takes = CLI_MODEL | CLI_LOAD | CLI_RESET | CLI_DATA | CLI_TEST_DATA | CLI_BATCH | CLI_RUNS | CLI_BENCH |
             CLI_PRECISION | CLI_FROZEN_PRECISION | CLI_HEAD | CLI_COMMON,
    .needs = CLI_MODEL | CLI_DATA,
    .run = bench_all,
};
