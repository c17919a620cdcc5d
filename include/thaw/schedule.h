/* Schedules: a factor on every learning rate, by step. */
#ifndef THAW_SCHEDULE_H
#define THAW_SCHEDULE_H

#include <thaw/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The curve of the learning rates' factor. */
typedef enum thaw_schedule_kind {
    THAW_SCHEDULE_CONSTANT = 0,
    THAW_SCHEDULE_STEP,     /* gamma^floor(epoch / every), as PyTorch's StepLR stepped by epoch */
    THAW_SCHEDULE_COSINE,   /* floor + (1 - floor) (1 + cos(pi t)) / 2, t = step / steps: CosineAnnealingLR by step */
    THAW_SCHEDULE_ONE_CYCLE /* Smith & Topin 2018, arXiv 1708.07120; PyTorch's OneCycleLR, cosine, momentum untouched */
} thaw_schedule_kind;

/* Zero is the default. */
typedef struct thaw_schedule {
    thaw_schedule_kind kind; /* the curve; fields below that name another are not read */
    double warmup_epochs;    /* the factor rises linearly from 1 / (warm-up steps + 1) before what follows begins */
    double gamma;            /* STEP; 0: 0.1 */
    int every;               /* STEP: epochs; 0: 1 */
    double floor;            /* COSINE: factor at the end */
    double rising;           /* ONE_CYCLE: share of steps that rise; 0: 0.3 */
    double start_divisor;    /* ONE_CYCLE: factor at the start is 1 over this; 0: 25 */
    double end_divisor;      /* ONE_CYCLE: factor at the end is 1 over this, of the start's; 0: 1e4 */
} thaw_schedule;

/* Reads "constant", "step:gamma=0.1,every=2", "cosine:floor=0.01", "one-cycle:rising=0.3", each also with
   warmup_epochs=N. Errors: THAW_NOT_FOUND, THAW_INVALID_ARGUMENT. */
THAW_API thaw_status thaw_schedule_parse(thaw_context *context, const char *text, thaw_schedule *schedule);

/* The factor at `step` (from 0) of `steps` in all, `epoch_steps` an epoch. Thread-safe. */
THAW_API double thaw_schedule_factor(const thaw_schedule *schedule, uint64_t step, uint64_t epoch_steps,
                                     uint64_t steps);

#ifdef __cplusplus
}
#endif

#endif
