/* A range test for learning rates: Smith 2015, "Cyclical learning rates for training neural networks",
   arXiv 1506.01186. The rate grows exponentially from step to step, until the loss diverges. */
#ifndef THAW_RATE_FINDER_H
#define THAW_RATE_FINDER_H

#include <thaw/data.h>
#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options of thaw_find_rate. Zero everywhere means the default. */
typedef struct thaw_rate_options {
    double from, to;                                        /* the first and the last rate; 0: 1e-7 and 10 */
    size_t steps;                                           /* at least 10 and at most 10000; 0: 100 */
    int64_t batch;                                          /* 0: 128 */
    double clip_norm;                                       /* as in thaw_step_options */
    bool (*on_step)(void *user, size_t step, size_t steps); /* after each step, from 1; false: stop */
    void *user;                                             /* passed to on_step */
} thaw_rate_options;

/* A step of the test. */
typedef struct thaw_rate_point {
    double rate;     /* of the step */
    double loss;     /* of its batch, before the update */
    double smoothed; /* an exponential moving average of the losses with 0.98, corrected for its start, as fastai's */
} thaw_rate_point;

/* What thaw_find_rate found. A suggestion is NAN if the loss does not fall, or diverges within 5 steps, or the test was
   stopped. */
typedef struct thaw_rate_result {
    thaw_rate_point *points; /* of the steps that were taken; thaw_release */
    size_t count;            /* of `points` */
    bool diverged;           /* it ended early: the smoothed loss exceeded 4 times its minimum, or was not finite */
    /* The middle of the valley: of the longest falling subsequence of the smoothed losses. The rate to try first. */
    double valley;
    double
        steepest; /* where the smoothed loss falls fastest over the logarithm of the rate, after a tenth of the steps */
} thaw_rate_result;

/* Trains with rates from `from` to `to`. They are those of the trainable group with the largest learning rate; the rates
   of other groups, which may have optimizers of their own, keep their proportion to it. Afterwards, all parameters and
   statistics have their bytes back, and there is no optimizer state: call it before a run. The loss is of the batches
   of the data set, shuffled by the context's seed, epoch after epoch. `options` may be NULL.
   Errors: THAW_INVALID_ARGUMENT (options; no trainable group has a rate above 0), THAW_STOPPED (by on_step; the result
   then has the steps that were taken), those of thaw_step, unless it is for a loss that diverges. */
THAW_API thaw_status thaw_find_rate(thaw_model *model, thaw_dataset *dataset, const thaw_rate_options *options,
                                    thaw_rate_result *result);

#ifdef __cplusplus
}
#endif

#endif
