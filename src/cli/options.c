/* The table of all options, from which --help, the manual pages and shell completion are made. */
#include <stddef.h>

#include "cli/option_kinds.h"

#define TO(field) .offset = offsetof(cli_options, field)

const cli_option cli_option_table[] = {
    { CLI_MODEL, "model", "NAME",
      "Network, such as resnet18, resnet18:size=64 or mlp:hidden=64x32; 'thaw models' lists them. Or a folder as downloaded "
      "from the Hub, with config.json and model.safetensors, whose weights are then loaded, too, unless --load names others",
      &cli_kind_model, TO(model) },
    { CLI_CLASSES, "classes", "N", "Outputs of the network (default: its own)", &cli_kind_positive, TO(classes) },
    { CLI_LOAD, "load", "FILE",
      "Load weights from this safetensors file. If Thaw wrote it, it says which network, images and classes it is for: "
      "--model and options of --data have them as defaults",
      &cli_kind_file, TO(load) },
    { CLI_LOAD, "override", NULL,
      "Let --model, --data and --images contradict what the file of --load says of itself, which is otherwise an error; classes "
      "are then matched by number, not by name",
      &cli_kind_flag, TO(override) },
    { CLI_LOAD, "rename", "OLD=NEW",
      "Names of tensors in the file of --load that begin with OLD begin with NEW instead, such as module.= or "
      "backbone.=features.; may be repeated, and is applied in order",
      &cli_kind_rule, .rule = CLI_RULE_RENAME },
    { CLI_RESET, "reset", "PATTERN",
      "Reinitialise these groups or parameters after loading; they may be missing from the file, or have another "
      "shape in it",
      &cli_kind_rule, .rule = CLI_RULE_RESET },
    { CLI_DATA, "data", "SPEC",
      "Data set, or the path of one: fashion-mnist[:OPTIONS], idx:IMAGES,LABELS[;OPTIONS], folder:PATH[;OPTIONS] with one sub-folder of "
      "JPEG or PNG files per class, npy:X.npy,Y.npy[;OPTIONS] or npz:FILE[;OPTIONS], csv:FILE;label=COLUMN[;OPTIONS], "
      "text:FILE;label=COLUMN;text=COLUMN[;OPTIONS]. "
      "OPTIONS, separated by ';', are classes=A-B, per-class=N and repeat=N for all; dir=PATH for fashion-mnist; test=IMAGES,LABELS for idx; "
      "test=X.npy,Y.npy for npy; x=NAME and y=NAME for npz; task=classes|labels|regression, layout=hwc|chw, "
      "split=SHARE and seed=N for both; scale-target=no for these, csv and idx; channels=3 for idx, npy and npz; header=no, delimiter=C, skip=COLUMN,..., "
      "categories=COLUMN,..., missing=error|mean|drop, task=..., test=FILE, split=SHARE and seed=N for csv; "
      "second=COLUMN, tokenizer=PATH, length=N, task=lm, test=FILE, split=SHARE and seed=N for text; size=N, resize=N, channels=1|3, mean=X,X,X, std=X,X,X, "
      "augment=TRANSFORM[:NAME=X,...]+..., views=N, decode=full, on-error=fail, val=SHARE, seed=N and threads=N for folder; labels=FILE with "
      "file=COLUMN, label=COLUMN,..., test=FILE, task=... and unlisted=skip for a folder with its labels in a table",
      &cli_kind_data, TO(data) },
    { CLI_IMAGES, "images", "OPTIONS",
      "How images become samples: size=N, resize=N, channels=1|3, mean=X,X,X, std=X,X,X and decode=full of a folder, "
      "separated by ';' (default: as the file of --load says, otherwise as for a folder of images)",
      &cli_kind_text, TO(images) },
    { CLI_PREDICT, "output", "FILE",
      "Write the answers to this file instead: a table (CSV) with a column for each predicted number or label, or class "
      "and probability; with --json, the same lines",
      &cli_kind_file, TO(output), .letter = 'o' },
    { CLI_PREDICT, "top", "N", "Classes to tell for each image or row, the most probable first (default: 1)",
      &cli_kind_positive, TO(top) },
    { CLI_TEXTS, "text", "TEXT",
      "Answer to this text, or to a pair with a tab between both; may be repeated. Only for weights that were trained on "
      "texts",
      &cli_kind_rule, .rule = CLI_RULE_TEXT },
    { CLI_TEXTS, "tokenizer", "PATH",
      "Where the tokenizer of texts is, if not where it was in training: a folder with tokenizer.json, vocab.txt, or "
      "vocab.json and merges.txt, or one of these files",
      &cli_kind_file, TO(tokenizer) },
    { CLI_LAYER, "layer", "NAME", "The layer whose values are the vectors, such as avgpool; thaw summary lists them",
      &cli_kind_text, TO(layer) },
    { CLI_EMBED, "output", "FILE", "Write the array to this file (default: standard output)", &cli_kind_file,
      TO(output), .letter = 'o' },
    { CLI_BY_CLASS, "per-class", NULL,
      "Also print precision, recall, F1 and ROC AUC (against all other classes) of each class, and their means",
      &cli_kind_flag, TO(per_class) },
    { CLI_BY_CLASS, "confusion", NULL,
      "Also print the confusion matrix: how many samples of each class were taken for each class. If it is wider than "
      "the terminal, print the most frequent confusions",
      &cli_kind_flag, TO(confusion) },
    { CLI_BY_CLASS, "csv", "FILE",
      "Write a table with the figures of each class, and its row of the confusion matrix, to this file", &cli_kind_file,
      TO(csv) },
    { CLI_BY_CLASS, "html", "FILE",
      "Write a page with the confusion matrix and the figures of each class to this file; it needs no network",
      &cli_kind_file, TO(html) },
    { CLI_EXPORT, "onnx", "FILE", "Write the network to this file of ONNX", &cli_kind_file, TO(onnx) },
    { CLI_EXPORT, "probabilities", NULL, "End the network with softmax; its output is then called \"probabilities\"",
      &cli_kind_flag, TO(probabilities) },
    { CLI_TEST_DATA, "test-data", "SPEC", "Test on this data set, prepared as the training data", &cli_kind_data,
      TO(test_data) },
    { CLI_DATA, "max-bytes", "SIZE",
      "Refuse files of arrays whose samples would take more memory than this, before they are unpacked (default: the "
      "machine's memory)",
      &cli_kind_most_bytes, TO(max_bytes) },
    { CLI_RULES, "freeze", "PATTERN[@EPOCH]",
      "Freeze these groups or parameters, or a part such as @body, from the start or from EPOCH on", &cli_kind_rule,
      .rule = CLI_RULE_FREEZE },
    { CLI_RULES, "unfreeze", "PATTERN[@EPOCH]",
      "Unfreeze these groups or parameters, or a part such as @top:2, from the start or from EPOCH on", &cli_kind_rule,
      .rule = CLI_RULE_UNFREEZE },
    { CLI_RULES, "freeze-before", "PATTERN", "Freeze every group before the first that matches", &cli_kind_rule,
      .rule = CLI_RULE_FREEZE_BEFORE },
    { CLI_RULES, "optimizer", "SPEC",
      "Optimizer of all groups, such as sgd:lr=0.1,momentum=0.9; 'thaw optimizers' lists them (default: adam)",
      &cli_kind_optimizer, TO(optimizer) },
    { CLI_RULES, "lr", "X", "Learning rate of --optimizer, the same as lr=X there (default: the optimizer's)",
      &cli_kind_rate, TO(learning_rate) },
    { CLI_RULES, "group", "PATTERN:SETTINGS",
      "Settings of some groups: lr=X and weight_decay=X (or wd=X), or optimizer=NAME and its hyper-parameters",
      &cli_kind_rule, .rule = CLI_RULE_GROUP },
    { CLI_RULES, "lora", "PATTERN:SETTINGS",
      "Add low-rank adapters to these weights and freeze the weights: rank=N (default: 8), alpha=X (default: the rank)",
      &cli_kind_rule, .rule = CLI_RULE_LORA },
    { CLI_RULES, "bias-only", "PATTERN", "Train only the biases of these groups", &cli_kind_rule,
      .rule = CLI_RULE_BIAS_ONLY },
    { CLI_BATCH, "batch", "N", "Samples per step (default: 128)", &cli_kind_positive, TO(batch), .alias = "batch-size",
      .letter = 'b' },
    { CLI_TRAINING | CLI_CACHE, "shards", "S",
      "Compute each step in S parts of the batch, one after another in the memory of one, and add up their gradients. "
      "Must divide --batch, and be a multiple of the ranks (default: the ranks)",
      &cli_kind_shards, TO(shards) },
    { CLI_TRAINING, "accumulate", "N",
      "The same: accumulate the gradients of N parts of the batch before each update. On several "
      "ranks, N parts on each",
      &cli_kind_shards, TO(accumulate) },
    { CLI_TRAINING | CLI_CACHE, "sync-batch-norm", NULL,
      "Normalise by the whole batch, as PyTorch's SyncBatchNorm, where otherwise each part of --shards, --accumulate "
      "and ranks uses its own. The parts of a rank are then in memory at the same time",
      &cli_kind_flag, TO(sync_batch_norm) },
    { CLI_TRAINING | CLI_BENCH, "ranks", "WHERE",
      "Other processes to train with, or in bench to share the runs with: mpi; off for none; auto for those that "
      "mpirun has started, of Open MPI or MPICH (default: auto)",
      &cli_kind_spreading, TO(ranks) },
    { CLI_TRAINING | CLI_BENCH, "timeout", "SECONDS",
      "Stop if another rank does not answer for so long; in bench, ranks wait for the longest run (default: 300, in "
      "bench a day)",
      &cli_kind_norm, TO(timeout) },
    { CLI_TRAINING | CLI_RUNS, "epochs", "N", "Passes over the data (default: 1)", &cli_kind_positive, TO(epochs) },
    { CLI_TRAINING, "schedule", "SPEC",
      "Schedule of the learning rates: constant, step:gamma=0.1,every=2, cosine:floor=0.01 or one-cycle:rising=0.3, each "
      "also with warmup_epochs=N (default: constant)",
      &cli_kind_schedule, TO(schedule) },
    { CLI_TRAINING, "loss", "LOSS",
      "Loss: cross-entropy for classes, bce for several labels; mse, mae, or huber:delta=X for regression (default: "
      "cross-entropy, bce or mse, as the data's targets are). That of a single number is told in the units of the "
      "target, for mse and huber their square, also where targets are standardised; delta, and the loss of several "
      "numbers, count in standard deviations",
      &cli_kind_loss, TO(loss) },
    { CLI_TRAINING, "class-weights", "WEIGHTS",
      "Weights of the classes in the cross-entropy, as PyTorch's: one for each class, separated by commas; or balanced, "
      "samples / (classes * samples of the class)",
      &cli_kind_class_weights, TO(class_weights) },
    { CLI_TRAINING, "label-smoothing", "SHARE",
      "Share of each label that is spread over all classes in the cross-entropy, such as 0.1 (default: 0)",
      &cli_kind_share, TO(label_smoothing) },
    { CLI_TRAINING, "sampling", "HOW",
      "uniform: each sample once per epoch; balanced: draw as many, each class equally often, anew in each epoch, for any "
      "number of threads and ranks the same (default: uniform)",
      &cli_kind_sampling, TO(sampling) },
    { CLI_TRAINING, "clip-norm", "X", "Scale gradients down to this global norm", &cli_kind_norm, TO(clip_norm) },
    { CLI_TRAINING, "mixup", "ALPHA", "Mix each sample and its target with another, by shares from Beta(ALPHA, ALPHA)",
      &cli_kind_norm, TO(mixup) },
    { CLI_TRAINING, "cutmix", "ALPHA",
      "Replace a part of each image by that of another, and mix the targets; beside --mixup, each batch has one of both",
      &cli_kind_norm, TO(cutmix) },
    { CLI_TRAINING, "feature-mixup", "ALPHA",
      "Mix the outputs of the frozen layers instead of samples, which may then be cached", &cli_kind_norm,
      TO(feature_mixup) },
    { CLI_TRAINING, "feature-noise", "X",
      "Multiply each channel of the frozen layers' outputs by a normal number of mean 1 and this deviation",
      &cli_kind_norm, TO(feature_noise) },
    { CLI_TRAINING, "drop-last", NULL, "Skip the last batch of an epoch if it is smaller than the others",
      &cli_kind_flag, TO(drop_last) },
    { CLI_TRAINING | CLI_RUNS | CLI_CACHE, "cache-bytes", "BYTES",
      "Memory for the outputs of a frozen prefix, such as 512M; 0 for none (default: 1G)", &cli_kind_bytes,
      TO(cache_bytes) },
    { CLI_TRAINING, "merge", NULL, "Merge adapters into their weights after training, before saving", &cli_kind_flag,
      TO(merge) },
    { CLI_TRAINING | CLI_CACHE, "cache", "WHERE",
      "Where to keep the outputs of a frozen prefix: memory, off, or a FILE, which later runs with the same frozen "
      "layers and data reuse; those of test data are then in FILE.test. auto uses memory, or a file if they do not fit "
      "and several epochs use them (default: auto)",
      &cli_kind_cache, TO(cache) },
    { CLI_TRAINING | CLI_CACHE, "cache-file-bytes", "BYTES",
      "Largest size of both files together, such as 20G; 0 for any size (default: 0)", &cli_kind_bytes,
      TO(cache_file_bytes) },
    { CLI_TRAINING | CLI_CACHE, "cache-bf16", NULL, "Keep these outputs in bfloat16: rounded, in half the space",
      &cli_kind_flag, TO(cache_bf16) },
    { CLI_TRAINING | CLI_CACHE, "recompute", NULL,
      "Save memory: recompute normalisations, and the activations after them, during backward", &cli_kind_flag,
      TO(recompute) },
    { CLI_TRAINING, "save", "FILE", "Save the weights to this safetensors file after training", &cli_kind_file,
      TO(save), .alias = "output", .letter = 'o' },
    { CLI_TRAINING, "ema", "DECAY",
      "Average the weights over the steps: an exponential moving average with this decay, such as 0.999. Test figures and "
      "--best are then those of the average, and --save saves it, too, beside the weights: in x.ema.safetensors for "
      "x.safetensors",
      &cli_kind_decay, TO(average_decay) },
    { CLI_TRAINING, "save-broken", "FILE",
      "If the run stops because a weight or the loss is not finite, save the weights to this file, which must not exist. "
      "--save and --best keep what they have. --load refuses the file",
      &cli_kind_file, TO(save_broken) },
    { CLI_TRAINING, "best", "FILE",
      "Save the weights of the best epoch so far to this safetensors file. A failure to write costs a warning, not the "
      "run. Adapters stay beside their weights: --merge is for --save",
      &cli_kind_file, TO(best) },
    { CLI_TRAINING, "monitor", "FIGURE",
      "What decides about --best and --patience: loss, test-loss, test-accuracy, test-top5 for top-5 accuracy, or test-f1 "
      "for macro F1. Only a strictly better figure counts (default: test-accuracy if there are test data, else loss)",
      &cli_kind_monitor, TO(monitor) },
    { CLI_TRAINING, "patience", "N", "End the run after N successive epochs without a better figure (default: never)",
      &cli_kind_positive, TO(patience) },
    { CLI_TRAINING, "test-every", "N",
      "Test after every N epochs, and after the last. Epochs without a test neither are the best by a test figure nor "
      "count for --patience (default: 1)",
      &cli_kind_positive, TO(test_every) },
    { CLI_TRAINING, "log", "FOLDER",
      "Log the run: steps.csv and epochs.csv, with losses, rates, norms of gradients and updates by block, speed and "
      "memory, with several ranks what each sends in a step, and the same as TensorBoard's events",
      &cli_kind_folder, TO(log) },
    { CLI_TRAINING, "log-every", "N", "Steps between two rows of steps.csv (default: 50)", &cli_kind_positive,
      TO(log_every) },
    { CLI_TRAINING, "checkpoint", "FOLDER",
      "Write checkpoints into this folder, from which --resume continues with the same bits. Signals that stop the run "
      "write one, too",
      &cli_kind_folder, TO(checkpoint) },
    { CLI_TRAINING, "checkpoint-every", "INTERVAL",
      "Time, steps or epochs from one checkpoint to the next, such as 10m, 500steps or 1epoch (default: 1epoch)",
      &cli_kind_interval, TO(checkpoint_every) },
    { CLI_TRAINING, "keep", "N", "Checkpoints to keep (default: 3)", &cli_kind_positive, TO(keep) },
    { CLI_TRAINING, "resume", NULL,
      "Continue from the newest whole checkpoint in the folder of --checkpoint, or start anew if it has none. The other "
      "options must be the same, but for --epochs, --threads and paths",
      &cli_kind_flag, TO(resume) },
    { CLI_BENCH, "strategies", "LIST",
      "Strategies, separated by blanks or commas: full, head, last2 (any number), gradual, discriminative, bias-only, norm-only, "
      "lora:rank=8, lp-ft, surgical, top-down, scratch, or names from --strategy-file (default: full head)",
      &cli_kind_strategy, TO(strategies) },
    { CLI_BENCH, "policies", "LIST",
      "Policies to run beside them, separated by blanks, such as 'auto autofreeze random'", &cli_kind_policy,
      TO(policies) },
    { CLI_STRATEGY, "strategy", "NAME",
      "What trains when: full, head, last2 (any number), gradual, discriminative, bias-only, norm-only, lora:rank=8, "
      "lp-ft, surgical, top-down, scratch, or a name from --strategy-file. Its rules come before those with @EPOCH of "
      "the same epoch, and after all other options",
      &cli_kind_strategy, TO(strategy) },
    { CLI_TRAINING, "policy", "POLICY",
      "Decide during training what trains, such as auto:tolerance=0.5% or ./mine.so; 'thaw policies' lists them. Not with "
      "--strategy or @EPOCH",
      &cli_kind_policy, TO(policy) },
    { CLI_BENCH | CLI_STRATEGY, "strategy-file", "FILE",
      "JSON file of your own strategies; thaw/strategy.h describes its format", &cli_kind_file, TO(strategy_file) },
    { CLI_BENCH, "optimizers", "LIST",
      "Optimizers, separated by blanks or commas, such as 'sgd:lr=1e-2,momentum=0.9 adam ./lion.so:lr=1e-4' (default: adam)",
      &cli_kind_optimizer, TO(optimizers) },
    { CLI_BENCH, "seeds", "N", "Runs of each configuration, with the seeds from --seed on (default: 3)",
      &cli_kind_positive, TO(seeds) },
    { CLI_BENCH, "lr-sweep", "N",
      "Learning rates to try for each optimizer, half a decade apart, with its own in the middle (default: 1)",
      &cli_kind_positive, TO(rates) },
    { CLI_BENCH, "trials", "N",
      "Tune first: try N settings of each optimizer with each strategy on a part of the training data, and run those that are "
      "the best on the rest, the validation data; see COMPARISONS in thaw(1)",
      &cli_kind_positive, TO(trials) },
    { CLI_BENCH, "search", "FILE",
      "JSON file of the space of --trials: a range or a list for each hyper-parameter; thaw/compare.h describes its format "
      "and the default",
      &cli_kind_file, TO(search) },
    { CLI_BENCH, "validation", "SHARE", "Share of the training data for the validation of --trials (default: 0.2)",
      &cli_kind_decay, TO(validation_share) },
    { CLI_HEAD, "head", "HEAD",
      "Put a new head on the network: linear, or mlp:UNITS such as mlp:256 or mlp:256x64. --load leaves it out, unless "
      "the file has the same. Or a pattern of the groups that strategies take for the head (default: the new head, else "
      "what --reset names, else the last block)",
      &cli_kind_head, TO(head) },
    { CLI_RATES, "from", "RATE", "First learning rate (default: 1e-7)", &cli_kind_norm, TO(rate_from) },
    { CLI_RATES, "to", "RATE", "Last learning rate (default: 10)", &cli_kind_norm, TO(rate_to) },
    { CLI_RATES, "steps", "N", "Steps from one to the other (default: 100)", &cli_kind_positive, TO(rate_steps) },
    { CLI_RATES, "svg", "FILE", "Draw the chart into this file, too", &cli_kind_file, TO(svg) },
    { CLI_HEAD, "dropout", "P", "Dropout rate before the head, in training (default: the network's own)",
      &cli_kind_text, TO(dropout) },
    { CLI_HEAD, "head-init", "NAME",
      "Initial weights of the head: default (PyTorch's), zeros, normal, xavier_uniform, xavier_normal, kaiming_uniform, "
      "kaiming_normal or kaiming_normal_fan_out. They count if the head is new or reset (default: PyTorch's for a new "
      "head, else the network's own)",
      &cli_kind_initializer, TO(head_init) },
    { CLI_BENCH, "target-accuracy", "X",
      "Rank by the time and the steps until this test accuracy is reached, such as 0.9; runs that never reach it count as "
      "such",
      &cli_kind_share, TO(target_accuracy) },
    { CLI_BENCH, "target-loss", "X", "The same until the test loss is at most this, such as 0.3", &cli_kind_norm,
      TO(target_loss) },
    { CLI_REPORT, "input", "FILE",
      "Results of thaw bench, or lines that a benchmark printed with --json; may be repeated", &cli_kind_input,
      .rule = CLI_RULE_INPUT },
    { CLI_BENCH, "report", "FOLDER",
      "Folder for index.html, results.json, results.csv and TensorBoard's events (default: report)", &cli_kind_folder,
      TO(report) },
    { CLI_REPORT, "report", "FOLDER", "Folder for index.html (default: report)", &cli_kind_folder, TO(report) },
    { CLI_BENCH, "jobs", "N",
      "Runs at a time, each on --threads threads, otherwise on an equal share of the cores (default: 1)",
      &cli_kind_threads, TO(jobs) },
    { CLI_BENCH, "race", NULL, "Stop what is already beaten; see COMPARISONS in thaw(1)", &cli_kind_flag, TO(race) },
    { CLI_BENCH, "resume", NULL, "Run only what the report lacks", &cli_kind_flag, TO(resume) },
    { CLI_PRECISION, "precision", "TYPE",
      "Data type that layers compute in: f32, bf16, or bf16-emulated for CPUs without bf16 instructions. Parameters, "
      "their gradients, losses and statistics stay f32 (default: f32)",
      &cli_kind_precision, TO(precision) },
    { CLI_FROZEN_PRECISION, "frozen-precision", "TYPE", "The same for the frozen prefix only", &cli_kind_precision,
      TO(frozen_precision) },
    { CLI_INFERENCE, "inference", NULL, "Plan evaluation instead of a training step", &cli_kind_flag, TO(inference) },
    { CLI_EPOCH, "epoch", "N", "Plan this epoch: apply the rules of --strategy and @EPOCH up to it (default: 1)",
      &cli_kind_positive, TO(epoch) },
    { CLI_EPOCH, "epochs", "N", "Epochs of the run (default: --epoch, at least 2)", &cli_kind_positive,
      TO(run_epochs) },
    { CLI_PROGRAM, "program", NULL, "List the instructions that a step runs, in order, with their operands",
      &cli_kind_flag, TO(program) },
    { CLI_PROGRAM, "profile", NULL,
      "Train some steps on random samples, and add each instruction's time and its share of the step. Times are means "
      "over the faster half of the steps and, unlike medians, add up to the time of the step",
      &cli_kind_flag, TO(profile) },
    { CLI_PROGRAM, "what-if", "PATTERN",
      "Train some steps on random samples, and tell what a step would cost if this were frozen, too: a pattern, or a "
      "part of the network such as @body or @bottom:2. May be repeated",
      &cli_kind_rule, .rule = CLI_RULE_WHAT_IF },
    { CLI_PROGRAM, "steps", "N", "Steps that --profile and --what-if measure (default: 20)", &cli_kind_positive,
      TO(steps) },
    { CLI_COMMON, "seed", "N", "Seed of initialisation, shuffling and dropout (default: 0)", &cli_kind_seed, TO(seed) },
    { CLI_COMMON, "threads", "N", "Threads to compute with (default: one per core)", &cli_kind_threads, TO(threads) },
    { CLI_COMMON | CLI_LIST, "json", NULL, "Print one JSON object per line", &cli_kind_flag, TO(json) },
};

const size_t cli_option_count = sizeof cli_option_table / sizeof cli_option_table[0];
