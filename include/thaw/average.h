/* Averaged weights: an exponential moving average of what trains, which often generalises better than the last weights.

   With a decay d in thaw_fit_options.average_decay, a run keeps a second copy of each parameter that trains. The first
   update copies the weights, and each later one moves the copy: average = d average + (1 - d) weights. These are the
   values of PyTorch's torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn(d), updated after each step of the
   optimizer. A decay of 0.999 averages over about the last 1000 steps.

   A frozen parameter costs neither memory nor time. If it thaws, its average begins with its frozen value, as PyTorch's
   would. If it freezes again, its average nears the frozen value with each update of the others, as PyTorch's would,
   but that is computed only when the average is used. Steps that are skipped do not count.

   Statistics of batch norm are not averaged: the averages are used with the statistics of the weights that train, as in
   PyTorch by default (use_buffers=False). Factors of adapters are averaged each by itself.

   The test figures of a run are those of the average, and the best epoch's file (thaw/best.h) has the average's
   weights, whatever is monitored. The training loss is that of the weights that train, and the model keeps these.
   Averages are part of a checkpoint, are the same for any number of threads, and are the same on all ranks. */
#ifndef THAW_AVERAGE_H
#define THAW_AVERAGE_H

#include <thaw/checkpoint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Puts the averages into the model in place of the weights that train, or these back: to predict with them, to save or
   to read them. The model is not to be changed meanwhile. Calls that train, save or load a checkpoint put the weights
   back first. A trainer that is destroyed meanwhile leaves the averages in the model for good. Before the first step,
   the averages are the weights.
   Errors: THAW_INVALID_ARGUMENT (the run averages nothing), THAW_OUT_OF_MEMORY (parameters that were frozen again). */
THAW_API thaw_status thaw_trainer_use_average(thaw_trainer *trainer, bool use);

/* thaw_weights_save with the averages in the model. Errors: those of both. */
THAW_API thaw_status thaw_trainer_save_average(thaw_trainer *trainer, const char *path);

/* thaw_merge of the model's bindings and of the averages: each becomes what its own binding gives. Errors: those of
   thaw_merge and THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_trainer_merge(thaw_trainer *trainer, const char *pattern);

#ifdef __cplusplus
}
#endif

#endif
