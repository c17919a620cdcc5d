/* The table of all options, from which --help, the manual pages and shell completion are made. */
#include <stddef.h>
#include <string.h>
#include <thaw/train.h>

#include "cli/numbers.h"
#include "cli/option_table.h"

/* ---------------------------------------------------------------- kinds of values */

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

static bool parse_share(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_real(text, value) && *(double *)value > 0 && *(double *)value <= 1;
}

static bool parse_precision(const cli_option *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    const bool plain = strcmp(text, "bf16") == 0, emulated = strcmp(text, "bf16-emulated") == 0;
    *(cli_precision *)value = (cli_precision){ .bfloat16 = plain || emulated, .emulated = emulated };
    return plain || emulated || strcmp(text, "f32") == 0;
}

#define KIND(name, ...) static const cli_option_kind name##_kind = { __VA_ARGS__ }

KIND(text, .parse = parse_text, .wanted = "a text");
KIND(file, .parse = parse_text, .wanted = "a file name", .completion = CLI_COMPLETE_FILES);
KIND(folder, .parse = parse_text, .wanted = "a folder name", .completion = CLI_COMPLETE_FOLDERS);
KIND(model, .parse = parse_text, .wanted = "a network", .completion = CLI_COMPLETE_MODELS);
KIND(data, .parse = parse_text, .wanted = "a data set", .completion = CLI_COMPLETE_DATA);
KIND(optimizer, .parse = parse_text, .wanted = "an optimizer", .completion = CLI_COMPLETE_OPTIMIZERS);
KIND(strategy, .parse = parse_text, .wanted = "a strategy", .completion = CLI_COMPLETE_STRATEGIES);
KIND(schedule, .parse = parse_text, .wanted = "a schedule", .completion = CLI_COMPLETE_WORDS,
     .words = "constant step cosine one-cycle");
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
KIND(norm, .parse = parse_norm, .wanted = "a finite number above 0");
KIND(share, .parse = parse_share, .wanted = "a number above 0 and at most 1");
KIND(precision, .parse = parse_precision, .wanted = "f32, bf16 or bf16-emulated", .completion = CLI_COMPLETE_WORDS,
     .words = "f32 bf16 bf16-emulated");

/* ---------------------------------------------------------------- the options */

#define TO(field) .offset = offsetof(cli_options, field)

