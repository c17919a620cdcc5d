/* thaw train, thaw finetune. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/average.h"
#include "cli/cache.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/noted.h"
#include "cli/policy_output.h"
#include "cli/session.h"
#include "cli/strategy.h"
#include "cli/target_output.h"
#include "cli/training_checks.h"
#include "cli/training_output.h"
#include "policy/strategy.h"
#include "report/run_log.h"

static bool on_step(void *user, const thaw_progress *state)
{
    cli_training *now = user;
    now->epoch = state->epoch;
    cli_progress_draw_training(&now->progress, NULL, state, (size_t)now->options->batch);
    now->signal = cli_ranks_signal(now->ranks);
    return now->signal == 0;
}

/* Ranks ask each other about signals where all of them are: not here. */
static bool on_test(void *user, const thaw_evaluation_progress *state)
{
    cli_training *now = user;
    cli_progress_draw(&now->progress, &(cli_progress_state){ .label = "testing",
                                                             .epoch = now->epoch,
                                                             .epochs = (int)now->options->epochs,
                                                             .done = state->samples,
                                                             .total = state->all });
    if (!now->ranks->communicator)
        now->signal = cli_ranks_signal(now->ranks);
    return now->signal == 0;
}

/* Trains to the end of the epoch, step by step if steps are logged. */
static thaw_status run_epoch(thaw_trainer *trainer, thaw_run_log *log)
{
    thaw_status status = THAW_OK;
    if (!log)
        return thaw_trainer_epoch(trainer, NULL);
    for (bool ended = false; status == THAW_OK && !ended;)
        status = thaw_run_log_step(log, trainer, &ended);
    return status;
}

static int open_log(const cli_session *session, cli_training *now, const thaw_trainer *trainer, thaw_run_log **log)
{
    const cli_options *options = session->options;
    *log = NULL;
    if (!options->log || now->ranks->rank > 0)
        return CLI_DONE;
    thaw_status status =
        thaw_run_log_open(session->model, trainer, options->log, (size_t)options->log_every, options->resume, log);
    if (status == THAW_OK && session->policy)
        status = thaw_action_log_open(session->context, options->log, thaw_trainer_position_of(trainer).all_steps,
                                      options->resume, &now->actions);
    return cli_check_option(session->context, status, "--log");
}

/* A run that a signal stops is to continue from where it is. */
static void keep_checkpoint(thaw_trainer *trainer, const cli_session *session, cli_training *now, bool stopped)
{
    if (stopped && now->options->checkpoint)
        cli_check(session->context, thaw_trainer_checkpoint(trainer), "--checkpoint");
    const char *path = thaw_trainer_checkpoint_path(trainer);
    now->checkpoint = path ? strdup(path) : NULL;
}

/* What a run leaves whose values are not finite, if the user wants it: the run has failed all the same. */
static void keep_broken(const cli_session *session, const cli_training *now, thaw_status status)
{
    const char *path = session->options->save_broken;
    if (status != THAW_NOT_FINITE || !path || now->ranks->rank > 0)
        return;
    if (cli_check(session->context, thaw_weights_save_broken(session->model, path), "--save-broken") == CLI_DONE)
        cli_note_file("--save-broken", path);
}

/* Merges and saves what the options ask for; also what has been trained until a signal. */
static int save(thaw_trainer *trainer, const cli_session *session, const cli_training *now)
{
    const cli_options *options = session->options;
    int code = CLI_DONE;
    if (!now->average)
        code = cli_check(session->context, thaw_model_use_view(session->model, true), "--save");
    if (code == CLI_DONE && options->merge)
        code = cli_check_option(session->context, thaw_trainer_merge(trainer, "*"), "--merge");
    if (code == CLI_DONE && options->save) {
        const thaw_status status = thaw_weights_save(session->model, options->save);
        code = cli_check(session->context, status, "--save");
        keep_broken(session, now, status);
    }
    if (code == CLI_DONE && now->average)
        code = cli_check(session->context, thaw_trainer_save_average(trainer, now->average), "--ema");
    thaw_model_use_view(session->model, false);
    return code;
}

