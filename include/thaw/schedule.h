/* Schedules: a factor for every learning rate, by step. */
#ifndef THAW_SCHEDULE_H
#define THAW_SCHEDULE_H

#include <thaw/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The shape of the factor's curve. */
typedef enum thaw_schedule_kind {
    THAW_SCHEDULE_CONSTANT = 0,
    THAW_SCHEDULE_STEP,     /* gamma^floor(epoch / every), PyTorch's StepLR stepped by epoch */
    THAW_SCHEDULE_COSINE,   /* floor + (1 - floor) (1 + cos(pi t)) / 2, t = step / steps: CosineAnnealingLR by step */
    THAW_SCHEDULE_ONE_CYCLE /* Smith & Topin 2018, arXiv 1708.07120; PyTorch's OneCycleLR, cosine, momentum untouched */
} thaw_schedule_kind;

/* Zero means the default. */
typedef struct thaw_schedule {
    thaw_schedule_kind kind; /* the curve; fields of other curves are ignored */
    double warmup_epochs;    /* the factor first rises linearly from 1 / (warm-up steps + 1) before the curve begins */
    double gamma;            /* STEP; 0: 0.1 */
    int every;               /* STEP: epochs; 0: 1 */
    double floor;            /* COSINE: factor at the end */
    double rising;           /* ONE_CYCLE: share of steps that rise; 0: 0.3 */
    double start_divisor;    /* ONE_CYCLE: the factor starts at 1 over this; 0: 25 */
    double end_divisor;      /* ONE_CYCLE: the factor ends at the start's factor over this; 0: 1e4 */
} thaw_schedule;

/* Reads "constant", "step:gamma=0.1,every=2", "cosine:floor=0.01", "one-cycle:rising=0.3", each also with
   warmup_epochs=N. Errors: THAW_NOT_FOUND, THAW_INVALID_ARGUMENT. */
THAW_API thaw_status thaw_schedule_parse(thaw_context *context, const char *text, thaw_schedule *schedule);

/* The factor at `step` (from 0) of `steps` steps, with `epoch_steps` steps per epoch. Thread-safe. */
THAW_API double thaw_schedule_factor(const thaw_schedule *schedule, uint64_t step, uint64_t epoch_steps,
                                     uint64_t steps);

#ifdef __cplusplus
}
#endif

#endif
