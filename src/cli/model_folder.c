#include "cli/model_folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/failure.h"
#include "cli/network.h"

/* The characters of the path, up to the options: a colon in the last name of the path. */
static size_t path_length(const char *model)
{
    size_t end = strlen(model);
    while (end > 1 && model[end - 1] == '/')
        end--;
    const char *slash = memrchr(model, '/', end);
    return strcspn(slash ? slash : model, ":") + (slash ? (size_t)(slash - model) : 0);
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static bool is_known(const char *name, size_t length)
{
    const thaw_zoo_entry *entry;
    for (size_t i = 0; (entry = thaw_zoo_entry_at(i)); i++)
        if (strlen(entry->name) == length && strncmp(entry->name, name, length) == 0)
            return true;
    return false;
}

bool cli_is_model_folder(const char *model)
{
    const size_t length = path_length(model);
    char *path = is_known(model, length) ? NULL : strndup(model, length);
    const bool found = path && is_folder(path);
    free(path);
    return found;
}

bool cli_model_path_is_missing(const char *model)
{
    struct stat about;
    char *path = strchr(model, '/') ? strndup(model, path_length(model)) : NULL;
    const bool missing = path && stat(path, &about) != 0;
    free(path);
    return missing;
}

int cli_folder_open(cli_session *session)
{
    const char *model = session->options->model;
    if (!model || !cli_is_model_folder(model))
        return CLI_DONE;
    const size_t length = path_length(model);
    const char *options = model[length] == ':' ? model + length + 1 : "";
    char *path = strndup(model, length);
    if (!path)
        return cli_fail("--model", "out of memory");
    const thaw_status status = thaw_model_folder_open(session->context, path, &session->folder);
    free(path);
    if (status != THAW_OK)
        return cli_check(session->context, status, "--model");
    session->chosen_model = cli_network_with(session, thaw_model_folder_description(session->folder), options);
    if (!session->chosen_model)
        return cli_fail("--model", "out of memory");
    session->chosen.model = session->chosen_model;
    session->folder_options = *options != '\0';
    session->from_folder = !session->options->load;
    if (!session->from_folder)
        return CLI_DONE;
    session->chosen.load = thaw_model_folder_weights(session->folder);
    if (!session->options->data && !session->options->classes)
        session->chosen.classes = thaw_model_folder_classes(session->folder);
    return CLI_DONE;
}

int cli_folder_take_notes(cli_session *session)
{
    session->notes = (thaw_notes *)thaw_model_folder_notes(session->folder);
    return CLI_DONE;
}
