#include "cli/what_if.h"

#include <stdio.h>
#include <thaw/price.h>

#include "cli/epoch_table.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/random_batch.h"
#include "cli/shown.h"

bool cli_asks_what_if(const cli_options *options)
{
    for (size_t i = 0; i < options->rule_count; i++)
        if (options->rules[i].kind == CLI_RULE_WHAT_IF)
            return true;
    return false;
}

/* `part`: what would be frozen; NULL: nothing more than is. */
static int print_json(const char *part, const thaw_price *price)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("price"));
    json_object_set_new(object, "frozen", cli_json_text(part));
    json_object_set_new(object, "trainable_parameters", cli_json_count(price->trainable_parameters));
    json_object_set_new(object, "step_seconds", cli_json_real(price->step_seconds));
    json_object_set_new(object, "cached_step_seconds", cli_json_real(price->cached_step_seconds));
    json_object_set_new(object, "memory_bytes", cli_json_count(price->memory_bytes));
    json_object_set_new(object, "cache_sample_bytes", cli_json_count(price->cache_sample_bytes));
    return cli_json_print(object);
}

static int print_row(const char *part, const thaw_price *price, const thaw_price *now)
{
    char memory[CLI_SIZE_BYTES], cache[CLI_SIZE_BYTES] = "-", cached[CLI_SECONDS_BYTES] = "-", faster[16] = "-";
    if (price->cache_sample_bytes) {
        cli_format_bytes(cache, price->cache_sample_bytes);
        snprintf(cached, sizeof cached, "%.3f", price->cached_step_seconds * 1e3);
    }
    if (part)
        snprintf(faster, sizeof faster, "%.2f", now->step_seconds / price->step_seconds);
    printf("%12.3f %7s %15s %10s %14s %12zu  %s\n", price->step_seconds * 1e3, faster, cached,
           cli_format_bytes(memory, price->memory_bytes), cache, price->trainable_parameters,
           part ? cli_show(part).text : "(as it is)");
    return CLI_DONE;
}

static int print_prices(const cli_session *session, const thaw_price_list *list)
{
    const cli_options *options = session->options;
    thaw_price now, price;
    int code = cli_check(session->context, thaw_plan_price(list, session->head, NULL, 0, &now), "plan");
    if (code == CLI_DONE && !options->json)
        printf("%12s %7s %15s %10s %14s %12s  %s\n", "step ms", "faster", "cached step ms", "memory", "cache a sample",
               "trainable", "frozen");
    if (code == CLI_DONE)
        code = options->json ? print_json(NULL, &now) : print_row(NULL, &now, &now);
    for (size_t i = 0; i < options->rule_count && code == CLI_DONE; i++) {
        const char *part = options->rules[i].text;
        if (options->rules[i].kind != CLI_RULE_WHAT_IF)
            continue;
        code = cli_check_option(session->context, thaw_plan_price(list, session->head, &part, 1, &price), "--what-if");
        if (code == CLI_DONE)
            code = options->json ? print_json(part, &price) : print_row(part, &price, &now);
    }
    return code;
}

int cli_what_if(const cli_session *session)
{
    const cli_options *options = session->options;
    cli_random_batch batch;
    thaw_price_list *list = NULL;
    if (options->inference || options->program || options->profile)
        return cli_misuse("--what-if", "cannot be combined with %s",
                          options->inference ? "--inference: it prices training steps"
                          : options->program ? "--program"
                                             : "--profile");
    int code = cli_random_batch_create(session, &batch);
    if (code != CLI_DONE)
        return code;
    code =
        cli_check(session->context,
                  thaw_price_list_measure(session->model, batch.inputs, &batch.targets, options->steps, &list), "plan");
    if (code == CLI_DONE)
        code = print_prices(session, list);
    thaw_price_list_destroy(list);
    cli_random_batch_release(&batch);
    return code;
}
