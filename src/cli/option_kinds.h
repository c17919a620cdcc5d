/* The kinds of values that options take. */
#ifndef THAW_CLI_OPTION_KINDS_H
#define THAW_CLI_OPTION_KINDS_H

#include "cli/option_table.h"

extern const cli_option_kind cli_kind_text, cli_kind_file, cli_kind_folder, cli_kind_model, cli_kind_data,
    cli_kind_optimizer, cli_kind_strategy, cli_kind_policy, cli_kind_schedule, cli_kind_cache, cli_kind_flag,
    cli_kind_rule, cli_kind_input, cli_kind_positive, cli_kind_threads, cli_kind_shards, cli_kind_seed, cli_kind_bytes,
    cli_kind_most_bytes, cli_kind_interval, cli_kind_norm, cli_kind_rate, cli_kind_decay, cli_kind_share,
    cli_kind_spreading, cli_kind_loss, cli_kind_class_weights, cli_kind_sampling, cli_kind_precision, cli_kind_monitor,
    cli_kind_head, cli_kind_initializer;

#endif
