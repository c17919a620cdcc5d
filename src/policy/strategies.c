#include "policy/strategies.h"

#include <math.h>

#define RULES(...)                                        \
    .rules = (const thaw_strategy_rule[]){ __VA_ARGS__ }, \
    .rule_count = THAW_COUNT(((const thaw_strategy_rule[]){ __VA_ARGS__ }))

#define FREEZE_ALL                                               \
    {                                                            \
        .epoch = 1, .pattern = "*", .action = THAW_ACTION_FREEZE \
    }
#define THAW_HEAD                                                      \
    {                                                                  \
        .epoch = 1, .pattern = "@head", .action = THAW_ACTION_UNFREEZE \
    }

const thaw_strategy_template thaw_strategy_templates[] = {
    { { .name = "full", .description = "everything trains" }, NULL, 0 },

    { { .name = "head", .description = "only the head trains", RULES(FREEZE_ALL, THAW_HEAD) }, NULL, 0 },

    { { .name = "last",
        .description = "the N highest blocks train",
        RULES(FREEZE_ALL, { .epoch = 1, .pattern = "@top:N", .action = THAW_ACTION_UNFREEZE }) },
      "",
      0 },

    /* Howard & Ruder 2018, arXiv 1801.06146. */
    { { .name = "gradual",
        .description = "the head first, one more block each epoch (ULMFiT)",
        RULES(FREEZE_ALL, { .pattern = "@top:epoch", .action = THAW_ACTION_UNFREEZE }) },
      NULL,
      0 },

    /* The same paper: the rate of each block is that of the block above, divided by 2.6. */
    { { .name = "discriminative",
        .description = "everything trains, each block at the rate of the block above divided by 2.6 (ULMFiT)",
        RULES({ .epoch = 1, .pattern = "*", .action = THAW_ACTION_DECAY, .value = 1 / 2.6 }) },
      NULL,
      0 },

    /* Ben Zaken et al. 2021, arXiv 2106.10199. As in the paper, the new head trains as a whole. */
    { { .name = "bias-only",
        .description = "biases and shifts train, and the head (BitFit)",
        RULES(FREEZE_ALL, { .epoch = 1, .pattern = "@bias", .action = THAW_ACTION_UNFREEZE }, THAW_HEAD) },
      NULL,
      0 },

    /* Frankle et al. 2020, arXiv 2003.00152. */
    { { .name = "norm-only",
        .description = "normalisation layers train, and the head",
        RULES(FREEZE_ALL, { .epoch = 1, .pattern = "@norm", .action = THAW_ACTION_UNFREEZE }, THAW_HEAD) },
      NULL,
      0 },

    /* Hu et al. 2021, arXiv 2106.09685, with alpha the rank. */
    { { .name = "lora",
        .description = "low-rank adapters of all weights below the head train, and the head (LoRA)",
        RULES(FREEZE_ALL, { .epoch = 1, .pattern = "@body", .action = THAW_ACTION_LORA, .value = NAN }, THAW_HEAD) },
      ":rank=",
      8 },

    /* Kumar et al. 2022, arXiv 2202.10054. */
    { { .name = "lp-ft",
        .description = "only the head in the first half of the epochs, everything in the second (LP-FT)",
        RULES(FREEZE_ALL, THAW_HEAD, { .share = 0.5, .pattern = "*", .action = THAW_ACTION_UNFREEZE }) },
      NULL,
      0 },

    /* Lee et al. 2023, arXiv 2210.11466. There the head is not new and stays frozen. */
    { { .name = "surgical",
        .description = "the lowest block and the head train (surgical fine-tuning)",
        RULES(FREEZE_ALL, { .epoch = 1, .pattern = "@bottom:1", .action = THAW_ACTION_UNFREEZE }, THAW_HEAD) },
      NULL,
      0 },

    /* Brock et al. 2017, arXiv 1706.04983, by epoch and without scaled rates. */
    { { .name = "top-down",
        .description = "everything trains first, then blocks freeze from below, evenly over the epochs (FreezeOut)",
        RULES({ .pattern = "@bottom:share", .action = THAW_ACTION_FREEZE }) },
      NULL,
      0 },

    { { .name = "scratch",
        .description = "everything trains, from new initial values",
        RULES({ .epoch = 1, .pattern = "*", .action = THAW_ACTION_RESET }) },
      NULL,
      0 },
};

const size_t thaw_strategy_template_count = THAW_COUNT(thaw_strategy_templates);
