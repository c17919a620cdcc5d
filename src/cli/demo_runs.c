#include "cli/demo_runs.h"

const cli_demo_run cli_demo_runs[] = {
    { .name = "all trainable", .role = CLI_DEMO_ALL },
    { .name = "convolutions frozen", .role = CLI_DEMO_FROZEN, .freeze = "conv*" },
    { .name = "convolutions frozen, features cached", .role = CLI_DEMO_CACHED, .freeze = "conv*", .cached = true },
    /* One more layer each epoch, from the top: Howard & Ruder 2018, arXiv 1801.06146. */
    { .name = "gradual unfreezing",
      .freeze = "conv*",
      .rules = { { .epoch = 2, .pattern = "conv2", .action = THAW_ACTION_UNFREEZE },
                 { .epoch = 3, .pattern = "conv1", .action = THAW_ACTION_UNFREEZE } },
      .rule_count = 2 },
    /* The same paper: each layer's rate is the rate of the layer above, divided by 2.6. */
    { .name = "discriminative learning rates",
      .settings = { { .pattern = "conv2", .learning_rate = 1e-3 / 2.6 },
                    { .pattern = "conv1", .learning_rate = 1e-3 / (2.6 * 2.6) } } },
    { .name = "head Adam, convolutions SGD at a tenth",
      .settings = { { .pattern = "conv*", .optimizer = "sgd:lr=1e-4,momentum=0.9" } } },
    { .name = "from scratch", .scratch = true },
    { .name = "20 per class: all trainable", .role = CLI_DEMO_SMALL_ALL, .small = true },
    { .name = "20 per class: convolutions frozen", .role = CLI_DEMO_SMALL_FROZEN, .small = true, .freeze = "conv*" },
    { .name = "20 per class: from scratch", .role = CLI_DEMO_SMALL_SCRATCH, .small = true, .scratch = true },
};

const size_t cli_demo_run_count = THAW_COUNT(cli_demo_runs);
