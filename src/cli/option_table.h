/* What an option is: how its text becomes a value, and how a shell completes it. */
#ifndef THAW_CLI_OPTION_TABLE_H
#define THAW_CLI_OPTION_TABLE_H

#include "cli/options.h"

typedef struct cli_option cli_option;

typedef enum cli_completion {
    CLI_COMPLETE_NOTHING,
    CLI_COMPLETE_FILES, /* and also `words` */
    CLI_COMPLETE_FOLDERS,
    CLI_COMPLETE_MODELS,
    CLI_COMPLETE_DATA,
    CLI_COMPLETE_OPTIMIZERS,
    CLI_COMPLETE_STRATEGIES,
    CLI_COMPLETE_POLICIES,
    CLI_COMPLETE_WORDS /* `words` */
} cli_completion;

typedef struct cli_option_kind {
    bool (*parse)(const cli_option *option, const char *text, void *value, cli_options *options);
    const char *wanted; /* what the text must be, for messages */
    cli_completion completion;
    const char *words; /* separated by blanks; NULL: none */
} cli_option_kind;

struct cli_option {
    unsigned set; /* the sets that the option belongs to */
    const char *name, *argument, *help;
    const cli_option_kind *kind;
    size_t offset; /* offset in cli_options */
    cli_rule_kind rule;
    const char *alias; /* another name, or NULL */
    char letter;       /* a short name; '\0': none */
};

extern const cli_option cli_option_table[];
extern const size_t cli_option_count;

/* Whether the value is the text itself: a field of type `const char *`, NULL if the option is not given. */
bool cli_option_is_text(const cli_option *option);

/* Whether the option may be repeated. */
bool cli_option_repeats(const cli_option *option);

/* Options that argp adds to every command: name, letter and help. */
typedef struct cli_standard_option {
    const char *name;
    char letter; /* '\0' if none */
    const char *help;
} cli_standard_option;

extern const cli_standard_option cli_standard_options[];
extern const size_t cli_standard_option_count;

#endif
