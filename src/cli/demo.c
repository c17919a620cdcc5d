/* thaw demo: a network learns Fashion-MNIST's classes 0-4, and is then transferred to classes 5-9. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/demo_output.h"
#include "cli/epoch_table.h"
#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/session.h"

static const char NETWORK[] = "transfer-cnn";
static const char OPTIMIZER[] = "adam:lr=1e-3";
enum { CLASSES = 5, FIRST_TARGET = 5, LAST_TARGET = 9, PER_CLASS = 20, REPEAT = 10, PATH_BYTES = 512 };

/* The data of the experiment: selections from one training and one test set. */
enum { SOURCE, SOURCE_TEST, TARGET, TARGET_TEST, TARGET_SMALL, SETS };

typedef struct demo {
    cli_session session; /* holds the context and the whole data */
    thaw_dataset *sets[SETS];
    char directory[PATH_BYTES], file[PATH_BYTES + 32]; /* the pre-trained weights */
    cli_progress progress;
    const char *label; /* of the current run */
    cli_demo_result result, results[CLI_DEMO_ROLES];
} demo;

/* ---------------------------------------------------------------- setup and cleanup */

static int open_sets(demo *now)
{
    static const thaw_dataset_selection source = { .first_class = 0, .last_class = CLASSES - 1 };
    static const thaw_dataset_selection target = { .first_class = FIRST_TARGET, .last_class = LAST_TARGET };
    static const thaw_dataset_selection small = {
        .first_class = FIRST_TARGET, .last_class = LAST_TARGET, .per_class = PER_CLASS, .repeat = REPEAT
    };
    cli_session *session = &now->session;
    const struct {
        thaw_dataset *from;
        const thaw_dataset_selection *selection;
    } wanted[SETS] = {
        [SOURCE] = { session->training, &source },      [SOURCE_TEST] = { session->test, &source },
        [TARGET] = { session->training, &target },      [TARGET_TEST] = { session->test, &target },
        [TARGET_SMALL] = { session->training, &small },
    };
    for (size_t i = 0; i < SETS; i++) {
        const thaw_status status =
            thaw_dataset_select(session->context, wanted[i].from, wanted[i].selection, &now->sets[i]);
        if (status != THAW_OK)
            return cli_check(session->context, status, "--data");
    }
    return CLI_DONE;
}

static int make_directory(demo *now)
{
    const char *root = getenv("TMPDIR");
    const int length = snprintf(now->directory, sizeof now->directory, "%s/thaw-demo-XXXXXX", root ? root : "/tmp");
    const bool made = length < (int)sizeof now->directory && mkdtemp(now->directory);
    if (!made) {
        const int code = cli_fail("demo", "%s: cannot make a temporary folder: %s", now->directory, strerror(errno));
        now->directory[0] = '\0';
        return code;
    }
    snprintf(now->file, sizeof now->file, "%s/source.safetensors", now->directory);
    return CLI_DONE;
}

static void close_demo(demo *now)
{
    if (now->directory[0]) {
        unlink(now->file);
        rmdir(now->directory);
    }
    for (size_t i = 0; i < SETS; i++)
        thaw_dataset_destroy(now->sets[i]);
    cli_session_close(&now->session);
}

/* ---------------------------------------------------------------- one run */

static bool on_step(void *user, const thaw_progress *state)
{
    demo *now = user;
    cli_progress_draw_training(&now->progress, now->label, state, CLI_DEMO_BATCH);
    return cli_interrupt_signal() == 0;
}

static bool on_epoch(void *user, const thaw_epoch_result *epoch_result)
{
    demo *now = user;
    now->result.seconds[epoch_result->epoch - 1] = epoch_result->seconds;
    now->result.last = *epoch_result;
    return cli_interrupt_signal() == 0;
}

static thaw_status set_optimizer(thaw_model *model, const char *pattern, const char *description)
{
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_optimizer_create(thaw_model_context(model), description, &optimizer);
    if (status == THAW_OK)
        status = thaw_select_optimizer(model, pattern, optimizer);
    thaw_optimizer_destroy(optimizer);
    return status;
}

/* Prepares the network for the run: weights, new head, optimizers, and what is frozen. */
static thaw_status prepare(const demo *now, const cli_demo_run *run, thaw_model *model)
{
    thaw_status status = thaw_zoo_build(model, NETWORK, CLASSES);
    if (status == THAW_OK && !run->scratch)
        status = thaw_weights_load(model, now->file, NULL, NULL);
    if (status == THAW_OK && !run->scratch)
        status = thaw_model_reset(model, "dense*");
    if (status == THAW_OK)
        status = set_optimizer(model, "*", OPTIMIZER);
    for (size_t i = 0; i < CLI_DEMO_SETTINGS && run->settings[i].pattern && status == THAW_OK; i++) {
        const cli_demo_setting *setting = &run->settings[i];
        status = setting->optimizer ? set_optimizer(model, setting->pattern, setting->optimizer)
                                    : thaw_select_learning_rate(model, setting->pattern, setting->learning_rate);
    }
    if (status == THAW_OK && run->freeze)
        status = thaw_model_freeze(model, run->freeze);
    return status;
}

