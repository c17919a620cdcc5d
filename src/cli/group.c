#include "cli/group.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/numbers.h"

static int parse_rate(const char *text, const char *name, const char *value, double *rate)
{
    if (!isnan(*rate))
        return cli_misuse("--group", "\"%s\": %s is given twice", text, name);
    if (!cli_parse_real(value, rate))
        return cli_misuse("--group", "\"%s\": %s=%s, must be a finite number from 0", text, name, value);
    return CLI_DONE;
}

/* Settings for groups that keep their optimizer. */
static int parse_rates(const char *text, char *settings, cli_group *group)
{
    for (char *item; (item = strsep(&settings, ","));) {
        char *value = strchr(item, '=');
        if (!value)
            return cli_misuse("--group", "\"%s\": \"%s\", must be NAME=VALUE", text, item);
        *value++ = '\0';
        double *rate = strcmp(item, "lr") == 0                                        ? &group->learning_rate
                       : strcmp(item, "weight_decay") == 0 || strcmp(item, "wd") == 0 ? &group->weight_decay
                                                                                      : NULL;
        if (!rate)
            return cli_misuse("--group",
                              "\"%s\": unknown setting \"%s\", must be lr, weight_decay, or optimizer and its "
                              "hyper-parameters",
                              text, item);
        const int code = parse_rate(text, item, value, rate);
        if (code != CLI_DONE)
            return code;
    }
    return CLI_DONE;
}

/* Turns "lr=1,optimizer=sgd,momentum=2" into "sgd:lr=1,momentum=2". */
static int describe_optimizer(const char *text, const char *settings, const char *named, cli_group *group)
{
    static const char key[] = "optimizer=";
    const char *name = named + sizeof key - 1;
    const size_t name_length = strcspn(name, ",");
    const size_t before = (size_t)(named - settings); /* the settings before it, with their last comma */
    const char *after = name + name_length;
    if (name_length == 0 || strstr(after, ",optimizer="))
        return cli_misuse("--group", "\"%s\": optimizer must have one name", text);
    if (*after)
        after++;
    if (asprintf(&group->optimizer, "%.*s:%.*s%s", (int)name_length, name, (int)before, settings, after) < 0) {
        group->optimizer = NULL;
        return cli_fail("--group", "out of memory");
    }
    const size_t length = strlen(group->optimizer); /* a trailing comma, or nothing after the colon */
    if (strchr(",:", group->optimizer[length - 1]))
        group->optimizer[length - 1] = '\0';
    return CLI_DONE;
}

int cli_group_parse(const char *text, cli_group *group)
{
    *group = (cli_group){ .pattern = strdup(text), .learning_rate = NAN, .weight_decay = NAN };
    if (!group->pattern)
        return cli_fail("--group", "out of memory");
    char *settings = strchr(group->pattern, ':');
    int code;
    if (!settings || settings == group->pattern || !settings[1]) {
        code = cli_misuse("--group", "\"%s\", must be PATTERN:SETTINGS", text);
    } else {
        *settings++ = '\0';
        const char *named = strncmp(settings, "optimizer=", 10) == 0 ? settings : strstr(settings, ",optimizer=");
        if (named && *named == ',')
            named++;
        code = named ? describe_optimizer(text, settings, named, group) : parse_rates(text, settings, group);
    }
    if (code != CLI_DONE)
        cli_group_release(group);
    return code;
}

void cli_group_release(cli_group *group)
{
    free(group->pattern);
    free(group->optimizer);
    *group = (cli_group){ .learning_rate = NAN, .weight_decay = NAN };
}
