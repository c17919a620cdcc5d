#include "cli/options.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/numbers.h"

typedef struct kind kind;

/* One option; `key` and help as argp wants them. */
typedef struct entry {
    unsigned set;
    const char *name, *argument, *help;
    const kind *kind;
    size_t offset; /* in cli_options */
    cli_rule_kind rule;
} entry;

/* How a text becomes a value. */
struct kind {
    bool (*parse)(const entry *option, const char *text, void *value, cli_options *options);
    const char *wanted;
};

/* ---------------------------------------------------------------- kinds of values */

static bool parse_text(const entry *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    *(const char **)value = text;
    return *text;
}

static bool parse_flag(const entry *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)text, (void)options;
    *(bool *)value = true;
    return true;
}

static bool parse_rule(const entry *option, const char *text, void *value, cli_options *options)
{
    (void)value;
    options->rules[options->rule_count++] = (cli_rule){ option->rule, text };
    return *text;
}

static bool parse_positive(const entry *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_count(text, 1, INT32_MAX, value);
}

static bool parse_threads(const entry *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_count(text, 1, 1024, value);
}

static bool parse_seed(const entry *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_count(text, 0, UINT64_MAX, value);
}

static bool parse_size(const entry *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_bytes(text, value);
}

static bool parse_norm(const entry *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_real(text, value) && *(double *)value > 0;
}

static bool parse_share(const entry *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    return cli_parse_real(text, value) && *(double *)value > 0 && *(double *)value <= 1;
}

static bool parse_precision(const entry *option, const char *text, void *value, cli_options *options)
{
    (void)option, (void)options;
    const bool plain = strcmp(text, "bf16") == 0, emulated = strcmp(text, "bf16-emulated") == 0;
    *(cli_precision *)value = (cli_precision){ .bfloat16 = plain || emulated, .emulated = emulated };
    return plain || emulated || strcmp(text, "f32") == 0;
}

static const kind text_kind = { parse_text, "a text" };
static const kind flag_kind = { parse_flag, "nothing" };
static const kind rule_kind = { parse_rule, "a text" };
static const kind positive_kind = { parse_positive, "a whole number from 1 to 2147483647" };
static const kind threads_kind = { parse_threads, "a whole number from 1 to 1024" };
static const kind seed_kind = { parse_seed, "a whole number from 0 to 2^64 - 1" };
static const kind bytes_kind = { parse_size, "a number of bytes, such as 0, 65536 or 512M" };
static const kind norm_kind = { parse_norm, "a finite number above 0" };
static const kind share_kind = { parse_share, "a number above 0, of at most 1" };
static const kind precision_kind = { parse_precision, "f32, bf16 or bf16-emulated" };

/* ---------------------------------------------------------------- the options */

#define TO(field) .offset = offsetof(cli_options, field)

