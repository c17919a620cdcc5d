#include "cli/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"

bool cli_is_new_head(const char *text)
{
    return strcmp(text, "linear") == 0 || strcmp(text, "none") == 0 || strcmp(text, "mlp") == 0 || strchr(text, ':');
}

/* ---------------------------------------------------------------- options in a description */

/* The options in a description of a network, "a=1,b=2". */
static const char *options_of(const char *description)
{
    const char *slash = strrchr(description, '/'), *colon = strchr(slash ? slash : description, ':');
    return colon ? colon + 1 : "";
}

/* The characters before the options. */
static size_t name_length(const char *description)
{
    const char *options = options_of(description);
    return *options ? (size_t)(options - 1 - description) : strcspn(description, ":");
}

/* Finds the value of one option; NULL if it is not given. */
static const char *find_value(const char *options, const char *name, size_t name_bytes, size_t *length)
{
    for (const char *item = options; *item; item += strcspn(item, ","), item += *item == ',')
        if (strncmp(item, name, name_bytes) == 0 && item[name_bytes] == '=') {
            *length = strcspn(item, ",") - name_bytes - 1;
            return item + name_bytes + 1;
        }
    return NULL;
}

static bool gives(const char *options, const char *name, size_t name_bytes)
{
    size_t length;
    return find_value(options, name, name_bytes, &length) != NULL;
}

static bool is_option(const char *item, const char *name)
{
    return strncmp(item, name, strlen(name)) == 0 && item[strlen(name)] == '=';
}

/* Appends the noted options that are not given. The size is that of the data; initial values and dropout belong to a
   head. */
static void add_options(FILE *stream, const char *given, const char *noted)
{
    bool first = !*given;
    size_t head_length = 0;
    const char *head = find_value(given, "head", 4, &head_length);
    const bool no_head = head && head_length == 4 && strncmp(head, "none", 4) == 0;
    for (const char *item = noted; *item; item += strcspn(item, ","), item += *item == ',') {
        const size_t length = strcspn(item, ","), name = strcspn(item, "=");
        if (gives(given, item, name) || is_option(item, "size") || (head && is_option(item, "head-init")) ||
            (no_head && is_option(item, "dropout")))
            continue;
        fprintf(stream, "%s%.*s", first ? ":" : ",", (int)length, item);
        first = false;
    }
}

char *cli_network_compose(const char *base, size_t length, const char *options, const char *noted)
{
    char *composed = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&composed, &bytes);
    if (!stream)
        return NULL;
    fprintf(stream, "%.*s%s%s", (int)length, base, *options ? ":" : "", options);
    add_options(stream, options, options_of(noted));
    if (fclose(stream) == 0)
        return composed;
    free(composed);
    return NULL;
}

char *cli_network_with(const cli_session *session, const char *whole, const char *options)
{
    const char *size = strstr(whole, "size=");
    const size_t name = strcspn(whole, ":");
    const bool sized = !session->options->data && size && !strstr(options, "size=");
    char *given = NULL, *made;
    if (asprintf(&given, "%s%s%.*s", options, sized && *options ? "," : "", sized ? (int)strcspn(size, ",") : 0,
                 size ? size : "") < 0)
        return NULL;
    made = cli_network_compose(whole, name, given, whole);
    free(given);
    return made;
}

static int take(cli_session *session, char *description)
{
    if (!description)
        return cli_fail("--model", "out of memory");
    free(session->chosen_model);
    session->chosen_model = description;
    session->chosen.model = description;
    return CLI_DONE;
}

static int check_model(const cli_session *session)
{
    return cli_check_option(session->context, thaw_zoo_check(session->context, session->options->model), "--model");
}

/* ---------------------------------------------------------------- the options of the head */