/* What stopped it, after a step or an epoch: a signal, on whichever rank, or the loss of a rank. */
static int run_epochs(cli_session *session, const thaw_fit_options *options, cli_training *now)
{
    thaw_trainer *trainer;
    thaw_run_log *log = NULL;
    cli_interrupt_catch();
    thaw_status status = thaw_trainer_create(session->model, session->training, options, &trainer);
    int code = cli_check(session->context, status, "training");
    if (code == CLI_DONE)
        code = open_log(session, now, trainer, &log);
    if (code == CLI_DONE && !now->options->json)
        cli_training_print_beginning(session);
    now->epoch_steps = code == CLI_DONE ? thaw_trainer_epoch_steps(trainer) : 0;
    if (code == CLI_DONE && thaw_trainer_done(trainer))
        now->last = *thaw_trainer_result(trainer); /* of a run that continues after its last epoch */
    while (code == CLI_DONE && now->signal == 0 && !thaw_trainer_done(trainer)) {
        status = run_epoch(trainer, log);
        if (status == THAW_OK) {
            now->last = *thaw_trainer_result(trainer);
            cli_training_print_epoch(now);
            now->signal = cli_ranks_signal(now->ranks);
        }
        if (now->signal < 0 || (status != THAW_OK && status != THAW_STOPPED)) {
            cli_progress_clear(&now->progress);
            code = now->signal < 0 ? CLI_FAILED : cli_check(session->context, status, "training");
            keep_broken(session, now, status);
        }
    }
    cli_progress_clear(&now->progress);
    thaw_run_log_close(log);
    thaw_action_log_close(now->actions);
    now->actions = NULL;
    if (trainer)
        keep_checkpoint(trainer, session, now, now->signal > 0);
    if (code == CLI_DONE && now->ranks->rank == 0 && now->signal == 0)
        code = cli_print_target_figures(session, session->test);
    if (code == CLI_DONE && now->ranks->rank == 0)
        code = save(trainer, session, now);
    thaw_trainer_destroy(trainer);
    return code;
}

static thaw_fit_options describe_fit(const cli_session *session, cli_training *now)
{
    const cli_options *options = session->options;
    return (thaw_fit_options){
        .epochs = (int)options->epochs,
        .batch = (int64_t)options->batch,
        .drop_last = options->drop_last,
        .schedule = session->schedule,
        .clip_norm = options->clip_norm,
        .mixing = { .mixup = options->mixup,
                    .cutmix = options->cutmix,
                    .feature_mixup = options->feature_mixup,
                    .feature_noise = options->feature_noise },
        .average_decay = options->average_decay,
        .shards = (int64_t)(options->accumulate ? options->accumulate : options->shards),
        .test = session->test,
        .test_every = (int)options->test_every,
        .strategy = session->strategy.rule_count ? &session->strategy : NULL,
        .policy = session->policy,
        .head = session->head,
        .communicator = now->ranks->communicator,
        .checkpoint = {
            .folder = options->checkpoint,
            .every_steps = options->checkpoint_every.steps,
            .every_seconds = options->checkpoint_every.seconds,
            .every_epochs = (int)options->checkpoint_every.epochs,
            .keep = (int)options->keep,
            .resume = options->resume,
            .description = session->description,
        },
        .best = { .file = options->best, .monitor = options->monitor, .patience = (int)options->patience },
        .on_step = on_step,
        .on_test = on_test,
        .on_rule = options->json ? cli_training_on_rule : NULL,
        .on_action = cli_policy_on_action,
        .user = now,
    };
}

static int fit(cli_session *session, cli_ranks *ranks)
{
    const cli_options *options = session->options;
    cli_training now = {
        .options = options,
        .ranks = ranks,
        .progress = cli_progress_begin(ranks->rank > 0 || (options->json && isatty(STDOUT_FILENO))),
        .rules = json_array(),
    };
    thaw_fit_options fit_options = describe_fit(session, &now);
    int code = ranks->communicator ? CLI_DONE : cli_cache_choose(session, &fit_options, &now.cache_path);
    cli_ranks_begin(ranks);
    if (code == CLI_DONE)
        code = cli_average_name(options, &now.average);
    if (code == CLI_DONE)
        code = run_epochs(session, &fit_options, &now);
    cli_ranks_end(ranks, code);
    json_decref(now.rules);
    if (code == CLI_DONE && ranks->rank == 0)
        code = cli_training_print_end(&now, now.signal > 0);
    if (code == CLI_DONE && ranks->rank == 0 && now.signal == 0)
        code = cli_training_check_end(&now);
    free(now.cache_path);
    free(now.checkpoint);
    free(now.average);
    return code == CLI_DONE && now.signal > 0 ? CLI_SIGNALLED + now.signal : code;
}

