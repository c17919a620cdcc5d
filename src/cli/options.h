/* The options of all commands. */
#ifndef THAW_CLI_OPTIONS_H
#define THAW_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <thaw/best.h>

#include "cli/numbers.h"

/* Options come in sets, of one bit each. A command says which of them it takes. */
enum {
    CLI_MODEL = 1 << 0,
    CLI_CLASSES = 1 << 1,
    CLI_LOAD = 1 << 2,
    CLI_RESET = 1 << 3,
    CLI_DATA = 1 << 4,
    CLI_TEST_DATA = 1 << 5,
    CLI_RULES = 1 << 6, /* freezing and optimizers */
    CLI_BATCH = 1 << 7,
    CLI_TRAINING = 1 << 8,
    CLI_INFERENCE = 1 << 9,
    CLI_COMMON = 1 << 10,
    CLI_RUNS = 1 << 11, /* of training, shared with comparisons */
    CLI_BENCH = 1 << 12,
    CLI_CACHE = 1 << 13, /* of training, those that a plan depends on */
    CLI_REPORT = 1 << 14,
    CLI_PRECISION = 1 << 15,
    CLI_FROZEN_PRECISION = 1 << 16,
    CLI_PROGRAM = 1 << 17,
    CLI_STRATEGY = 1 << 18,
    CLI_EPOCH = 1 << 19,
    CLI_PREDICT = 1 << 20,
    CLI_HEAD = 1 << 21,
    CLI_IMAGES = 1 << 22,   /* how images become samples */
    CLI_LAYER = 1 << 23,    /* of thaw embed */
    CLI_BY_CLASS = 1 << 24, /* figures by class */
    CLI_EMBED = 1 << 25,
    CLI_EXPORT = 1 << 26,
    CLI_LIST = 1 << 27,
    CLI_RATES = 1 << 28,
    CLI_TEXTS = 1 << 29 /* of the command line, for thaw predict and embed */
};

/* Options that may be repeated, in the order of the command line: actions on groups of parameters, and input files. */
typedef enum cli_rule_kind {
    CLI_RULE_RESET,
    CLI_RULE_FREEZE,
    CLI_RULE_UNFREEZE,
    CLI_RULE_FREEZE_BEFORE,
    CLI_RULE_GROUP,
    CLI_RULE_LORA,
    CLI_RULE_BIAS_ONLY,
    CLI_RULE_INPUT,
    CLI_RULE_RENAME,
    CLI_RULE_TEXT, /* of thaw predict and embed */
    CLI_RULE_WHAT_IF,
    CLI_RULE_ARGUMENT /* a word that is no option */
} cli_rule_kind;

typedef struct cli_rule {
    cli_rule_kind kind;
    const char *text;
} cli_rule;

/* How a run is spread over processes. */
typedef enum cli_spreading {
    CLI_RANKS_AUTO, /* over those that mpirun has started */
    CLI_RANKS_MPI,
    CLI_RANKS_OFF
} cli_spreading;

/* Neither: f32. */
typedef struct cli_precision {
    bool bfloat16, emulated; /* emulated: also on a CPU without the instructions */
} cli_precision;

/* Strings point into the command line. */
typedef struct cli_options {
    const char *model, *load, *save, *data, *cache, *test_data, *optimizer, *schedule;
    uint64_t classes, epochs, batch, seed, threads, cache_bytes, cache_file_bytes,
        max_bytes;               /* classes and threads: 0 means automatic */
    uint64_t shards, accumulate; /* 0: 1, or the ranks */
    bool sync_batch_norm;
    cli_spreading ranks;
    double timeout; /* seconds */
    const char *strategy, *strategy_file, *policy, *head;
    const char *loss, *class_weights, *sampling; /* NULL: by the task; none; uniform */
    double label_smoothing;
    const char *svg; /* of thaw lr-find, or NULL */
    double rate_from, rate_to;
    uint64_t rate_steps;                                     /* 0: the default */
    const char *dropout, *head_init;                         /* of the network, or NULL */
    bool resets;                                             /* the command takes --reset */
    unsigned takes;                                          /* the sets of the command's options */
    bool takes_arguments;                                    /* words that are no options */
    const char *images, *tokenizer;                          /* of thaw predict, or NULL */
    uint64_t top;                                            /* classes that it prints */
    const char *layer, *output;                              /* of thaw embed; output NULL: standard output */
    bool confusion, per_class;                               /* of thaw evaluate */
    const char *csv, *html;                                  /* its files, or NULL */
    const char *onnx;                                        /* file of thaw export */
    bool probabilities;                                      /* are its output */
    const char *best, *save_broken;                          /* files, or NULL */
    thaw_monitor monitor;                                    /* of the best epoch */
    uint64_t patience;                                       /* 0: none */
    uint64_t test_every;                                     /* epochs; 0: 1 */
    const char *log;                                         /* folder, or NULL */
    uint64_t log_every;                                      /* steps */
    const char *optimizers, *strategies, *policies, *report; /* of thaw bench */
    uint64_t seeds, rates, jobs;                             /* jobs 0: 1 */
    double target_accuracy, target_loss;                     /* 0: none */
    uint64_t trials;                                         /* 0: none */
    const char *search;                                      /* a file, or NULL */
    double validation_share;                                 /* 0: the default */
    bool resume, race;
    const char *checkpoint; /* a folder */
    cli_interval checkpoint_every;
    uint64_t keep;                                      /* 0: 3 */
    double clip_norm;                                   /* 0: none */
    double mixup, cutmix, feature_mixup, feature_noise; /* 0: none */
    double average_decay;                               /* 0: no average */
    double learning_rate;                               /* of `optimizer`; -1: its own */
    bool program, profile;                              /* of thaw plan */
    uint64_t steps, epoch, run_epochs;                  /* run_epochs 0: as many as needed */
    bool override; /* the command line's word counts, whatever the file of --load says of itself */
    bool cache_bf16, recompute, drop_last, merge, inference, json;
    cli_precision precision, frozen_precision;
    cli_rule *rules;
    size_t rule_count;
    char *line; /* the command line, quoted for a shell */
} cli_options;

#endif
