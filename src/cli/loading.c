/* Loads weights from a file, with the exceptions that --reset allows. */
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/renamings.h"
#include "cli/session.h"
#include "core/pattern.h"

/* Whether a --reset pattern matches the parameter or its group, which need not be in the model. An adapter is reset
   with its weight. */
static bool is_reset(const cli_options *options, const char *tensor)
{
    char *parameter = strdup(tensor), *adapter = parameter ? strstr(parameter, ".lora_") : NULL;
    if (adapter)
        *adapter = '\0';
    char *group = parameter ? strdup(parameter) : NULL;
    char *dot = group ? strrchr(group, '.') : NULL;
    bool found = false;
    if (dot)
        *dot = '\0';
    for (size_t i = 0; i < options->rule_count && group && !found; i++)
        found = options->rules[i].kind == CLI_RULE_RESET && (thaw_pattern_matches(options->rules[i].text, parameter) ||
                                                             thaw_pattern_matches(options->rules[i].text, group));
    free(group);
    free(parameter);
    return found;
}

/* The patterns of --reset as one; NULL without memory, "" without patterns. */
static char *join_resets(const cli_options *options)
{
    size_t bytes = 1;
    for (size_t i = 0; i < options->rule_count; i++)
        bytes += options->rules[i].kind == CLI_RULE_RESET ? strlen(options->rules[i].text) + 1 : 0;
    char *joined = calloc(bytes, 1), *end = joined;
    for (size_t i = 0; i < options->rule_count && joined; i++) {
        if (options->rules[i].kind != CLI_RULE_RESET)
            continue;
        if (end > joined)
            *end++ = '|';
        end = stpcpy(end, options->rules[i].text);
    }
    return joined;
}

static int add_adapters(cli_session *session)
{
    char *except = join_resets(session->options);
    if (!except)
        return cli_fail("--load", "out of memory");
    const thaw_status status =
        thaw_weights_add_adapters(session->model, session->options->load, *except ? except : NULL);
    free(except);
    return cli_check(session->context, status, "--load");
}

/* Whether every name in a comma-separated list is reset anyway. */
static bool all_reset(const cli_options *options, const char *names)
{
    char *copy = strdup(names), *rest = copy;
    bool all = copy != NULL;
    for (const char *name; all && (name = strsep(&rest, ","));) {
        name += strspn(name, " ");
        all = !*name || is_reset(options, name);
    }
    free(copy);
    return all;
}

int cli_check_resets(const cli_options *options)
{
    for (size_t i = 0; i < options->rule_count; i++) {
        const char *error =
            options->rules[i].kind == CLI_RULE_RESET ? thaw_pattern_error(options->rules[i].text) : NULL;
        if (error)
            return cli_misuse("--reset", "\"%s\": %s", options->rules[i].text, error);
    }
    return CLI_DONE;
}

static thaw_status load_with(const cli_session *session, const thaw_load_options *wanted, thaw_load_result *result)
{
    return session->from_folder ? thaw_model_folder_load(session->folder, session->model, wanted, result)
                                : thaw_weights_load(session->model, session->options->load, wanted, result);
}

/* Loads strictly. If that fails only because of what is reset afterwards, loads the rest. */
static int load(cli_session *session)
{
    const cli_options *options = session->options;
    thaw_load_result result = { 0 };
    cli_renamings renamings;
    int code = cli_renamings_parse(options, &renamings);
    if (code != CLI_DONE)
        return code;
    thaw_load_options wanted = { .renamings = renamings.items, .renaming_count = renamings.count };
    thaw_status status = load_with(session, &wanted, &result);
    const bool excused = (status == THAW_NOT_FOUND || status == THAW_SHAPE_MISMATCH) && result.missing_names &&
                         all_reset(options, result.missing_names) && all_reset(options, result.unexpected_names) &&
                         all_reset(options, result.misshaped_names);
    thaw_load_result_destroy(session->context, &result);
    if (excused) {
        wanted.allow_missing = wanted.allow_unexpected = wanted.allow_misshaped = true;
        status = load_with(session, &wanted, NULL);
    }
    cli_renamings_release(&renamings);
    return cli_check(session->context, status, "--load");
}

int cli_load_weights(cli_session *session)
{
    const cli_options *options = session->options;
    int code = options->load && !session->from_folder ? add_adapters(session) : CLI_DONE;
    if (code == CLI_DONE && options->load)
        code = load(session);
    for (size_t i = 0; i < options->rule_count && code == CLI_DONE; i++)
        if (options->rules[i].kind == CLI_RULE_RESET)
            code =
                cli_check_option(session->context, thaw_model_reset(session->model, options->rules[i].text), "--reset");
    return code;
}