const cli_option cli_option_table[] = {
    { CLI_MODEL, "model", "NAME", "Network, such as resnet18 or resnet18:size=64; 'thaw --help' lists them",
      &model_kind, TO(model) },
    { CLI_CLASSES, "classes", "N", "Number of outputs of the network (default: the network's own)", &positive_kind,
      TO(classes) },
    { CLI_LOAD, "load", "FILE", "Load weights from this safetensors file", &file_kind, TO(load) },
    { CLI_RESET, "reset", "PATTERN",
      "Reinitialise these groups or parameters after loading; they may be missing from the file, or have another "
      "shape in it",
      &rule_kind, .rule = CLI_RULE_RESET },
    { CLI_DATA, "data", "SPEC",
      "Data set: fashion-mnist[:OPTIONS], idx:IMAGES,LABELS[;OPTIONS], or folder:PATH[;OPTIONS] with one sub-folder of "
      "JPEG or PNG files per class. OPTIONS, separated by ';', are classes=A-B, per-class=N and repeat=N for all; "
      "dir=PATH for fashion-mnist; test=IMAGES,LABELS for idx; size=N, resize=N, channels=1|3, mean=X,X,X, std=X,X,X, "
      "augment=crop-flip, decode=full, on-error=fail, val=SHARE, seed=N and threads=N for folder",
      &data_kind, TO(data) },
    { CLI_TEST_DATA, "test-data", "SPEC", "Test on this data set instead of the test data of --data", &data_kind,
      TO(test_data) },
    { CLI_DATA, "max-bytes", "SIZE",
      "Refuse IDX files whose samples would take more memory than this, before they are unpacked (default: the "
      "machine's memory)",
      &most_bytes_kind, TO(max_bytes) },
    { CLI_RULES, "freeze", "PATTERN[@EPOCH]",
      "Freeze these groups or parameters, or a part such as @body, from the start or from EPOCH on", &rule_kind,
      .rule = CLI_RULE_FREEZE },
    { CLI_RULES, "unfreeze", "PATTERN[@EPOCH]",
      "Unfreeze these groups or parameters, or a part such as @top:2, from the start or from EPOCH on", &rule_kind,
      .rule = CLI_RULE_UNFREEZE },
    { CLI_RULES, "freeze-before", "PATTERN", "Freeze every group before the first that matches", &rule_kind,
      .rule = CLI_RULE_FREEZE_BEFORE },
    { CLI_RULES, "optimizer", "SPEC", "Optimizer of all groups, such as sgd:lr=0.1,momentum=0.9 (default: adam)",
      &optimizer_kind, TO(optimizer) },
    { CLI_RULES, "group", "PATTERN:SETTINGS",
      "Settings of some groups: lr=X and weight_decay=X, or optimizer=NAME and its hyper-parameters", &rule_kind,
      .rule = CLI_RULE_GROUP },
    { CLI_RULES, "lora", "PATTERN:SETTINGS",
      "Add low-rank adapters to these weights and freeze the weights: rank=N (default: 8), alpha=X (default: the rank)",
      &rule_kind, .rule = CLI_RULE_LORA },
    { CLI_RULES, "bias-only", "PATTERN", "Train only the biases of these groups", &rule_kind,
      .rule = CLI_RULE_BIAS_ONLY },
    { CLI_BATCH, "batch", "N", "Samples per step (default: 128)", &positive_kind, TO(batch) },
    { CLI_TRAINING | CLI_CACHE, "shards", "S",
      "Compute each step in S parts of the batch, one after another in the memory of one, and add up their gradients. "
      "Must divide --batch (default: 1)",
      &shards_kind, TO(shards) },
    { CLI_TRAINING, "accumulate", "N", "The same: accumulate the gradients of N parts of the batch before each update",
      &shards_kind, TO(accumulate) },
    { CLI_TRAINING | CLI_RUNS, "epochs", "N", "Passes over the data (default: 1)", &positive_kind, TO(epochs) },
    { CLI_TRAINING, "schedule", "SPEC",
      "Schedule of the learning rates: constant, step:gamma=0.1,every=2, cosine:floor=0.01 or one-cycle:rising=0.3, each "
      "also with warmup_epochs=N (default: constant)",
      &schedule_kind, TO(schedule) },
    { CLI_TRAINING, "clip-norm", "X", "Scale gradients down to this global norm", &norm_kind, TO(clip_norm) },
    { CLI_TRAINING, "drop-last", NULL, "Skip the last batch of an epoch if it is smaller than the others", &flag_kind,
      TO(drop_last) },
    { CLI_TRAINING | CLI_RUNS | CLI_CACHE, "cache-bytes", "BYTES",
      "Memory for the outputs of a frozen prefix, such as 512M; 0 for none (default: 1G)", &bytes_kind,
      TO(cache_bytes) },
    { CLI_TRAINING, "merge", NULL, "Merge adapters into their weights after training, before saving", &flag_kind,
      TO(merge) },
    { CLI_TRAINING | CLI_CACHE, "cache", "WHERE",
      "Where to keep the outputs of a frozen prefix: memory, off, or a FILE, which later runs with the same frozen "
      "layers and data reuse. auto uses memory, or a file if they do not fit and several epochs use them (default: "
      "auto)",
      &cache_kind, TO(cache) },
    { CLI_TRAINING | CLI_CACHE, "cache-file-bytes", "BYTES",
      "Largest size of that file, such as 20G; 0 for any size (default: 0)", &bytes_kind, TO(cache_file_bytes) },
    { CLI_TRAINING | CLI_CACHE, "cache-bf16", NULL, "Keep these outputs in bfloat16: rounded, in half the space",
      &flag_kind, TO(cache_bf16) },
    { CLI_TRAINING | CLI_CACHE, "recompute", NULL,
      "Save memory: recompute normalisations, and the activations after them, during backward", &flag_kind,
      TO(recompute) },
    { CLI_TRAINING, "save", "FILE", "Save the weights to this safetensors file after training", &file_kind, TO(save) },
    { CLI_TRAINING, "log", "FOLDER",
      "Log the run: steps.csv and epochs.csv, with losses, rates, norms of gradients and updates by block, speed and "
      "memory, and the same as TensorBoard's events",
      &folder_kind, TO(log) },
    { CLI_TRAINING, "log-every", "N", "Steps between two rows of steps.csv (default: 50)", &positive_kind,
      TO(log_every) },
    { CLI_TRAINING, "checkpoint", "FOLDER",
      "Write checkpoints into this folder, from which --resume continues with the same bits. Signals that stop the run "
      "write one, too",
      &folder_kind, TO(checkpoint) },
    { CLI_TRAINING, "checkpoint-every", "INTERVAL",
      "Time, steps or epochs from one checkpoint to the next, such as 10m, 500steps or 1epoch (default: 1epoch)",
      &interval_kind, TO(checkpoint_every) },
    { CLI_TRAINING, "keep", "N", "Checkpoints to keep (default: 3)", &positive_kind, TO(keep) },
    { CLI_TRAINING, "resume", NULL,
      "Continue from the newest whole checkpoint in the folder of --checkpoint, or start anew if it has none. The other "
      "options must be the same, but for --epochs, --threads and paths",
      &flag_kind, TO(resume) },
    { CLI_BENCH, "strategies", "LIST",
      "Strategies, separated by blanks: full, head, last2 (any number), gradual, discriminative, bias-only, norm-only, "
      "lora:rank=8, lp-ft, surgical, top-down, scratch, or names from --strategy-file (default: full head)",
      &strategy_kind, TO(strategies) },
    { CLI_STRATEGY, "strategy", "NAME",
      "What trains when: full, head, last2 (any number), gradual, discriminative, bias-only, norm-only, lora:rank=8, "
      "lp-ft, surgical, top-down, scratch, or a name from --strategy-file. Its rules come before those with @EPOCH of "
      "the same epoch, and after all other options",
      &strategy_kind, TO(strategy) },
    { CLI_BENCH | CLI_STRATEGY, "strategy-file", "FILE",
      "JSON file of your own strategies; thaw/strategy.h describes its format", &file_kind, TO(strategy_file) },
    { CLI_BENCH, "optimizers", "LIST",
      "Optimizers, separated by blanks, such as 'sgd:lr=1e-2,momentum=0.9 adam ./lion.so:lr=1e-4' (default: adam)",
      &optimizer_kind, TO(optimizers) },
    { CLI_BENCH, "seeds", "N", "Runs of each configuration, with the seeds from --seed on (default: 3)", &positive_kind,
      TO(seeds) },
    { CLI_BENCH, "lr-sweep", "N",
      "Learning rates to try for each optimizer, half a decade apart, with its own in the middle (default: 1)",
      &positive_kind, TO(rates) },
    { CLI_BENCH | CLI_STRATEGY, "head", "PATTERN",
      "Head of the network for strategies (default: what --reset names, else the last "
      "block)",
      &text_kind, TO(head) },
    { CLI_BENCH, "target-accuracy", "X", "Report the time until this test accuracy, such as 0.9", &share_kind,
      TO(target_accuracy) },
    { CLI_REPORT, "input", "FILE",
      "Results of thaw bench, or lines that a benchmark printed with --json; may be repeated", &input_kind,
      .rule = CLI_RULE_INPUT },
    { CLI_BENCH, "report", "FOLDER",
      "Folder for index.html, results.json, results.csv and TensorBoard's events (default: report)", &folder_kind,
      TO(report) },
    { CLI_REPORT, "report", "FOLDER", "Folder for index.html (default: report)", &folder_kind, TO(report) },
    { CLI_BENCH, "jobs", "N",
      "Runs at a time, each on --threads threads, otherwise on an equal share of the cores (default: 1)", &threads_kind,
      TO(jobs) },
    { CLI_BENCH, "resume", NULL, "Run only what the report lacks", &flag_kind, TO(resume) },
    { CLI_PRECISION, "precision", "TYPE",
      "Data type that layers compute in: f32, bf16, or bf16-emulated for CPUs without bf16 instructions. Parameters, "
      "their gradients, losses and statistics stay f32 (default: f32)",
      &precision_kind, TO(precision) },
    { CLI_FROZEN_PRECISION, "frozen-precision", "TYPE", "The same for the frozen prefix only", &precision_kind,
      TO(frozen_precision) },
    { CLI_INFERENCE, "inference", NULL, "Plan evaluation instead of a training step", &flag_kind, TO(inference) },
    { CLI_EPOCH, "epoch", "N", "Plan this epoch: apply the rules of --strategy and @EPOCH up to it (default: 1)",
      &positive_kind, TO(epoch) },
    { CLI_EPOCH, "epochs", "N", "Epochs of the whole run (default: --epoch, and at least 2)", &positive_kind,
      TO(run_epochs) },
    { CLI_PROGRAM, "program", NULL, "List the instructions that a step runs, in order, with their operands", &flag_kind,
      TO(program) },
    { CLI_PROGRAM, "profile", NULL,
      "Train some steps on random samples, and add each instruction's time and its share of the step. Times are means "
      "over the faster half of the steps and, unlike medians, add up to the time of the step",
      &flag_kind, TO(profile) },
    { CLI_PROGRAM, "steps", "N", "Steps that --profile measures (default: 20)", &positive_kind, TO(steps) },
    { CLI_COMMON, "seed", "N", "Seed of initialisation, shuffling and dropout (default: 0)", &seed_kind, TO(seed) },
    { CLI_COMMON, "threads", "N", "Threads to compute with (default: one per core)", &threads_kind, TO(threads) },
    { CLI_COMMON, "json", NULL, "Print one JSON object per line", &flag_kind, TO(json) },
};

const size_t cli_option_count = sizeof cli_option_table / sizeof cli_option_table[0];

bool cli_option_is_text(const cli_option *option)
{
    return option->kind->parse == parse_text;
}

bool cli_option_repeats(const cli_option *option)
{
    return option->kind->parse == parse_rule;
}

const cli_standard_option cli_standard_options[] = {
    { "help", '?', "List the options" },
    { "usage", '\0', "Print a short usage message" },
    { "version", 'V', "Print the version" },
};

const size_t cli_standard_option_count = sizeof cli_standard_options / sizeof cli_standard_options[0];
