/* The value of --lora: "dense*.weight:rank=8,alpha=16". */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/numbers.h"
#include "cli/session.h"

enum { DEFAULT_RANK = 8 };

static int parse_setting(const char *text, char *item, uint64_t *rank, double *alpha)
{
    char *value = strchr(item, '=');
    if (value)
        *value++ = '\0';
    if (value && strcmp(item, "rank") == 0 && cli_parse_count(value, 1, INT32_MAX, rank))
        return CLI_DONE;
    if (value && strcmp(item, "alpha") == 0 && cli_parse_real(value, alpha))
        return CLI_DONE;
    return cli_misuse("--lora",
                      "\"%s\", must be PATTERN:rank=N,alpha=X with N a whole number from 1 and X a number from 0",
                      text);
}

int cli_add_adapters(cli_session *session, const char *text)
{
    char *pattern = strdup(text);
    if (!pattern)
        return cli_fail("--lora", "out of memory");
    char *settings = strchr(pattern, ':');
    if (settings)
        *settings++ = '\0';
    uint64_t rank = DEFAULT_RANK;
    double alpha = NAN;
    int code = CLI_DONE;
    for (char *item; code == CLI_DONE && (item = strsep(&settings, ","));)
        code = parse_setting(text, item, &rank, &alpha);
    if (code == CLI_DONE)
        code = cli_check_option(session->context,
                                thaw_lora(session->model, pattern, (int64_t)rank, isnan(alpha) ? (double)rank : alpha),
                                "--lora");
    free(pattern);
    return code;
}