/* Appends one to those of the head. Checked alone, so that the message names the option. */
static int add_head_option(cli_session *session, const char *option, const char *name, const char *value)
{
    char *alone = NULL, *joined = NULL;
    const char *before = session->head_options ? session->head_options : "";
    const char *network = session->options->model ? session->options->model : "mlp-500"; /* any */
    if (asprintf(&alone, "%.*s:%s=%s", (int)name_length(network), network, name, value) < 0)
        return cli_fail(option, "out of memory");
    const int code = cli_check_option(session->context, thaw_zoo_check(session->context, alone), option);
    free(alone);
    if (code != CLI_DONE)
        return code;
    if (asprintf(&joined, "%s%s%s=%s", before, *before ? "," : "", name, value) < 0)
        return cli_fail(option, "out of memory");
    free(session->head_options);
    session->head_options = joined;
    return CLI_DONE;
}

/* Moves the options to `head_options`, so that a session opened with the same options does not have them twice. */
static int read_head_options(cli_session *session)
{
    cli_options *chosen = &session->chosen;
    int code = CLI_DONE;
    if (chosen->head && cli_is_new_head(chosen->head)) {
        code = add_head_option(session, "--head", "head", chosen->head);
        chosen->head = NULL;
    }
    if (code == CLI_DONE && chosen->dropout)
        code = add_head_option(session, "--dropout", "dropout", chosen->dropout);
    if (code == CLI_DONE && chosen->head_init)
        code = add_head_option(session, "--head-init", "head-init", chosen->head_init);
    chosen->dropout = chosen->head_init = NULL;
    return code;
}

int cli_network_begin(cli_session *session)
{
    int code = session->options->model ? check_model(session) : CLI_DONE;
    if (code == CLI_DONE)
        code = read_head_options(session);
    const char *model = session->options->model;
    if (code != CLI_DONE || !session->head_options || !model)
        return code;
    char *joined = NULL;
    if (session->folder) /* whose own options of the head count no more */
        joined = cli_network_with(session, model, session->head_options);
    else if (asprintf(&joined, "%s%c%s", model, *options_of(model) ? ',' : ':', session->head_options) < 0)
        joined = NULL;
    code = take(session, joined);
    return code == CLI_DONE ? check_model(session) : code;
}

/* ---------------------------------------------------------------- the file's network */

/* The pattern of the head's groups. NULL: out of memory, or no network of the zoo. */
static char *find_head(const char *description)
{
    const size_t length = name_length(description);
    const thaw_zoo_entry *entry;
    char *pattern = NULL;
    for (size_t i = 0; (entry = thaw_zoo_entry_at(i)); i++)
        if (strlen(entry->name) == length && strncmp(entry->name, description, length) == 0)
            return asprintf(&pattern, "%s|%s.*", entry->head, entry->head) < 0 ? NULL : pattern;
    return NULL;
}

static bool same_head(const char *options, const char *noted)
{
    size_t length = 0, noted_length = 0;
    const char *head = find_value(options, "head", 4, &length), *other = find_value(noted, "head", 4, &noted_length);
    return head && other && length == noted_length && strncmp(head, other, length) == 0;
}

/* A new head is the head for strategies. What --load does with --reset's patterns it also does with its pattern. */
static int find_new_head(cli_session *session, const char *noted)
{
    const char *model = session->options->model, *options = options_of(model);
    if (!gives(options, "head", 4) || same_head(options, noted ? options_of(noted) : ""))
        return CLI_DONE;
    session->new_head = find_head(model);
    if (session->new_head && session->options->load && session->options->resets)
        session->chosen.rules[session->chosen.rule_count++] = (cli_rule){ CLI_RULE_RESET, session->new_head };
    return CLI_DONE;
}

/* By name; a shared object may have moved. */
static bool same_network(const char *given, const char *noted)
{
    const char *slash = strrchr(given, '/'), *other_slash = strrchr(noted, '/');
    const char *name = slash ? slash + 1 : given, *other = other_slash ? other_slash + 1 : noted;
    const size_t length = strcspn(name, ":");
    return !slash == !other_slash && strcspn(other, ":") == length && strncmp(name, other, length) == 0;
}

