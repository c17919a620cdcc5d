/* thaw report: an HTML page from files of results and measurements. */
#include <stdio.h>
#include <stdlib.h>
#include <thaw/report.h>

#include "cli/command.h"
#include "cli/context.h"
#include "cli/failure.h"
#include "cli/session.h"
#include "cli/shown.h"

static int write_page(const cli_options *options, thaw_context *context)
{
    const char **files = calloc(options->rule_count + 1, sizeof *files);
    if (!files)
        return cli_fail("report", "out of memory");
    size_t count = 0;
    for (size_t i = 0; i < options->rule_count; i++)
        if (options->rules[i].kind == CLI_RULE_INPUT)
            files[count++] = options->rules[i].text;
    int code = count ? CLI_DONE : cli_misuse("--input", "is missing");
    if (code == CLI_DONE)
        code = cli_check(context, thaw_report_write(context, files, count, options->report), "report");
    if (code == CLI_DONE)
        printf("saved %s/index.html\n", cli_show(options->report).text);
    free((void *)files);
    return code;
}

static int report(const cli_options *options)
{
    thaw_context *context = NULL;
    int code = cli_context_create(&(thaw_context_options){ .threads = 1 }, &context);
    if (code == CLI_DONE)
        code = write_page(options, context);
    thaw_context_destroy(context);
    return code;
}

const cli_command cli_report = {
    .name = "report",
    .summary = "make an HTML page from results and measurements",
    .description = "Make an HTML page from results of thaw bench and measurements of benchmarks.",
    .examples = "  thaw report --input report/results.json --input peers.jsonl\n",
    .takes = CLI_REPORT,
    .run = report,
};
