/* The topics of thaw.1 that belong to no single command. */
#include <thaw/base.h>

#include "cli/generate.h"

const cli_manual_topic cli_manual_topics[] = {
    { "PATTERNS",
      "Options that select parts of a network take a shell-style pattern: * ? [a-z] {a,b}, and | for alternatives. A "
      "pattern is matched against the names of groups (a layer's parameters: conv1) and of single parameters "
      "(conv1.bias). A pattern that matches nothing is an error. List the names with thaw summary.\n\n"
      "Options that freeze and unfreeze also take a part that every network has: @head, @body, @top:N and @bottom:N "
      "(blocks), @bias and @norm. The head is a new head, or what --head or --reset names, otherwise the last block. Rules with an "
      "EPOCH, and those of --strategy, are applied before the epochs that they name; with --json, the event of an "
      "epoch lists what they did." },

    { "DATA SETS",
      "--data and --test-data take a kind of data set and options, separated by semicolons:\n\n"
      "  fashion-mnist[:OPTIONS]\n"
      "  idx:IMAGES,LABELS[;OPTIONS]\n"
      "  folder:PATH[;OPTIONS]\n"
      "  npy:X.npy,Y.npy[;OPTIONS]\n"
      "  npz:FILE[;OPTIONS]\n"
      "  csv:FILE;label=COLUMN[;OPTIONS]\n"
      "  text:FILE;label=COLUMN;text=COLUMN[;OPTIONS]\n\n"
      "fashion-mnist reads Debian's package dataset-fashion-mnist, or another folder with dir=PATH. The kind idx "
      "reads a pair of IDX files, gzip or not; test=IMAGES,LABELS names the test data.\n\n"
      "All kinds accept classes=A-B (the classes to use, renumbered from 0), per-class=N (the first N training "
      "samples of each) and repeat=N (each sample N times per epoch).\n\n"
      "The kind folder reads a folder with one sub-folder of JPEG or PNG files per class. Classes are numbered by "
      "name. Sub-folders train/ and val/ are the training and test data if they exist; otherwise a fifth of each "
      "class becomes test data (val=0.2, seed=1). By default, images get torchvision's evaluation transform: resize "
      "the shorter side to 256, cut out the middle 224 x 224, normalise by ImageNet's mean and deviation. Change that "
      "with size=N, resize=N, channels=1|3, mean=X,X,X and std=X,X,X. With augment=crop-flip, a random part is cut "
      "out and flipped at random, as seed, epoch and sample determine; the feature cache is then off. With "
      "decode=full, JPEG files are decoded at full size. A broken image is skipped with a warning, or is an error "
      "with on-error=fail. Images are decoded ahead of training, by threads=N threads.\n\n"
      "With labels=FILE, the labels of the images are in a table, one row each, as of the kind csv: file=COLUMN has their "
      "paths, relative to the folder (by default the first column), and label=COLUMN the class, several columns of 0 and 1, "
      "or numbers to predict (by default the last). Test data are test=FILE, another table, or a share val=SHARE. An image "
      "that is missing or listed twice is an error, and so is one without a row, unless unlisted=skip is given.\n\n"
      "The kinds npy and npz read arrays of NumPy: X is [N, features], or images [N, height, width], [N, height, width, "
      "channels] or [N, channels, height, width] (layout=hwc|chw where that is not plain); those of bytes are divided by "
      "255. Y is [N] or [N, columns]: whole numbers in one column are classes, columns of 0 and 1 are several labels, "
      "all else is regression; task=classes|labels|regression overrides that. In an archive, x=NAME and y=NAME name the "
      "arrays; the default is the first of x, X, data, images, arr_0, x_train and X_train, and of y, Y, labels, target, "
      "arr_1, y_train and Y_train. Test data are test=X.npy,Y.npy, or x_test and y_test in the archive, or a share "
      "split=SHARE of the samples, drawn by seed=N.\n\n"
      "The kind csv reads a table with the names of its columns in the first line (header=no: there are none; columns are "
      "then named by their numbers, from 1). label=COLUMN names the targets, several with commas. Text and up to 20 "
      "different whole numbers are classes, several columns of 0 and 1 are several labels, all else is regression; "
      "task=classes|labels|regression overrides that. All other columns are inputs, except those that skip=COLUMN,... "
      "names. Numbers are standardised by the training part, text becomes one input for each category, and so do the "
      "numbers of categories=COLUMN,... A cell without a value is an error; missing=mean gives it the mean, and "
      "missing=drop leaves out its row. Fields are separated by delimiter=C: one character, comma, semicolon, tab or "
      "blank. Test data are test=FILE, or a share split=SHARE of the rows, drawn by seed=N. Files of weights keep the "
      "columns, their means and deviations, the categories, and what missing= says, so that --load finds columns by name "
      "and scales them as in training, and thaw predict reads a table without targets.\n\n"
      "Without a kind, --data takes the path of a folder of images, of a .csv, .tsv or .npz file, or two files, separated "
      "by a comma, of npy or idx. For idx, npy and npz, channels=3 repeats images of one channel for networks of three." },

    { "TEXTS",
      "The kind text reads texts with classes: CSV (FILE ends with .csv), JSON lines (.jsonl), whose keys are columns, or "
      "lines of fields between tabs, each gzip or not. label=COLUMN has the classes, text=COLUMN the texts, and "
      "second=COLUMN the second ones of pairs. If all columns are given by number, from 1, the first line is a sample. Test "
      "data are test=FILE, or a share split=SHARE of the rows, drawn by seed=N.\n\n"
      "tokenizer=PATH is a folder with tokenizer.json, with vocab.txt, or with vocab.json and merges.txt, or one of these "
      "files. The default is the folder of --model, if that is one, and what the file of --load says. length=N is the most "
      "tokens of a text, with the special ones (default: 128); longer texts are cut. A network that has the option length gets "
      "it from the data. Texts are tokenised once, before training, by all threads.\n\n"
      "Each sample has token_ids, lengths and token_types, of which a network takes what it has inputs for. Training makes "
      "batches of like lengths, and evaluation sorts all samples by length, so that little is padded. What is not UTF-8 "
      "becomes U+FFFD, with a warning. A text without tokens, a label that only the test data have, and a vocabulary that is "
      "larger than the network's are errors.\n\n"
      "With task=lm the file is a plain text, cut into windows of length tokens, whose targets are the tokens that follow.\n\n"
      "Files of weights keep the columns, the length, the classes, and the tokenizer's path and fingerprint, so that "
      "thaw evaluate --load FILE --data text:new.tsv needs no more, and thaw predict takes texts: --text, or a file with one on "
      "each line. A tokenizer that has changed is an error." },

    { "TASKS",
      "The targets of a data set decide what is trained: classes with the cross-entropy, several labels with the binary "
      "cross-entropy of each (--loss bce), numbers with --loss mse, mae or huber:delta=X. After training, and by thaw "
      "evaluate, regression is judged by the mean absolute error (MAE), the root of the mean squared error (RMSE) and "
      "R2, on the test data and in the units of the targets; several labels by the accuracy of each. With --json these "
      "are the event targets. mlp-500 and mlp-512 take samples of any shape, such as the rows of a table."
      "\n\n"
      "Numbers to predict are standardised by the mean and deviation of the training part, so that prices of 200,000 train "
      "with the same learning rates as shares of 1; scale-target=no leaves them as they are. Files of weights keep both. "
      "The losses of epochs, tests and --monitor, the errors and all predictions are in the units of the target (mse and "
      "huber: their square). Only delta of --loss huber, and the loss where several numbers are predicted, count in "
      "standard deviations."
      "\n\n"
      "Where classes have different numbers of samples, --class-weights balanced gives each the same weight in the "
      "loss, and --sampling balanced draws them equally often." },

    { "FILES OF WEIGHTS",
      "Weights are kept in safetensors files, with PyTorch's names and layouts. What the command writes also says what it "
      "is for: the network and its options, the names of the classes in order, how images become samples (size, resize, "
      "channels, mean, std and decode of a folder), the columns and the tokenizer of texts, Thaw's version, and the command that wrote it. The format's metadata "
      "hold these notes; thaw/notes.h lists them.\n\n"
      "With --load FILE, they are the defaults of --model and of the options of --data and --test-data. What contradicts "
      "them is an error, unless --override is given. Classes are matched by name: test images of some of the classes "
      "have the right labels, and an unknown class is an error. When fine-tuning with --reset, the data determine the "
      "classes. Adapters that were saved without --merge are added to the network, and their weights frozen. Files of "
      "other programs have no such notes, so that all options are needed." },

    { "FEATURE CACHE",
      "The outputs of a frozen prefix are the same in each epoch, so later epochs reuse them. Results are the same, "
      "bit for bit. With --cache memory, the outputs are kept in memory, up to --cache-bytes. With --cache FILE, they "
      "are kept in a file that is read through the system's page cache; a later run with the same frozen layers and "
      "data reuses it. If the end of the prefix does not fit the budget, the plan looks for an earlier layer with "
      "smaller outputs.\n\n"
      "--cache auto, the default, uses memory. It uses a file if the outputs do not fit there, at least two successive "
      "epochs have the same frozen prefix, and half of the free disk space suffices. The file is beside the data folder "
      "(flowers.resnet18.features beside flowers), otherwise in ~/.cache/thaw, and its name is printed at the end. If "
      "rules by epoch (PATTERN@EPOCH, or --strategy) change the frozen prefix, its file is rebuilt." },

    { "PRECISION",
      "On CPUs with AVX512_BF16, --precision bf16 computes all layers in bfloat16, and --frozen-precision bf16 only "
      "those of the frozen prefix. Weights, their gradients, losses, statistics and the optimizer's state stay f32. "
      "Layers without bfloat16 kernels compute in f32; thaw plan shows the type of each." },

    { "SEVERAL MACHINES",
      "thaw train and thaw finetune are spread over processes (ranks) by mpirun, of Open MPI or MPICH, with the same "
      "options as alone:\n\n"
      "  mpirun -n 4 thaw finetune --model resnet18 ...\n\n"
      "Each step's batch is cut into --shards parts, a multiple of the ranks, and each rank reads and computes its own. "
      "With the same --shards and --threads, any number of ranks gives the same weights, bit for bit. A run may continue "
      "from its checkpoint on another number of ranks; the folder must be one that all see. The batch is that of all "
      "ranks together, and --threads counts for each rank. Batch normalisation uses the statistics of each part, or with "
      "--sync-batch-norm those of the whole batch: ranks then wait for each other in each such layer, and the parts of a "
      "rank are in memory at the same time. A folder of images is listed by rank 0 alone; the others open its files, which must be "
      "the same ones by name, size and time. Evaluation is spread, too. So is the feature cache, which is then in "
      "memory: --cache-bytes is that of all ranks.\n\n"
      "Rank 0 alone prints, saves, logs and writes checkpoints. Ranks that disagree in the network, weights, data or "
      "options stop before the first step. A rank that does not answer for --timeout seconds stops the others: allow for "
      "what one rank does while the others wait, such as listing a large folder, or saving weights at the end. A signal "
      "to one rank stops all after the same step; mpirun ends ranks that take longer than a second, unless its odls_base_sigkill_timeout says "
      "otherwise.\n\n"
      "Use one rank per NUMA node, as mpirun --map-by numa --bind-to numa does. More threads than cores over all ranks of "
      "a machine are refused, except for ranks of one thread. Under a launcher other than mpirun, such as srun, use "
      "--ranks mpi. MPI is in a library of its own, libthaw-mpi, which is built where MPI is installed, and loaded only "
      "under mpirun or with --ranks mpi.\n\n"
      "thaw bench under mpirun has one run at a time on each rank. Rank 0 writes the report, which is the same as that of "
      "one process but for times; --resume continues on any number of ranks." },

    { "COMPARISONS",
      "thaw bench ranks pairs of strategy and optimizer by test accuracy after the last epoch, with 95 % intervals over "
      "seeds; ranks are equal where intervals overlap.\n\n"
      "With --target-accuracy X or --target-loss X, it ranks them by the training time, and by the steps, until a test after "
      "an epoch first reaches X. Tests are not part of the time; the epoch that fills the feature cache is. Figures are "
      "geometric means over seeds. A run that never reaches the target, or diverges, would have taken longer than it ran: "
      "such a configuration has no mean and no upper end of its interval, and if no run reaches it, no rank. Of several "
      "learning rates, the one is shown with which most runs reach the target, in the fewest steps. The report draws the "
      "times, and performance profiles: how often each optimizer, and each strategy, is within a factor of 1 to 4 of the "
      "fastest.\n\n"
      "With --race, configurations that are already beaten are stopped (successive halving). A rung trains all that are left "
      "for an eighth of the epochs from two seeds, then for a quarter, half and all of them, then from a third seed, and so "
      "on. After a rung, a configuration is stopped if it is in the worse half by its mean test accuracy, and below the "
      "leader, paired by seed, by two intervals: its own of 95 %, and one with the variance of all that are left, whose "
      "error of 5 % is shared by all rungs and configurations (Bonferroni). What diverged is stopped, too. Ties go on. "
      "Runs that reach the end are the same as without --race, bit for bit. What gets ahead only late in training may be "
      "stopped before, unless it is in the better half by then. The report says what was stopped and why. --resume "
      "continues a race.\n\n"
      "With --trials N, settings are searched first: of each optimizer, N points of a space are tried with each strategy, the "
      "same points with all strategies, and at the same places of the ranges with all optimizers. A trial trains on the "
      "training data without those for validation (--validation, a fifth of each class, drawn by --seed), and is judged on "
      "these: by accuracy after the last epoch, then by loss; with a target, first by the epochs until it is reached. The "
      "best trial's settings then train on all training data, from --seeds other seeds, and only these runs see the test "
      "data. Without --search, the space is the learning rate from 0.03 to 30 times the optimizer's own, weight_decay from "
      "1e-5 to 0.1, beta1 from 0.7 to 0.97, beta2 from 0.9 to 0.999, each by its logarithm (of the betas, by that of 1 minus "
      "them), and a warm-up of 0, 5, 10 or 20 % of the epochs; what an optimizer does not have is left out. What the space "
      "names replaces what --optimizers sets. The report has the trials, the chosen settings, and what tuning cost. "
      "--lr-sweep does not go with it; --race stops configurations after their trials; --resume continues trials, too, "
      "and ranks share them." },

    { "ENVIRONMENT",
      "OMP_WAIT_POLICY, GOMP_SPINCOUNT, OMP_PROC_BIND, OMP_PLACES and GOMP_CPU_AFFINITY control OpenMP. If none is "
      "set, the command sets GOMP_SPINCOUNT=1000, or OMP_WAIT_POLICY=passive if other processes use half of the cores "
      "or more when it starts: threads that spin while they wait slow down those that they wait for.\n\n"
      "THAW_MAX_CPU (baseline, v3 for AVX2, or v4 for AVX-512) limits the instructions of Thaw's own kernels, and "
      "ONEDNN_MAX_CPU_ISA (such as AVX2) limits those of oneDNN.\n\n"
      "THAW_MPI_LIBRARY is the path of another libthaw-mpi.so.0.\n\n"
      "XDG_CACHE_HOME replaces ~/.cache. TMPDIR is where thaw demo keeps its weights while it runs.\n\n"
      "On a terminal, a line on standard error tells the rate and the time left; TERM=dumb turns it off. The command "
      "never prints colours, with or without NO_COLOR." },
};

const size_t cli_manual_topic_count = THAW_COUNT(cli_manual_topics);
