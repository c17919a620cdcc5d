/* Precision: which layers compute in bfloat16. Parameters, their gradients and the optimizer's state are floats always;
   kernels get copies of the weights that are rounded once while they are frozen, and once a step while they train.
   Sums run in floats. Losses and statistics stay floats, and so do outputs (thaw_predict). */
#ifndef THAW_PRECISION_H
#define THAW_PRECISION_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* THAW_F32 or THAW_BF16. Zero everywhere is floats. Layers that cannot compute in bfloat16, and those with a low-rank
   change to their weight, compute in floats whatever this says, and so do LSTM and GRU but for those in the frozen prefix;
   values are converted where the two meet. */
typedef struct thaw_precision {
    thaw_dtype all;    /* of the whole network */
    thaw_dtype frozen; /* of the frozen prefix: what lies below all that trains. Evaluation runs it so, too */
    bool emulated;     /* accept a CPU that computes bfloat16 without instructions for it: slower than floats, the same
                          values up to rounding */
} thaw_precision;

/* Sets the model's precision. Takes effect at the next step, which recompiles the plan. NULL: floats.
   Errors: THAW_INVALID_ARGUMENT (another type), THAW_UNSUPPORTED (the CPU, or the limit that ONEDNN_MAX_CPU_ISA sets,
   has no AVX512_BF16, or for `emulated` no AVX-512); the precision stays what it was then. */
THAW_API thaw_status thaw_model_set_precision(thaw_model *model, const thaw_precision *precision);

/* The precision in force. */
THAW_API thaw_precision thaw_model_precision(const thaw_model *model);

#ifdef __cplusplus
}
#endif

#endif
