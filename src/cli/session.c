#include "cli/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/notes.h>

#include "cli/context.h"
#include "cli/failure.h"
#include "cli/loss.h"
#include "cli/model_folder.h"
#include "cli/network.h"
#include "cli/noted.h"
#include "cli/strategy.h"
#include "train/inputs.h"

/* Checks the command line before reading files, which takes longer. */
static int check_early(cli_session *session)
{
    const cli_options *options = session->options;
    thaw_context *context = session->context;
    int code = cli_check_resets(options);
    if (code == CLI_DONE)
        code = cli_folder_open(session);
    if (code == CLI_DONE)
        code = cli_check_loss(options);
    if (code == CLI_DONE)
        code = cli_network_begin(session);
    if (code == CLI_DONE && options->schedule)
        code = cli_check_option(context, thaw_schedule_parse(context, options->schedule, &session->schedule),
                                "--schedule");
    if (code == CLI_DONE) {
        thaw_optimizer *optimizer = NULL;
        code = cli_check_option(context, thaw_optimizer_create(context, options->optimizer, &optimizer), "--optimizer");
        thaw_optimizer_destroy(optimizer);
    }
    return code;
}

int cli_session_open(cli_session *session, const cli_options *options)
{
    *session = (cli_session){ .options = &session->chosen, .chosen = *options };
    const thaw_context_options context_options = { .threads = (int)options->threads,
                                                   .seed = options->seed,
                                                   .log = cli_log };
    const int code = cli_context_create(&context_options, &session->context);
    if (code != CLI_DONE)
        return code;
    thaw_context_limit_data(session->context, options->max_bytes);
    const thaw_status status = thaw_model_create(session->context, &session->model);
    if (status != THAW_OK)
        return cli_check(session->context, status, "start");
    const int early = check_early(session);
    return early == CLI_DONE ? cli_notes_open(session) : early;
}

int cli_session_build(cli_session *session, const cli_options *options)
{
    int code = cli_session_open(session, options);
    if (code == CLI_DONE)
        code = cli_strategy_read(session);
    if (code == CLI_DONE && options->data)
        code = cli_open_data(session);
    return code == CLI_DONE ? cli_session_complete(session) : code;
}

int cli_session_complete(cli_session *session)
{
    int code = cli_build_model(session, session->training);
    if (code == CLI_DONE)
        code = cli_load_weights(session);
    return code == CLI_DONE ? cli_apply_rules(session) : code;
}

void cli_session_close(cli_session *session)
{
    thaw_model_destroy(session->model);
    thaw_dataset_destroy(session->training);
    thaw_dataset_destroy(session->test);
    free(session->description);
    cli_notes_close(session);
    for (size_t i = 0; i < session->own_count; i++)
        free(session->own[i]);
    free((void *)session->own);
    free(session->rules);
    thaw_strategy_destroy(session->context, session->named);
    thaw_policy_destroy(session->policy);
    if (session->reset)
        thaw_text_destroy(session->context, session->reset);
    thaw_context_destroy(session->context);
}

/* ---------------------------------------------------------------- data */

/* Of opening data by a description, which may want the targets to be standardised where the weights' are not, or not
   where they are. */
static int check_opening(const cli_session *session, thaw_status status, const char *option, const char *description,
                         const thaw_notes *notes)
{
    const char *task = notes ? thaw_notes_find(notes, "thaw.task") : NULL;
    if (status == THAW_INVALID_ARGUMENT && task && strcmp(task, "regression") == 0 &&
        strstr(description, thaw_notes_find(notes, "thaw.targets") ? "scale-target=no" : "scale-target=yes"))
        return cli_misuse(option, "%s; --override takes the option", thaw_context_message(session->context));
    return cli_check_option(session->context, status, option);
}

int cli_open_test_data(cli_session *session, const char *option, const char *description)
{
    const thaw_notes *notes = session->options->override ? NULL : session->notes;
    thaw_status status = thaw_dataset_open_noted(session->context, notes, description, NULL, &session->test);
    if (status == THAW_OK && !session->test)
        status = thaw_dataset_open_noted(session->context, notes, description, &session->test, NULL);
    const int code = check_opening(session, status, option, description, notes);
    return code == CLI_DONE ? cli_notes_apply(session, option, &session->test) : code;
}

/* Gives the test data the labels of the training data's classes, if both have names. */
static int match_classes(cli_session *session)
{
    if (!thaw_dataset_class_name(session->training, 0) || !thaw_dataset_class_name(session->test, 0))
        return CLI_DONE;
    thaw_dataset *from = session->test;
    session->replaced[session->replaced_count++] = from;
    return cli_check_option(session->context,
                            thaw_dataset_match_classes(session->context, from, session->training, &session->test),
                            "--test-data");
}

