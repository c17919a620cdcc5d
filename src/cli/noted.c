#include "cli/noted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/model_folder.h"
#include "cli/network.h"
#include "cli/texts.h"
#include "core/printable.h"
#include "io/notes.h"

/* ---------------------------------------------------------------- data */

static int complete(cli_session *session, const char *option, char **own, const char **description)
{
    if (!*description)
        return CLI_DONE;
    const int code = cli_check_option(session->context, thaw_notes_complete(session->notes, *description, own), option);
    if (code == CLI_DONE)
        *description = *own;
    return code;
}

static bool resets(const cli_options *options)
{
    bool found = false;
    for (size_t i = 0; i < options->rule_count; i++)
        found |= options->rules[i].kind == CLI_RULE_RESET;
    return found;
}

/* Texts for a classifier that is trained anew are numbered by their own labels. */
static int forget_classes(cli_session *session)
{
    if (!resets(session->options) || !thaw_notes_find(session->notes, "thaw.text"))
        return CLI_DONE;
    return cli_check(session->context, thaw_notes_put(session->notes, "thaw.classes", NULL), "--load");
}

int cli_notes_open(cli_session *session)
{
    if (!session->options->load) {
        const int completed = cli_network_complete(session, NULL);
        return completed == CLI_DONE ? cli_texts_complete(session) : completed;
    }
    int code = session->from_folder
                   ? cli_folder_take_notes(session)
                   : cli_check(session->context,
                               thaw_notes_read(session->context, session->options->load, &session->notes), "--load");
    if (code == CLI_DONE)
        code = cli_network_complete(session, thaw_notes_find(session->notes, "thaw.model"));
    if (code == CLI_DONE)
        code = complete(session, "--data", &session->chosen_data, &session->chosen.data);
    if (code == CLI_DONE)
        code = cli_texts_complete(session);
    return code == CLI_DONE ? forget_classes(session) : code;
}

static bool has_classes(const thaw_dataset *dataset, char *const *names, size_t count)
{
    bool same = thaw_dataset_classes(dataset) == count;
    for (size_t i = 0; same && i < count; i++)
        same = strcmp(thaw_dataset_class_name(dataset, i), names[i]) == 0;
    return same;
}

static int match(cli_session *session, const char *option, thaw_dataset **dataset)
{
    thaw_context *context = session->context;
    char **names;
    size_t count;
    int code = cli_check(context, thaw_notes_classes(session->notes, &names, &count), "--load");
    if (code != CLI_DONE || !names || !thaw_dataset_class_name(*dataset, 0) || has_classes(*dataset, names, count)) {
        thaw_release(context, names);
        return code;
    }
    thaw_dataset *from = *dataset;
    session->replaced[session->replaced_count++] = from;
    const thaw_status status = thaw_dataset_match_names(context, from, (const char *const *)names, count, dataset);
    thaw_release(context, names);
    if (status != THAW_NOT_FOUND)
        return cli_check(context, status, option);
    const bool trains = dataset == &session->training || session->training;
    return cli_misuse(option, "%s, which %s is for; for other classes see %s--override", thaw_context_message(context),
                      session->options->load, trains ? "--reset and " : "");
}

int cli_notes_apply(cli_session *session, const char *option, thaw_dataset **dataset)
{
    const cli_options *options = session->options;
    if (!session->notes || !*dataset || options->override)
        return CLI_DONE;
    const thaw_status status = thaw_notes_check(session->notes, *dataset);
    if (status == THAW_INVALID_ARGUMENT)
        return cli_misuse(option, "%s; --override takes the option", thaw_context_message(session->context));
    const int code = cli_check(session->context, status, "--load");
    return code == CLI_DONE && !resets(options) ? match(session, option, dataset) : code;
}

/* ---------------------------------------------------------------- writing */

/* Arguments may be any bytes; notes are UTF-8. */
static char *printable(const char *text)
{
    const size_t capacity = 4 * strlen(text) + 1;
    char *copy = malloc(capacity);
    if (copy)
        thaw_copy_printable(copy, capacity, text);
    return copy;
}

int cli_notes_write(const cli_session *session)
{
    char *command = printable(session->options->line);
    if (!command)
        return cli_fail("start", "out of memory");
    thaw_status status = thaw_model_note_data(session->model, session->training);
    if (status == THAW_OK)
        status = thaw_model_set_note(session->model, "thaw.command", command);
    free(command);
    return cli_check(session->context, status, "start");
}

void cli_notes_close(cli_session *session)
{
    for (size_t i = 0; i < session->replaced_count; i++)
        thaw_dataset_destroy(session->replaced[i]);
    if (!session->from_folder)
        thaw_notes_destroy(session->notes);
    thaw_model_folder_destroy(session->folder);
    free(session->chosen_model);
    free(session->head_options);
    free(session->new_head);
    if (session->chosen_data)
        thaw_text_destroy(session->context, session->chosen_data);
    if (session->chosen_test_data)
        thaw_text_destroy(session->context, session->chosen_test_data);
}
