#include "cli/strategy.h"

#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/numbers.h"
#include "core/text.h"
#include "graph/model.h"
#include "policy/part.h"

static const char COMMAND_LINE[] = "of the command line";

int cli_strategy_read(cli_session *session)
{
    const cli_options *options = session->options;
    if (options->policy && (options->strategy || options->strategy_file))
        return cli_misuse("--policy", "a run has a policy or a strategy, not both");
    if (options->policy)
        return cli_check_option(session->context,
                                thaw_policy_create(session->context, options->policy, &session->policy), "--policy");
    if (!options->strategy && !options->strategy_file)
        return CLI_DONE;
    const thaw_status status =
        thaw_strategy_create(session->context, options->strategy, options->strategy_file, &session->named);
    const bool of_file = status == THAW_BAD_FORMAT || status == THAW_IO_ERROR || !options->strategy;
    return cli_check_option(session->context, status, of_file ? "--strategy-file" : "--strategy");
}

static void look_only(void *unused, thaw_selected selected)
{
    (void)unused, (void)selected;
}

/* Otherwise the context has a message with the nearest name. */
static bool matches_something(thaw_model *model, const char *pattern)
{
    return thaw_set_select(&model->parameters, pattern, look_only, NULL) == THAW_OK;
}

int cli_strategy_find_head(cli_session *session)
{
    const cli_options *options = session->options;
    thaw_text text = { .context = session->context };
    for (size_t i = 0; i < options->rule_count; i++)
        if (options->rules[i].kind == CLI_RULE_RESET)
            thaw_text_append(&text, "%s%s", text.length ? "|" : "", options->rules[i].text);
    const int code = cli_check(session->context, thaw_text_finish(&text, &session->reset), "--reset");
    session->head = options->head;
    if (code == CLI_DONE && !session->head && *session->reset)
        session->head = session->reset;
    if (code == CLI_DONE && !session->head)
        session->head = session->new_head;
    if (code == CLI_DONE && options->head && thaw_model_node_count(session->model) &&
        !matches_something(session->model, options->head))
        return cli_misuse("--head", "\"%s\" matches no group and no parameter of %s; a new head is linear or mlp:UNITS",
                          options->head, options->model);
    return code;
}

int cli_strategy_begin(cli_session *session)
{
    const thaw_strategy *named = session->named;
    const size_t named_count = named ? named->rule_count : 0;
    session->rules = calloc(named_count + session->options->rule_count + 1, sizeof *session->rules);
    session->own = calloc(session->options->rule_count + 1, sizeof *session->own);
    if (!session->rules || !session->own)
        return cli_fail("start", "out of memory");
    for (size_t i = 0; i < named_count; i++)
        session->rules[i] = named->rules[i];
    session->strategy = (thaw_strategy){ .name = named ? named->name : COMMAND_LINE,
                                         .rules = session->rules,
                                         .rule_count = named_count };
    return named ? cli_check_option(session->context,
                                    thaw_strategy_check(named, session->model, session->head,
                                                        (int)session->options->epochs),
                                    session->options->strategy ? "--strategy" : "--strategy-file")
                 : CLI_DONE;
}

/* Checks the rule now, not in the middle of training. */
static int add_rule(cli_session *session, const char *option, const thaw_strategy_rule *rule)
{
    const char *error = thaw_part_error(rule->pattern);
    if (error)
        return cli_misuse(option, "\"%s\": %s", rule->pattern, error);
    if (rule->pattern[0] != '@' && !matches_something(session->model, rule->pattern))
        return cli_misuse(option, "%s", thaw_context_message(session->context));
    const thaw_strategy alone = { .name = COMMAND_LINE, .rules = rule, .rule_count = 1 };
    const int code =
        cli_check_option(session->context,
                         thaw_strategy_check(&alone, session->model, session->head, (int)session->options->epochs),
                         option);
    if (code == CLI_DONE && session->policy)
        return cli_misuse(option, "a run with --policy has no rules with an epoch");
    char *copy = code == CLI_DONE ? strdup(rule->pattern) : NULL;
    if (code != CLI_DONE || !copy)
        return code != CLI_DONE ? code : cli_fail(option, "out of memory");
    session->own[session->own_count++] = copy;
    session->rules[session->strategy.rule_count] = *rule;
    session->rules[session->strategy.rule_count++].pattern = copy;
    return CLI_DONE;
}

/* A part's name begins with @, which does not start an epoch. */
static char *find_epoch(char *text)
{
    char *at = strrchr(text, '@');
    return at == text ? NULL : at;
}

static int set_now(const cli_session *session, const char *option, const thaw_strategy_rule *rule)
{
    thaw_status status;
    if (rule->pattern[0] == '@') {
        const thaw_strategy alone = { .name = COMMAND_LINE, .rules = rule, .rule_count = 1 };
        status = thaw_strategy_apply(&alone, session->model, session->head, 1, 1);
    } else {
        status = rule->action == THAW_ACTION_FREEZE ? thaw_model_freeze(session->model, rule->pattern)
                                                    : thaw_model_unfreeze(session->model, rule->pattern);
    }
    return cli_check_option(session->context, status, option);
}

int cli_strategy_set(cli_session *session, const char *text, thaw_action action)
{
    const char *option = action == THAW_ACTION_FREEZE ? "--freeze" : "--unfreeze";
    char *pattern = strdup(text);
    if (!pattern)
        return cli_fail(option, "out of memory");
    char *at = find_epoch(pattern);
    thaw_strategy_rule rule = { .pattern = pattern, .action = action };
    uint64_t epoch = 0;
    int code;
    if (at && !cli_parse_count(at + 1, 1, INT32_MAX, &epoch)) {
        code = cli_misuse(option, "\"%s\", must be PATTERN@EPOCH with an epoch from 1", text);
    } else if (at) {
        *at = '\0';
        rule.epoch = (int)epoch;
        code = add_rule(session, option, &rule);
    } else {
        code = set_now(session, option, &rule);
    }
    free(pattern);
    return code;
}

int cli_strategy_apply(cli_session *session, uint64_t epoch)
{
    thaw_status status = THAW_OK;
    for (uint64_t i = 1; session->strategy.rule_count && i <= epoch && status == THAW_OK; i++)
        status = thaw_strategy_apply(&session->strategy, session->model, session->head, (int)i,
                                     (int)session->options->epochs);
    return cli_check(session->context, status, "plan");
}