/* Whether the test data fits a model that was built for the training data. */
static int check_match(const cli_session *session)
{
    const thaw_shape *trained = thaw_dataset_sample_shape(session->training);
    const thaw_shape *tested = thaw_dataset_sample_shape(session->test);
    char one[80], other[80];
    if (!thaw_shape_equal(trained, tested))
        return cli_fail("--test-data", "samples have shape %s, must have %s as the training data",
                        thaw_shape_format(tested, one, sizeof one), thaw_shape_format(trained, other, sizeof other));
    if (thaw_dataset_classes(session->test) > thaw_dataset_classes(session->training))
        return cli_fail("--test-data", "has %zu classes, must have at most %zu as the training data",
                        thaw_dataset_classes(session->test), thaw_dataset_classes(session->training));
    return CLI_DONE;
}

/* --sampling balanced. */
static int balance(cli_session *session)
{
    thaw_dataset *from = session->training;
    session->replaced[session->replaced_count++] = from;
    return cli_check_option(session->context, thaw_dataset_balance(session->context, from, 0, &session->training),
                            "--sampling");
}

int cli_open_data(cli_session *session)
{
    const cli_options *options = session->options;
    thaw_dataset **test = options->test_data ? NULL : &session->test;
    const thaw_notes *notes = options->override ? NULL : session->notes;
    const thaw_status status =
        thaw_dataset_open_noted(session->context, notes, options->data, &session->training, test);
    int code = check_opening(session, status, "--data", options->data, notes);
    if (code == CLI_DONE)
        code = cli_notes_apply(session, "--data", &session->training);
    if (code == CLI_DONE && test)
        code = cli_notes_apply(session, "--data", test);
    if (code == CLI_DONE && options->test_data)
        code = cli_check_option(session->context,
                                thaw_dataset_open_like(session->context, options->test_data, session->training,
                                                       &session->test),
                                "--test-data");
    if (code == CLI_DONE && options->test_data)
        code = match_classes(session);
    if (code == CLI_DONE && session->test)
        code = check_match(session);
    return code == CLI_DONE && options->sampling ? balance(session) : code;
}

/* ---------------------------------------------------------------- the network */

static int set_precision(const cli_session *session)
{
    const cli_precision all = session->options->precision, frozen = session->options->frozen_precision;
    const thaw_precision wanted = {
        .all = all.bfloat16 ? THAW_BF16 : THAW_F32,
        .frozen = frozen.bfloat16 ? THAW_BF16 : THAW_F32,
        .emulated = all.emulated || frozen.emulated,
    };
    return cli_check_option(session->context, thaw_model_set_precision(session->model, &wanted),
                            all.bfloat16 ? "--precision" : "--frozen-precision");
}

/* Without a head there is nothing to train on, but a network to look at. */
static int append_loss(cli_session *session, thaw_dataset *dataset, thaw_node outputs)
{
    const bool has_outputs = thaw_notes_find(thaw_model_notes(session->model), "thaw.outputs");
    if (dataset && !has_outputs)
        return cli_fail_headless(session);
    return has_outputs ? cli_append_loss(session, dataset, outputs) : CLI_DONE;
}

int cli_fail_headless(const cli_session *session)
{
    const char *model = session->options->model;
    return cli_misuse("--model", "%.*s: head=none leaves nothing to compute a loss of", (int)strcspn(model, ":"),
                      model);
}

/* Whether the data have what the network's inputs take. */
static int check_fields(cli_session *session, thaw_dataset *dataset)
{
    thaw_dataset *arranged;
    const int code = cli_check(session->context, thaw_match_fields(session->model, &dataset, &arranged), "--data");
    thaw_dataset_destroy(arranged);
    return code;
}

int cli_build_model(cli_session *session, thaw_dataset *dataset)
{
    const char *name = session->options->model;
    const size_t outputs = dataset ? cli_outputs_of(dataset) : (size_t)session->options->classes;
    const thaw_shape *samples = dataset ? thaw_dataset_sample_shape(dataset) : NULL;
    thaw_node node;
    char *description = dataset ? cli_network_fit(session, dataset) : strdup(name);
    if (!description)
        return cli_fail("start", "out of memory");
    int code = cli_check_option(session->context,
                                thaw_zoo_network_for(session->model, description, samples, outputs, &node), "--model");
    free(description);
    if (code == CLI_DONE)
        code = append_loss(session, dataset, node);
    free(session->description);
    session->description = cli_describe_training(session->options);
    if (!session->description)
        return cli_fail("start", "out of memory");
    if (code == CLI_DONE)
        code = set_precision(session);
    if (code != CLI_DONE || !dataset)
        return code;
    if (thaw_dataset_field_count(dataset) > 1)
        return check_fields(session, dataset);
    char wanted[80], found[80];
    const thaw_shape *input = thaw_model_node_shape(session->model, 0);
    if (thaw_shape_equal(input, thaw_dataset_sample_shape(dataset)))
        return CLI_DONE;
    return cli_fail("--data", "samples have shape %s, must have %s for %s",
                    thaw_shape_format(thaw_dataset_sample_shape(dataset), found, sizeof found),
                    thaw_shape_format(input, wanted, sizeof wanted), name);
}