int cli_network_complete(cli_session *session, const char *noted)
{
    const cli_options *options = session->options;
    const char *given = options->model;
    if (!noted && !given && options->load)
        return cli_misuse("--model", "is missing, and %s does not name a network", options->load);
    if (!given && !noted)
        return CLI_DONE;
    const char *base = given ? given : noted;
    const size_t name = name_length(noted ? noted : given);
    if (!given && memchr(noted, '/', name))
        return cli_misuse("--model", "is missing: the network of %s is code in %.*s, which must be named to be loaded",
                          options->load, (int)(name < 100 ? name : 100), noted);
    const bool same = !noted || !given || same_network(given, noted);
    if (!same && !options->override)
        return cli_misuse("--model", "\"%s\", but %s has weights of %.*s; --override takes the option", given,
                          options->load, (int)(name < 100 ? name : 100), noted);
    int code = CLI_DONE;
    if (noted && same) {
        const char *own = given ? options_of(given) : session->head_options ? session->head_options : "";
        code = take(session, cli_network_compose(base, name_length(base), own, noted));
        if (code == CLI_DONE)
            code = check_model(session);
    }
    return code == CLI_DONE ? find_new_head(session, same ? noted : NULL) : code;
}

/* ---------------------------------------------------------------- the data's shape */

/* The description with another option; NULL if the network does not take it, or without memory. */
static char *add_option(const cli_session *session, const char *model, const char *option)
{
    char *longer = NULL;
    if (asprintf(&longer, "%s%c%s", model, *options_of(model) ? ',' : ':', option) < 0)
        return NULL;
    if (thaw_zoo_check(session->context, longer) == THAW_OK)
        return longer;
    free(longer);
    return NULL;
}

/* The length of texts; 0: the data are something else. */
static size_t length_of_texts(const thaw_dataset *dataset)
{
    thaw_field field;
    for (size_t i = 0; i < thaw_dataset_field_count(dataset); i++)
        if (thaw_dataset_field_at(dataset, i, &field) == THAW_OK && field.name && strcmp(field.name, "token_ids") == 0)
            return thaw_shape_count(&field.shape);
    return 0;
}

static char *fit_texts(const cli_session *session, size_t length)
{
    const char *model = session->options->model;
    char option[48], *fitted;
    snprintf(option, sizeof option, "length=%zu", length);
    fitted = gives(options_of(model), "length", 6) ? NULL : add_option(session, model, option);
    return fitted ? fitted : strdup(model);
}

/* Tells a network that embeds categories where they are. Takes the description over, which may be NULL. */
static char *fit_categories(const cli_session *session, const thaw_dataset *dataset, char *model)
{
    enum { MOST = 64, LONGEST = 48 };
    thaw_category_column columns[MOST];
    char option[MOST * LONGEST] = "categories", *fitted;
    size_t count = 0, length = strlen(option);
    if (!model || !gives(options_of(model), "embed", 5) || gives(options_of(model), "categories", 10) ||
        thaw_dataset_categories(dataset, columns, MOST, &count) != THAW_OK || count == 0 || count > MOST)
        return model;
    for (size_t i = 0; i < count; i++)
        length += (size_t)snprintf(option + length, sizeof option - length, "%c%zu:%zu", i ? 'x' : '=',
                                   columns[i].first, columns[i].count);
    fitted = add_option(session, model, option);
    if (!fitted)
        return model;
    free(model);
    return fitted;
}

char *cli_network_fit(const cli_session *session, const thaw_dataset *dataset)
{
    const char *model = session->options->model, *options = options_of(model);
    const thaw_shape *samples = thaw_dataset_sample_shape(dataset);
    const size_t texts = length_of_texts(dataset);
    if (texts)
        return fit_texts(session, texts);
    char option[256] = "input";
    size_t length = strlen(option);
    if (gives(options, "size", 4) || gives(options, "input", 5))
        return strdup(model);
    for (int i = 0; i < samples->rank; i++)
        length += (size_t)snprintf(option + length, sizeof option - length, "%c%lld", i ? 'x' : '=',
                                   (long long)samples->dims[i]);
    char *fitted = add_option(session, model, option);
    if (!fitted && samples->rank == 3 && samples->dims[0] == samples->dims[1]) {
        snprintf(option, sizeof option, "size=%lld", (long long)samples->dims[0]);
        fitted = add_option(session, model, option);
    }
    return fit_categories(session, dataset, fitted ? fitted : strdup(model));
}
