/* Applies options for optimizers, settings of groups, and freezing. */
#include <math.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/group.h"
#include "cli/session.h"
#include "cli/strategy.h"

/* `rate`: instead of the optimizer's learning rate; negative: keep that. */
static int set_optimizer(cli_session *session, const char *pattern, const char *description, double rate,
                         const char *option)
{
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_optimizer_create(session->context, description, &optimizer);
    if (status == THAW_OK && rate >= 0)
        status = thaw_optimizer_set(optimizer, "lr", rate);
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
        code = set_optimizer(session, group.pattern, group.optimizer, -1, "--group");
    /* A new optimizer has its own learning rate, which an earlier setting must not hide. */
    if (code == CLI_DONE && (group.optimizer || !isnan(group.learning_rate)))
        code = cli_check_option(session->context, thaw_select_learning_rate(model, group.pattern, group.learning_rate),
                                "--group");
    if (code == CLI_DONE && (group.optimizer || !isnan(group.weight_decay)))
        code = cli_check_option(session->context, thaw_select_weight_decay(model, group.pattern, group.weight_decay),
                                "--group");
    cli_group_release(&group);
    return code;
}

static int apply(cli_session *session, const cli_rule *rule)
{
    switch (rule->kind) {
    case CLI_RULE_FREEZE:
        return cli_strategy_set(session, rule->text, THAW_ACTION_FREEZE);
    case CLI_RULE_UNFREEZE:
        return cli_strategy_set(session, rule->text, THAW_ACTION_UNFREEZE);
    case CLI_RULE_FREEZE_BEFORE:
        return cli_check_option(session->context, thaw_model_freeze_before(session->model, rule->text),
                                "--freeze-before");
    case CLI_RULE_GROUP:
        return set_group(session, rule->text);
    case CLI_RULE_LORA:
        return cli_add_adapters(session, rule->text);
    case CLI_RULE_BIAS_ONLY:
        return cli_check_option(session->context, thaw_bias_only(session->model, rule->text), "--bias-only");
    case CLI_RULE_RESET:   /* done when weights were loaded */
    case CLI_RULE_INPUT:   /* of thaw report */
    case CLI_RULE_RENAME:  /* when weights are loaded */
    case CLI_RULE_TEXT:    /* of thaw predict and embed */
    case CLI_RULE_WHAT_IF: /* of thaw plan */
    case CLI_RULE_ARGUMENT:
        break;
    }
    return CLI_DONE;
}

/* Whether an optimizer's description sets its learning rate. */
static bool has_rate(const char *description)
{
    return strstr(description, ":lr=") || strstr(description, ",lr=");
}

/* --optimizer with --lr. */
static int set_common_optimizer(cli_session *session)
{
    const cli_options *options = session->options;
    if (options->learning_rate >= 0 && has_rate(options->optimizer))
        return cli_misuse("--lr", "cannot be used with lr= in --optimizer");
    return set_optimizer(session, "*", options->optimizer, options->learning_rate, "--optimizer");
}

int cli_apply_rules(cli_session *session)
{
    const cli_options *options = session->options;
    thaw_model_set_recompute(session->model, options->recompute);
    thaw_model_set_sync_batch_norm(session->model, options->sync_batch_norm);
    int code = set_common_optimizer(session);
    if (code == CLI_DONE)
        code = cli_strategy_find_head(session);
    if (code == CLI_DONE)
        code = cli_strategy_begin(session);
    for (size_t i = 0; i < options->rule_count && code == CLI_DONE; i++)
        code = apply(session, &options->rules[i]);
    return code;
}