/* What can fail before the ranks open the data together. */
static int begin(cli_session *session, const cli_options *options, const cli_ranks *ranks)
{
    int code = cli_training_check_shards(options, ranks);
    if (code == CLI_DONE)
        code = cli_session_open(session, options);
    return code == CLI_DONE ? cli_strategy_read(session) : code;
}

/* All else that can fail before the first step. */
static int prepare(cli_session *session, const cli_ranks *ranks)
{
    cli_ranks_begin(ranks);
    int code = cli_ranks_open_data(ranks, session);
    if (code == CLI_DONE)
        code = cli_session_complete(session);
    if (code == CLI_DONE)
        code = cli_training_check_built(session, ranks);
    return code == CLI_DONE ? cli_notes_write(session) : code;
}

static int train(const cli_options *given)
{
    cli_ranks ranks;
    cli_session session = { 0 };
    cli_options options = *given;
    int code = cli_training_check_line(given);
    const int opened = cli_ranks_open(&ranks, &options);
    if (code == CLI_DONE)
        code = opened;
    if (code == CLI_DONE)
        code = begin(&session, &options, &ranks);
    code = cli_ranks_meet(&ranks, code);
    if (code == CLI_DONE)
        code = cli_ranks_meet(&ranks, prepare(&session, &ranks));
    if (code == CLI_DONE)
        code = fit(&session, &ranks);
    if (session.options)
        cli_session_close(&session);
    return cli_ranks_close(&ranks, code);
}

enum {
    BOTH = CLI_MODEL | CLI_DATA | CLI_TEST_DATA | CLI_RULES | CLI_BATCH | CLI_TRAINING | CLI_PRECISION |
           CLI_FROZEN_PRECISION | CLI_STRATEGY | CLI_HEAD | CLI_COMMON
};

const cli_command cli_train = {
    .name = "train",
    .summary = "train a network from scratch",
    .description = "Train a network from scratch.",
    .examples = "  thaw train --model transfer-cnn --data fashion-mnist:classes=0-4 \\\n"
                "             --epochs 3 --save source.safetensors\n"
                "  thaw train --model resnet18 --data 'folder:flowers;size=64' \\\n"
                "             --optimizer sgd:lr=0.1,momentum=0.9 --schedule cosine --epochs 30 \\\n"
                "             --checkpoint run --checkpoint-every 10m --resume\n",
    .takes = BOTH,
    .needs = CLI_MODEL | CLI_DATA,
    .run = train,
};

const cli_command cli_finetune = {
    .name = "finetune",
    .summary = "fine-tune a network from saved weights",
    .description = "Fine-tune a network from saved weights.",
    .examples = "  thaw finetune --model transfer-cnn --load source.safetensors \\\n"
                "                --reset 'dense*' --freeze 'conv*' --unfreeze 'conv2@2' \\\n"
                "                --data fashion-mnist:classes=5-9 --epochs 3 \\\n"
                "                --save tuned.safetensors\n"
                "  thaw finetune --model resnet18 --load source.safetensors --reset fc \\\n"
                "                --strategy gradual --data 'folder:flowers;size=64' --epochs 10\n"
                "  thaw finetune --model resnet18 --load source.safetensors --reset fc \\\n"
                "                --policy auto:tolerance=0.5% --data 'folder:flowers;size=64' \\\n"
                "                --epochs 10\n"
                "  thaw finetune --model transfer-cnn --load source.safetensors \\\n"
                "                --reset dense2 --freeze '*' --unfreeze dense2 \\\n"
                "                --lora 'dense1.weight:rank=8,alpha=16' --merge \\\n"
                "                --data fashion-mnist:classes=5-9 --save tuned.safetensors\n",
    .takes = BOTH | CLI_LOAD | CLI_RESET,
    .needs = CLI_DATA | CLI_LOAD,
    .run = train,
};
