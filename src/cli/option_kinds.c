#include "cli/option_kinds.h"

#include <string.h>
#include <thaw/train.h>

static bool parse_text(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    *(const char **)value = text;
    return *text;
}

static bool parse_flag(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)text, (void)options;
    *(bool *)value = true;
    return true;
}

static bool parse_rule(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)value;
    options->rules[options->rule_count++] = (cli_rule){ option->rule, text };
    return *text;
}

static bool parse_positive(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_count(text, 1, INT32_MAX, value);
}

static bool parse_threads(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_count(text, 1, 1024, value);
}

static bool parse_shards(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_count(text, 1, THAW_MOST_SHARDS, value);
}

static bool parse_seed(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_count(text, 0, UINT64_MAX, value);
}

static bool parse_size(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_bytes(text, value);
}

static bool parse_most(const cli_option *option, const char *text, void *value, cli_options *options)
{
    return parse_size(option, text, value, options) && *(uint64_t *)value > 0;
}

static bool parse_interval(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_interval(text, value);
}

static bool parse_norm(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_real(text, value) && *(double *)value > 0;
}

static bool parse_rate(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_real(text, value);
}

static bool parse_share(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_real(text, value) && *(double *)value > 0 && *(double *)value <= 1;
}

static bool parse_decay(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_real(text, value) && *(double *)value > 0 && *(double *)value < 1;
}

static bool parse_precision(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    const bool plain = strcmp(text, "bf16") == 0, emulated = strcmp(text, "bf16-emulated") == 0;
    *(cli_precision *)value = (cli_precision){ .bfloat16 = plain || emulated, .emulated = emulated };
    return plain || emulated || strcmp(text, "f32") == 0;
}

static bool parse_monitor(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    static const char *const names[] = {
        [THAW_MONITOR_LOSS] = "loss",
        [THAW_MONITOR_TEST_LOSS] = "test-loss",
        [THAW_MONITOR_TEST_ACCURACY] = "test-accuracy",
        [THAW_MONITOR_TEST_TOP5_ACCURACY] = "test-top5",
        [THAW_MONITOR_TEST_MACRO_F1] = "test-f1",
    };
    for (size_t i = THAW_MONITOR_LOSS; i < THAW_COUNT(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *(thaw_monitor *)value = (thaw_monitor)i;
            return true;
        }
    return false;
}

static bool parse_spreading(const cli_option *option, const char *text, void *value, cli_options *options)
{
    static const char *const names[] = { [CLI_RANKS_AUTO] = "auto", [CLI_RANKS_MPI] = "mpi", [CLI_RANKS_OFF] = "off" };
    (void)option, (void)options;
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *(cli_spreading *)value = (cli_spreading)i;
            return true;
        }
    return false;
}

static bool parse_sampling(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    *(const char **)value = strcmp(text, "balanced") == 0 ? text : NULL;
    return *(const char **)value || strcmp(text, "uniform") == 0;
}

#define KIND(name, ...) const cli_option_kind cli_kind_##name = { __VA_ARGS__ }

KIND(text, .parse = parse_text, .wanted = "a text");
KIND(file, .parse = parse_text, .wanted = "a file name", .completion = CLI_COMPLETE_FILES);
KIND(folder, .parse = parse_text, .wanted = "a folder name", .completion = CLI_COMPLETE_FOLDERS);
KIND(model, .parse = parse_text, .wanted = "a network", .completion = CLI_COMPLETE_MODELS);
KIND(data, .parse = parse_text, .wanted = "a data set", .completion = CLI_COMPLETE_DATA);
KIND(optimizer, .parse = parse_text, .wanted = "an optimizer", .completion = CLI_COMPLETE_OPTIMIZERS);
KIND(strategy, .parse = parse_text, .wanted = "a strategy", .completion = CLI_COMPLETE_STRATEGIES);
KIND(policy, .parse = parse_text, .wanted = "a policy", .completion = CLI_COMPLETE_POLICIES);
KIND(schedule, .parse = parse_text, .wanted = "a schedule", .completion = CLI_COMPLETE_WORDS,
     .words = "constant step cosine one-cycle");
KIND(head, .parse = parse_text, .wanted = "a head", .completion = CLI_COMPLETE_WORDS, .words = "linear mlp");
KIND(initializer, .parse = parse_text, .wanted = "an initializer", .completion = CLI_COMPLETE_WORDS,
     .words = "default zeros normal xavier_uniform xavier_normal kaiming_uniform kaiming_normal "
              "kaiming_normal_fan_out");
KIND(cache, .parse = parse_text, .wanted = "auto, memory, off or a file name", .completion = CLI_COMPLETE_FILES,
     .words = "auto memory off");
KIND(flag, .parse = parse_flag, .wanted = "nothing");
KIND(rule, .parse = parse_rule, .wanted = "a text");
KIND(input, .parse = parse_rule, .wanted = "a file name", .completion = CLI_COMPLETE_FILES);
KIND(positive, .parse = parse_positive, .wanted = "a whole number from 1 to 2147483647");
KIND(threads, .parse = parse_threads, .wanted = "a whole number from 1 to 1024");
KIND(shards, .parse = parse_shards, .wanted = "a whole number from 1 to 4096");
KIND(seed, .parse = parse_seed, .wanted = "a whole number from 0 to 2^64 - 1");
KIND(bytes, .parse = parse_size, .wanted = "a number of bytes, such as 0, 65536 or 512M");
KIND(most_bytes, .parse = parse_most, .wanted = "a number of bytes above 0, such as 65536 or 512M");
KIND(interval, .parse = parse_interval,
     .wanted = "a whole number above 0 and its unit, such as 10m, 500steps or 1epoch");
KIND(loss, .parse = parse_text, .wanted = "a loss", .completion = CLI_COMPLETE_WORDS,
     .words = "cross-entropy bce mse mae huber:delta=1");
KIND(class_weights, .parse = parse_text, .wanted = "balanced, or a weight for each class",
     .completion = CLI_COMPLETE_WORDS, .words = "balanced");
KIND(sampling, .parse = parse_sampling, .wanted = "uniform or balanced", .completion = CLI_COMPLETE_WORDS,
     .words = "uniform balanced");
KIND(norm, .parse = parse_norm, .wanted = "a finite number above 0");
KIND(rate, .parse = parse_rate, .wanted = "a finite number from 0");
KIND(decay, .parse = parse_decay, .wanted = "a number above 0 and below 1");
KIND(share, .parse = parse_share, .wanted = "a number above 0 and at most 1");
KIND(spreading, .parse = parse_spreading, .wanted = "auto, mpi or off", .completion = CLI_COMPLETE_WORDS,
     .words = "auto mpi off");
KIND(precision, .parse = parse_precision, .wanted = "f32, bf16 or bf16-emulated", .completion = CLI_COMPLETE_WORDS,
     .words = "f32 bf16 bf16-emulated");
KIND(monitor, .parse = parse_monitor, .wanted = "loss, test-loss, test-accuracy, test-top5 or test-f1",
     .completion = CLI_COMPLETE_WORDS, .words = "loss test-loss test-accuracy test-top5 test-f1");

bool cli_option_is_text(const cli_option *option)
{
    return option->kind->parse == parse_text;
}

bool cli_option_repeats(const cli_option *option)
{
    return option->kind->parse == parse_rule;
}
