/* The best epoch of a run: its weights in a file, and an early end if no better one comes.

   After each epoch one figure, the monitored one, is compared with the best so far. Only a strictly better value
   counts, and NaN never does, as in Keras' and Lightning's ModelCheckpoint and EarlyStopping with a least change
   (min_delta) of 0; an infinite loss does not count either. The best epoch and its value, and the epochs since then,
   are part of a checkpoint: a run that continues decides as if it had not been stopped. Of several ranks,
   all have the same figures, and rank 0 writes the file.

   An epoch without a test (thaw_fit_options.test_every) says nothing about a figure of tests: it is not the best, and
   patience does not count it, as in Keras with validation_freq. The training loss is compared after each epoch. If
   patience then ends the run, its last epoch is tested all the same. */
#ifndef THAW_BEST_H
#define THAW_BEST_H

#include <thaw/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The monitored figure, of thaw_epoch_result. */
typedef enum thaw_monitor {
    THAW_MONITOR_AUTO,      /* the test accuracy if there are test data with classes, else the test loss if there are
                                  test data, else the loss */
    THAW_MONITOR_LOSS,      /* lower is better */
    THAW_MONITOR_TEST_LOSS, /* lower is better */
    THAW_MONITOR_TEST_ACCURACY,      /* higher is better */
    THAW_MONITOR_TEST_TOP5_ACCURACY, /* higher is better; more than five classes */
    THAW_MONITOR_TEST_MACRO_F1       /* higher is better */
} thaw_monitor;

/* Zero everywhere: the best epoch is only told. */
typedef struct thaw_best_options {
    /* thaw_weights_save writes the weights of each epoch that is the best so far to this file, which later training does
       not change: the averaged ones, if the run has them (thaw/average.h). If it cannot be written, the run goes on with
       a warning in the log, and the file keeps the weights of an earlier epoch. NULL: none */
    const char *file;
    thaw_monitor monitor; /* what decides */
    int patience;         /* the run ends after so many successive values that are not better; 0: it never does */
} thaw_best_options;

/* The best epoch so far. */
typedef struct thaw_best {
    thaw_monitor monitor; /* what decides; not THAW_MONITOR_AUTO */
    int epoch;            /* the first with the best value; 0: there is none yet */
    double value;         /* its value; NAN if there is none yet */
    int waited;           /* values since then, or since the start of the run */
    int saved;            /* the epoch whose weights the run has written to the file; 0: none, or this is not rank 0 */
} thaw_best;

/* "loss", "test loss", "test accuracy", "test top-5 accuracy", "test macro F1", or "automatic"; NULL for other
   numbers. */
THAW_API const char *thaw_monitor_name(thaw_monitor monitor);

#ifdef __cplusplus
}
#endif

#endif