static const entry entries[] = {
    { CLI_MODEL, "model", "NAME",
      "The network, by name, such as resnet18 or resnet18:size=64; 'thaw --help' lists them", &text_kind, TO(model) },
    { CLI_CLASSES, "classes", "N", "Outputs of the network (default: its own)", &positive_kind, TO(classes) },
    { CLI_LOAD, "load", "FILE", "Weights to begin with (safetensors)", &text_kind, TO(load) },
    { CLI_RESET, "reset", "PATTERN",
      "Initialise these parameters anew after loading; the file may lack them, or "
      "have them in another shape",
      &rule_kind, .rule = CLI_RULE_RESET },
    { CLI_DATA, "data", "SPEC",
      "fashion-mnist[:OPTIONS], idx:IMAGES,LABELS[;OPTIONS] or folder:PATH[;OPTIONS] (a sub-folder of JPEG and PNG files "
      "a class); OPTIONS, separated by ';': classes=A-B, per-class=N, repeat=N; dir=PATH (fashion-mnist); "
      "test=IMAGES,LABELS (idx); size=N, resize=N, channels=1|3, mean=X,X,X, std=X,X,X, augment=crop-flip, decode=full, "
      "on-error=fail, val=SHARE, seed=N, threads=N (folder)",
      &text_kind, TO(data) },
    { CLI_TEST_DATA, "test-data", "SPEC", "Test with this data set instead", &text_kind, TO(test_data) },
    { CLI_RULES, "freeze", "PATTERN[@EPOCH]", "Freeze groups or parameters, from the start or from an epoch on",
      &rule_kind, .rule = CLI_RULE_FREEZE },
    { CLI_RULES, "unfreeze", "PATTERN[@EPOCH]", "Unfreeze, likewise", &rule_kind, .rule = CLI_RULE_UNFREEZE },
    { CLI_RULES, "freeze-before", "PATTERN", "Freeze all groups before the first that matches", &rule_kind,
      .rule = CLI_RULE_FREEZE_BEFORE },
    { CLI_RULES, "optimizer", "SPEC", "Optimizer of all groups, such as sgd:lr=0.1,momentum=0.9 (default: adam)",
      &text_kind, TO(optimizer) },
    { CLI_RULES, "group", "PATTERN:SETTINGS",
      "Settings of some groups: lr=X,weight_decay=X, or optimizer=NAME and "
      "its hyper-parameters",
      &rule_kind, .rule = CLI_RULE_GROUP },
    { CLI_RULES, "lora", "PATTERN:SETTINGS",
      "Give weights low-rank adapters, and freeze the weights: rank=N (default: 8), alpha=X (default: the rank)",
      &rule_kind, .rule = CLI_RULE_LORA },
    { CLI_RULES, "bias-only", "PATTERN", "Of these groups, train the biases alone", &rule_kind,
      .rule = CLI_RULE_BIAS_ONLY },
    { CLI_BATCH, "batch", "N", "Samples a step (default: 128)", &positive_kind, TO(batch) },
    { CLI_TRAINING | CLI_RUNS, "epochs", "N", "Passes over the data (default: 1)", &positive_kind, TO(epochs) },
    { CLI_TRAINING, "schedule", "SPEC",
      "Of the learning rates: constant, step:gamma=0.1,every=2, cosine:floor=0.01 "
      "or one-cycle:rising=0.3, each also with warmup_epochs=N",
      &text_kind, TO(schedule) },
    { CLI_TRAINING, "clip-norm", "X", "Scale gradients down to this global norm", &norm_kind, TO(clip_norm) },
    { CLI_TRAINING, "drop-last", NULL, "Leave out an epoch's last, smaller batch", &flag_kind, TO(drop_last) },
    { CLI_TRAINING | CLI_RUNS | CLI_CACHE, "cache-bytes", "BYTES",
      "Memory for outputs of a frozen prefix, such as 512M; 0: none "
      "(default: 1G)",
      &bytes_kind, TO(cache_bytes) },
    { CLI_TRAINING, "merge", NULL, "Bake adapters into their weights in the end, before they are saved", &flag_kind,
      TO(merge) },
    { CLI_TRAINING | CLI_CACHE, "cache", "WHERE",
      "Keep these outputs in memory, in a FILE (a later run with the same frozen layers and data begins with it), or off: "
      "not at all; auto: in memory, and where that is too little, the run has several epochs, and half of what the disk "
      "has free suffices, in a file beside a folder of data or in ~/.cache/thaw, which is named (default: auto)",
      &text_kind, TO(cache) },
    { CLI_TRAINING | CLI_CACHE, "cache-file-bytes", "BYTES",
      "The largest that a file may be, such as 20G; 0: any size (default: 0)", &bytes_kind, TO(cache_file_bytes) },
    { CLI_TRAINING | CLI_CACHE, "cache-bf16", NULL, "Keep them as bfloat16: rounded, in half the bytes", &flag_kind,
      TO(cache_bf16) },
    { CLI_TRAINING | CLI_CACHE, "recompute", NULL,
      "Keep less for backward: compute normalisations and the activations after them again", &flag_kind,
      TO(recompute) },
    { CLI_TRAINING, "save", "FILE", "Write the weights here in the end (safetensors)", &text_kind, TO(save) },
    { CLI_BENCH, "strategies", "LIST",
      "Strategies, separated by blanks: full, head, last2 (any number), gradual, discriminative, bias-only, norm-only, "
      "lora:rank=8, lp-ft, surgical, top-down, scratch, or names of --strategy-file (default: full head)",
      &text_kind, TO(strategies) },
    { CLI_BENCH, "strategy-file", "FILE", "Strategies of your own (JSON; thaw/strategy.h describes it)", &text_kind,
      TO(strategy_file) },
    { CLI_BENCH, "optimizers", "LIST",
      "Optimizers, separated by blanks, such as 'sgd:lr=1e-2,momentum=0.9 adam ./lion.so:lr=1e-4' (default: adam)",
      &text_kind, TO(optimizers) },
    { CLI_BENCH, "seeds", "N", "Runs of each configuration, from --seed on (default: 3)", &positive_kind, TO(seeds) },
    { CLI_BENCH, "lr-sweep", "N",
      "Learning rates of each optimizer, half a decade apart, its own in the middle (default: 1)", &positive_kind,
      TO(rates) },
    { CLI_BENCH, "head", "PATTERN", "The head of the strategies (default: what --reset names, else the last block)",
      &text_kind, TO(head) },
    { CLI_BENCH, "target-accuracy", "X", "Tell the time until this test accuracy, such as 0.9", &share_kind,
      TO(target_accuracy) },
    { CLI_REPORT, "input", "FILE", "Results of thaw bench, or lines that benchmarks printed with --json; repeatable",
      &rule_kind, .rule = CLI_RULE_INPUT },
    { CLI_BENCH, "report", "FOLDER",
      "Where index.html, results.json, results.csv and TensorBoard's events go (default: report)", &text_kind,
      TO(report) },
    { CLI_REPORT, "report", "FOLDER", "Where index.html goes (default: report)", &text_kind, TO(report) },
    { CLI_BENCH, "jobs", "N",
      "Runs at a time, each on --threads threads, by default on an equal share of the cores (default: 1)",
      &threads_kind, TO(jobs) },
    { CLI_BENCH, "resume", NULL, "Do only the runs that the report lacks", &flag_kind, TO(resume) },
    { CLI_PRECISION, "precision", "TYPE",
      "What layers compute in: f32 (default), bf16, or bf16-emulated where the CPU has no instructions for bf16. "
      "Parameters, their gradients, losses and statistics stay f32",
      &precision_kind, TO(precision) },
    { CLI_FROZEN_PRECISION, "frozen-precision", "TYPE", "The same of the frozen prefix alone", &precision_kind,
      TO(frozen_precision) },
    { CLI_INFERENCE, "inference", NULL, "The plan of evaluation instead of training", &flag_kind, TO(inference) },
    { CLI_COMMON, "seed", "N", "Of initialisation, shuffling and dropout (default: 0)", &seed_kind, TO(seed) },
    { CLI_COMMON, "threads", "N", "Threads to compute with (default: one a core)", &threads_kind, TO(threads) },
    { CLI_COMMON, "json", NULL, "Print one JSON object a line", &flag_kind, TO(json) },
};

