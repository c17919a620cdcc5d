#include "cli/contenders.h"

#include <stdlib.h>

#include "cli/failure.h"

static int read_strategies(cli_contenders *read, const cli_session *session)
{
    const cli_options *options = session->options;
    thaw_context *context = session->context;
    int code = cli_words_split("--strategies", options->strategies, false, &read->strategy_names);
    if (code != CLI_DONE)
        return code;
    read->strategies = calloc(read->strategy_names.count, sizeof *read->strategies);
    if (!read->strategies)
        return cli_fail("--strategies", "out of memory");
    for (; read->strategy_count < read->strategy_names.count && code == CLI_DONE;
         read->strategy_count += code == CLI_DONE) {
        const thaw_status status =
            thaw_strategy_create(context, read->strategy_names.items[read->strategy_count], options->strategy_file,
                                 &read->strategies[read->strategy_count]);
        const bool of_file = status == THAW_BAD_FORMAT || status == THAW_IO_ERROR;
        code = cli_check_option(context, status, of_file ? "--strategy-file" : "--strategies");
    }
    return code;
}

static int read_policies(cli_contenders *read, const cli_session *session)
{
    const cli_options *options = session->options;
    int code =
        options->policies ? cli_words_split("--policies", options->policies, true, &read->policy_names) : CLI_DONE;
    read->policies = calloc(read->policy_names.count + 1, sizeof *read->policies);
    if (code == CLI_DONE && !read->policies)
        return cli_fail("--policies", "out of memory");
    for (; read->policy_count < read->policy_names.count && code == CLI_DONE; read->policy_count += code == CLI_DONE)
        code = cli_check_option(session->context,
                                thaw_policy_create(session->context, read->policy_names.items[read->policy_count],
                                                   &read->policies[read->policy_count]),
                                "--policies");
    return code;
}

static int read_optimizers(cli_contenders *read, const cli_session *session)
{
    int code = cli_words_split("--optimizers", session->options->optimizers, true, &read->optimizers);
    for (size_t i = 0; i < read->optimizers.count && code == CLI_DONE; i++) {
        thaw_optimizer *optimizer = NULL;
        code = cli_check_option(session->context,
                                thaw_optimizer_create(session->context, read->optimizers.items[i], &optimizer),
                                "--optimizers");
        thaw_optimizer_destroy(optimizer);
    }
    return code;
}

int cli_contenders_read(cli_contenders *read, const cli_session *session)
{
    int code = read_strategies(read, session);
    if (code == CLI_DONE)
        code = read_policies(read, session);
    return code == CLI_DONE ? read_optimizers(read, session) : code;
}

void cli_contenders_release(cli_contenders *read, const cli_session *session)
{
    for (size_t i = 0; i < read->strategy_count; i++)
        thaw_strategy_destroy(session->context, read->strategies[i]);
    for (size_t i = 0; i < read->policy_count; i++)
        thaw_policy_destroy(read->policies[i]);
    free(read->strategies);
    free(read->policies);
    cli_words_release(&read->strategy_names);
    cli_words_release(&read->policy_names);
    cli_words_release(&read->optimizers);
}
