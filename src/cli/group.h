/* The value of --group: "PATTERN:lr=1e-2,optimizer=sgd,momentum=0.9". */
#ifndef THAW_CLI_GROUP_H
#define THAW_CLI_GROUP_H

typedef struct cli_group {
    char *pattern;
    char *optimizer; /* a description, "sgd:lr=1e-2,momentum=0.9", or NULL: the group keeps its own */
    double learning_rate, weight_decay; /* without an optimizer; NAN if not given */
} cli_group;

/* Prints any error and returns an exit code; the caller releases the group if it is CLI_DONE. */
int cli_group_parse(const char *text, cli_group *group);

void cli_group_release(cli_group *group);

#endif