static thaw_status fit(demo *now, const cli_demo_run *run, thaw_model *model, thaw_dataset *training,
                       thaw_dataset *test)
{
    now->label = run->name;
    now->result = (cli_demo_result){ 0 };
    const thaw_strategy strategy = { .name = run->name, .rules = run->rules, .rule_count = run->rule_count };
    const thaw_fit_options options = {
        .epochs = CLI_DEMO_EPOCHS,
        .batch = CLI_DEMO_BATCH,
        .test = test,
        .strategy = &strategy,
        .cache_bytes = run->cached ? (size_t)now->session.options->cache_bytes : 0,
        .on_epoch = on_epoch,
        .on_step = on_step,
        .user = now,
    };
    const thaw_status status = thaw_fit(model, training, &options, NULL);
    cli_progress_clear(&now->progress);
    return status;
}

static int explain(const demo *now, thaw_status status, const char *name)
{
    if (status == THAW_STOPPED && cli_interrupt_signal())
        return CLI_SIGNALLED + cli_interrupt_signal();
    return cli_check(now->session.context, status, name);
}

static int pretrain(demo *now)
{
    static const cli_demo_run run = { .name = "pre-training on classes 0-4", .scratch = true };
    thaw_context *context = now->session.context;
    thaw_model *model = NULL;
    thaw_status status = thaw_model_create(context, &model);
    if (status == THAW_OK)
        status = prepare(now, &run, model);
    if (status == THAW_OK)
        status = fit(now, &run, model, now->sets[SOURCE], now->sets[SOURCE_TEST]);
    if (status == THAW_OK)
        status = thaw_weights_save(model, now->file);
    thaw_model_destroy(model);
    const int code = explain(now, status, run.name);
    return code == CLI_DONE ? cli_demo_print_run(run.name, &now->result, now->session.options->json) : code;
}

static int run_one(demo *now, const cli_demo_run *run)
{
    thaw_model *model = NULL;
    thaw_status status = thaw_model_create(now->session.context, &model);
    if (status == THAW_OK)
        status = prepare(now, run, model);
    if (status == THAW_OK)
        status = fit(now, run, model, now->sets[run->small ? TARGET_SMALL : TARGET], now->sets[TARGET_TEST]);
    thaw_model_destroy(model);
    const int code = explain(now, status, run->name);
    if (code != CLI_DONE)
        return code;
    now->results[run->role] = now->result;
    return cli_demo_print_run(run->name, &now->result, now->session.options->json);
}

/* ---------------------------------------------------------------- the command */

/* Prints the plan of a run. */
static int print_plan(const demo *now, cli_demo_role role)
{
    thaw_context *context = now->session.context;
    const cli_demo_run *run = cli_demo_runs;
    while (run->role != role)
        run++;
    thaw_model *model = NULL;
    const thaw_plan *plan;
    char *text = NULL;
    thaw_status status = thaw_model_create(context, &model);
    if (status == THAW_OK)
        status = prepare(now, run, model);
    if (status == THAW_OK)
        status = thaw_model_plan(model, &(thaw_plan_options){ .batch = CLI_DEMO_BATCH }, &plan);
    if (status == THAW_OK)
        status = thaw_plan_describe(plan, &text);
    if (status == THAW_OK)
        printf("\nThe plan of \"%s\":\n%s\n", run->name, text);
    thaw_text_destroy(context, text);
    thaw_model_destroy(model);
    return cli_check(context, status, "plan");
}

static int print_end(const demo *now)
{
    if (now->session.options->json) {
        json_t *object = json_object();
        json_object_set_new(object, "event", json_string("done"));
        json_object_set_new(object, "peak_rss_bytes", cli_json_count(cli_peak_rss_bytes()));
        return cli_json_print(object);
    }
    const int code = print_plan(now, CLI_DEMO_FROZEN);
    if (code == CLI_DONE)
        cli_demo_print_paragraph(now->results);
    return code;
}

static int run_all(demo *now)
{
    if (!now->session.options->json) {
        printf("%s on Fashion-MNIST: pre-trained on classes 0-4, then transferred to classes 5-9. Batch %d, Adam "
               "1e-3, threads %d.\n\n",
               NETWORK, CLI_DEMO_BATCH, thaw_context_threads(now->session.context));
        cli_demo_print_header();
    }
    int code = pretrain(now);
    for (size_t i = 0; i < cli_demo_run_count && code == CLI_DONE; i++)
        code = run_one(now, &cli_demo_runs[i]);
    return code == CLI_DONE ? print_end(now) : code;
}

static int demonstrate(const cli_options *given)
{
    cli_options options = *given;
    demo now = { .label = "", .progress = cli_progress_begin(options.json && isatty(STDOUT_FILENO)) };
    if (!options.data)
        options.data = "fashion-mnist";
    int code = cli_session_open(&now.session, &options);
    if (code == CLI_DONE)
        code = cli_open_data(&now.session);
    if (code == CLI_DONE && !now.session.test)
        code = cli_misuse("--data", "\"%s\" has no test data", options.data);
    if (code == CLI_DONE)
        code = open_sets(&now);
    cli_interrupt_catch();
    if (code == CLI_DONE)
        code = make_directory(&now);
    if (code == CLI_DONE)
        code = run_all(&now);
    close_demo(&now);
    return code;
}

const cli_command cli_demo = {
    .name = "demo",
    .summary = "run a transfer experiment on Fashion-MNIST",
    .description = "Pre-train a network on five classes of Fashion-MNIST and transfer it to the other five in several "
                   "ways.",
    .examples = "  thaw demo\n",
    .takes = CLI_DATA | CLI_COMMON,
    .run = demonstrate,
};
