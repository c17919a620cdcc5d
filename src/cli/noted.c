#include "cli/noted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "core/printable.h"

/* ---------------------------------------------------------------- the network */

/* Whether a list of options "a=1,b=2" has one of this name, "b=". */
static bool gives(const char *options, const char *name, size_t length)
{
    for (const char *item = options; *item; item += strcspn(item, ","), item += *item == ',')
        if (strncmp(item, name, length) == 0)
            return true;
    return false;
}

/* Appends the noted options that are not given. The size is that of the data. */
static void add_options(FILE *stream, const char *given, const char *noted)
{
    bool first = !*given;
    for (const char *item = noted; *item; item += strcspn(item, ","), item += *item == ',') {
        const size_t length = strcspn(item, ","), name = strcspn(item, "=") + 1;
        if (gives(given, item, name) || strncmp(item, "size=", strlen("size=")) == 0)
            continue;
        fprintf(stream, "%s%.*s", first ? ":" : ",", (int)length, item);
        first = false;
    }
}

/* The options in a description of a network. */
static const char *options_of(const char *description)
{
    const char *colon = strchr(description, ':');
    return colon ? colon + 1 : "";
}

/* The description on the command line (NULL: the noted network), with the options of the noted one that it leaves
   out. */
static char *merge(const char *given, const char *noted)
{
    char *merged = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&merged, &bytes);
    if (!stream)
        return NULL;
    const char *base = given ? given : noted;
    fprintf(stream, "%.*s", given ? (int)strlen(base) : (int)strcspn(base, ":"), base);
    add_options(stream, given ? options_of(given) : "", options_of(noted));
    if (fclose(stream) == 0)
        return merged;
    free(merged);
    return NULL;
}

static int choose_model(cli_session *session)
{
    const cli_options *options = session->options;
    const char *given = options->model, *noted = thaw_notes_find(session->notes, "thaw.model");
    if (!noted)
        return given ? CLI_DONE : cli_misuse("--model", "is missing, and %s does not name a network", options->load);
    const size_t name = strcspn(noted, ":");
    const bool same = !given || (strcspn(given, ":") == name && strncmp(given, noted, name) == 0);
    if (!same && options->override)
        return CLI_DONE;
    if (!same)
        return cli_misuse("--model", "\"%s\", but %s has weights of %.*s; --override takes the option", given,
                          options->load, (int)(name < 100 ? name : 100), noted);
    session->chosen_model = merge(given, noted);
    if (!session->chosen_model)
        return cli_fail("--model", "out of memory");
    session->chosen.model = session->chosen_model;
    return cli_check_option(session->context, thaw_zoo_check(session->context, session->chosen_model), "--model");
}

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

int cli_notes_open(cli_session *session)
{
    if (!session->options->load)
        return CLI_DONE;
    int code = cli_check(session->context, thaw_notes_read(session->context, session->options->load, &session->notes),
                         "--load");
    if (code == CLI_DONE)
        code = choose_model(session);
    if (code == CLI_DONE)
        code = complete(session, "--data", &session->chosen_data, &session->chosen.data);
    if (code == CLI_DONE)
        code = complete(session, "--test-data", &session->chosen_test_data, &session->chosen.test_data);
    return code;
}

static bool resets(const cli_options *options)
{
    bool found = false;
    for (size_t i = 0; i < options->rule_count; i++)
        found |= options->rules[i].kind == CLI_RULE_RESET;
    return found;
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
    thaw_notes_destroy(session->notes);
    free(session->chosen_model);
    if (session->chosen_data)
        thaw_text_destroy(session->context, session->chosen_data);
    if (session->chosen_test_data)
        thaw_text_destroy(session->context, session->chosen_test_data);
}
