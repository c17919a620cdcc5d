/* The options that argp adds to every command. */
#include "cli/option_table.h"

const cli_standard_option cli_standard_options[] = {
    { "help", '?', "List the options" },
    { "usage", '\0', "Print a short usage message" },
    { "version", 'V', "Print the version" },
};

const size_t cli_standard_option_count = sizeof cli_standard_options / sizeof cli_standard_options[0];
