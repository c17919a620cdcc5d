/* The runs of the transfer experiment. */
#ifndef THAW_CLI_DEMO_RUNS_H
#define THAW_CLI_DEMO_RUNS_H

#include <thaw/train.h>

enum { CLI_DEMO_EPOCHS = 3, CLI_DEMO_BATCH = 128, CLI_DEMO_SETTINGS = 2 };

/* The runs that the summary paragraph compares. */
typedef enum cli_demo_role {
    CLI_DEMO_OTHER,
    CLI_DEMO_ALL,
    CLI_DEMO_FROZEN,
    CLI_DEMO_CACHED,
    CLI_DEMO_SMALL_ALL,
    CLI_DEMO_SMALL_FROZEN,
    CLI_DEMO_SMALL_SCRATCH,
    CLI_DEMO_ROLES
} cli_demo_role;

typedef struct cli_demo_setting {
    const char *pattern;   /* NULL: no setting */
    double learning_rate;  /* for the groups that no optimizer is named for */
    const char *optimizer; /* a description, or NULL */
} cli_demo_setting;

typedef struct cli_demo_run {
    const char *name;
    cli_demo_role role;
    bool scratch;       /* start from new initial values instead of the file's */
    bool small;         /* 20 images per class, each seen ten times per epoch */
    bool cached;        /* with the feature cache */
    const char *freeze; /* NULL if nothing */
    cli_demo_setting settings[CLI_DEMO_SETTINGS];
    thaw_strategy_rule rules[2]; /* one per epoch */
    size_t rule_count;
} cli_demo_run;

extern const cli_demo_run cli_demo_runs[];
extern const size_t cli_demo_run_count;

#endif