enum { ENTRIES = sizeof entries / sizeof entries[0], FIRST_KEY = 256 /* above the characters */ };

/* ---------------------------------------------------------------- parsing */

static error_t parse_one(int key, char *text, struct argp_state *state)
{
    cli_options *options = state->input;
    if (key == ARGP_KEY_ARG) {
        cli_misuse(text, "options begin with --; see '%s --help'", state->name);
        return EINVAL;
    }
    if (key < FIRST_KEY || key >= FIRST_KEY + ENTRIES)
        return ARGP_ERR_UNKNOWN;
    const entry *option = &entries[key - FIRST_KEY];
    void *value = (char *)options + option->offset;
    if (option->kind->parse(option, text, value, options))
        return 0;
    char name[64] = "--";
    cli_misuse(strncat(name, option->name, sizeof name - 3), "\"%s\", wanted %s", text, option->kind->wanted);
    return EINVAL;
}

static int check_needed(const cli_options *options, unsigned needs)
{
    for (size_t i = 0; i < ENTRIES; i++) {
        if (!(entries[i].set & needs) || entries[i].kind != &text_kind)
            continue;
        const void *value = (const char *)options + entries[i].offset;
        char name[64] = "--";
        if (!*(const char *const *)value)
            return cli_misuse(strncat(name, entries[i].name, sizeof name - 3), "is needed");
    }
    return CLI_DONE;
}

int cli_options_parse(int argc, char **argv, const char *name, const char *summary, unsigned takes, unsigned needs,
                      cli_options *options)
{
    *options = (cli_options){ .epochs = 1,
                              .batch = 128,
                              .cache = "auto",
                              .cache_bytes = (uint64_t)1 << 30,
                              .optimizer = "adam",
                              .optimizers = "adam",
                              .strategies = "full head",
                              .report = "report",
                              .seeds = 3,
                              .rates = 1 };
    options->rules = calloc((size_t)argc + 1, sizeof *options->rules);
    if (!options->rules)
        return cli_fail(name, "out of memory");
    struct argp_option taken[ENTRIES + 1] = { 0 };
    size_t count = 0;
    for (int i = 0; i < ENTRIES; i++)
        if (entries[i].set & takes)
            taken[count++] = (struct argp_option){
                .name = entries[i].name, .key = FIRST_KEY + i, .arg = entries[i].argument, .doc = entries[i].help
            };
    const struct argp parser = { .options = taken, .parser = parse_one, .doc = summary };
    char *full_name = strdup(name);
    if (!full_name)
        return cli_fail(name, "out of memory");
    argv[0] = full_name;
    const error_t error = argp_parse(&parser, argc, argv, 0, NULL, options);
    free(full_name);
    return error ? CLI_MISUSED : check_needed(options, needs);
}

void cli_options_release(cli_options *options)
{
    free(options->rules);
}
