/* Optimizers, settings of groups, and freezing, as the options say. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/group.h"
#include "cli/numbers.h"
#include "cli/session.h"
#include "core/pattern.h"

static int set_optimizer(cli_session *session, const char *pattern, const char *description, const char *option)
{
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_optimizer_create(session->context, description, &optimizer);
    if (status == THAW_OK)
        status = thaw_select_optimizer(session->model, pattern, optimizer);
    thaw_optimizer_destroy(optimizer);
    return cli_check_option(session->context, status, option);
}

static int set_group(cli_session *session, const char *text)
{
    cli_group group;
    int code = cli_group_parse(text, &group);
    if (code != CLI_DONE)
        return code;
    thaw_model *model = session->model;
    if (group.optimizer)
        code = set_optimizer(session, group.pattern, group.optimizer, "--group");
    /* A new optimizer comes with a learning rate of its own, which an earlier setting must not hide. */
    if (code == CLI_DONE && (group.optimizer || !isnan(group.learning_rate)))
        code = cli_check_option(session->context, thaw_select_learning_rate(model, group.pattern, group.learning_rate),
                                "--group");
    if (code == CLI_DONE && (group.optimizer || !isnan(group.weight_decay)))
        code = cli_check_option(session->context, thaw_select_weight_decay(model, group.pattern, group.weight_decay),
                                "--group");
    cli_group_release(&group);
    return code;
}

/* ---------------------------------------------------------------- freezing */

static bool matches_something(thaw_model *model, const char *pattern)
{
    for (size_t i = 0; i < thaw_model_group_count(model); i++)
        if (thaw_pattern_matches(pattern, thaw_group_name(thaw_model_group(model, i))))
            return true;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++)
        if (thaw_pattern_matches(pattern, thaw_parameter_name(thaw_model_parameter(model, i))))
            return true;
    return false;
}

/* Adds what happens at a later epoch; its pattern is checked now and not when training has come so far. */
static int add_point(cli_session *session, const char *option, char *pattern, uint64_t epoch, bool freeze)
{
    const char *error = thaw_pattern_error(pattern);
    if (error)
        return cli_misuse(option, "\"%s\": %s", pattern, error);
    if (!matches_something(session->model, pattern))
        return cli_misuse(option, "\"%s\" matches no group and no parameter of %s", pattern, session->options->model);
    char *copy = strdup(pattern);
    if (!copy)
        return cli_fail(option, "out of memory");
    session->points[session->point_count++] =
        (thaw_thaw_point){ .epoch = (int)epoch, .pattern = copy, .freeze = freeze };
    return CLI_DONE;
}

/* PATTERN or PATTERN@EPOCH. */
static int set_trainability(cli_session *session, const char *text, bool freeze)
{
    const char *option = freeze ? "--freeze" : "--unfreeze";
    char *pattern = strdup(text);
    if (!pattern)
        return cli_fail(option, "out of memory");
    char *at = strrchr(pattern, '@');
    uint64_t epoch = 0;
    int code = CLI_DONE;
    if (at) {
        *at = '\0';
        if (!cli_parse_count(at + 1, 1, INT32_MAX, &epoch))
            code = cli_misuse(option, "\"%s\", must be PATTERN@EPOCH with an epoch from 1", text);
        else
            code = add_point(session, option, pattern, epoch, freeze);
    } else {
        code = cli_check_option(session->context,
                                freeze ? thaw_model_freeze(session->model, pattern)
                                       : thaw_model_unfreeze(session->model, pattern),
                                option);
    }
    free(pattern);
    return code;
}

static int apply(cli_session *session, const cli_rule *rule)
{
    switch (rule->kind) {
    case CLI_RULE_FREEZE:
        return set_trainability(session, rule->text, true);
    case CLI_RULE_UNFREEZE:
        return set_trainability(session, rule->text, false);
    case CLI_RULE_FREEZE_BEFORE:
        return cli_check_option(session->context, thaw_model_freeze_before(session->model, rule->text),
                                "--freeze-before");
    case CLI_RULE_GROUP:
        return set_group(session, rule->text);
    case CLI_RULE_LORA:
        return cli_add_adapters(session, rule->text);
    case CLI_RULE_BIAS_ONLY:
        return cli_check_option(session->context, thaw_bias_only(session->model, rule->text), "--bias-only");
    case CLI_RULE_RESET: /* done when weights were loaded */
    case CLI_RULE_INPUT: /* of thaw report */
        break;
    }
    return CLI_DONE;
}

int cli_apply_rules(cli_session *session)
{
    const cli_options *options = session->options;
    session->points = calloc(options->rule_count + 1, sizeof *session->points);
    if (!session->points)
        return cli_fail("start", "out of memory");
    thaw_model_set_recompute(session->model, options->recompute);
    int code = set_optimizer(session, "*", options->optimizer, "--optimizer");
    for (size_t i = 0; i < options->rule_count && code == CLI_DONE; i++)
        code = apply(session, &options->rules[i]);
    return code;
}
