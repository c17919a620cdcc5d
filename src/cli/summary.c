/* thaw summary. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/session.h"

static int print_layer(const thaw_summary_entry *entry)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("layer"));
    json_object_set_new(object, "name", json_string(entry->name));
    json_object_set_new(object, "kind", json_string(entry->kind));
    json_object_set_new(object, "output_shape", cli_json_shape(&entry->output_shape));
    json_object_set_new(object, "parameters", cli_json_count(entry->parameters));
    json_object_set_new(object, "trainable_parameters", cli_json_count(entry->trainable));
    json_object_set_new(object, "statistics", cli_json_count(entry->statistics));
    json_object_set_new(object, "trainability", json_string(thaw_trainability_name(entry->trainability)));
    json_object_set_new(object, "learning_rate", cli_json_real(entry->learning_rate));
    json_object_set_new(object, "optimizer", entry->optimizer ? json_string(entry->optimizer) : json_null());
    json_object_set_new(object, "fallback", entry->fallback ? json_string(entry->fallback) : json_null());
    return cli_json_print(object);
}

static int print_totals(const thaw_model *model)
{
    const thaw_summary_totals totals = thaw_model_summary_totals(model);
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("summary"));
    json_object_set_new(object, "total_parameters", cli_json_count(totals.total_parameters));
    json_object_set_new(object, "trainable_parameters", cli_json_count(totals.trainable_parameters));
    json_object_set_new(object, "non_trainable_parameters", cli_json_count(totals.non_trainable_parameters));
    json_object_set_new(object, "statistics", cli_json_count(totals.statistics));
    return cli_json_print(object);
}

static int print_json(cli_session *session)
{
    int code = CLI_DONE;
    for (size_t i = 0; i < thaw_model_node_count(session->model) && code == CLI_DONE; i++) {
        thaw_summary_entry entry;
        code = cli_check(session->context, thaw_model_summary_entry(session->model, i, &entry), "summary");
        if (code == CLI_DONE)
            code = print_layer(&entry);
    }
    return code == CLI_DONE ? print_totals(session->model) : code;
}

static int print_text(cli_session *session)
{
    char *text = NULL;
    const int code = cli_check(session->context, thaw_model_summary(session->model, &text), "summary");
    if (code == CLI_DONE)
        fputs(text, stdout);
    thaw_text_destroy(session->context, text);
    return code;
}

static int summarize(const cli_options *options)
{
    cli_session session;
    int code = cli_session_build(&session, options);
    if (code == CLI_DONE)
        code = options->json ? print_json(&session) : print_text(&session);
    cli_session_close(&session);
    return code;
}

const cli_command cli_summary = {
    .name = "summary",
    .summary = "list layers, their parameters, and what trains",
    .description = "List the layers of a network, their parameters, and what trains.",
    .examples = "  thaw summary --model transfer-cnn --freeze 'conv*'\n",
    .takes = CLI_MODEL | CLI_CLASSES | CLI_RULES | CLI_HEAD | CLI_COMMON,
    .needs = CLI_MODEL,
    .run = summarize,
};
