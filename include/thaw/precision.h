/* Precision: which layers compute in bfloat16. Parameters, their gradients and the optimizer's state are always
   floats. Kernels get rounded copies of the weights: rounded once while the weights are frozen, and once per step
   while they train. Sums are computed in floats. Losses, statistics and outputs (thaw_predict) stay floats. */
#ifndef THAW_PRECISION_H
#define THAW_PRECISION_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* THAW_F32 or THAW_BF16. Zero everywhere means floats. Layers that cannot compute in bfloat16, and those with a
   low-rank change to their weight, always compute in floats. So do LSTM and GRU outside of the frozen prefix. Values
   are converted where the two meet. */
typedef struct thaw_precision {
    thaw_dtype all; /* of the whole network */
    thaw_dtype
        frozen;    /* of the frozen prefix: everything below what trains. Evaluation runs it in this precision, too */
    bool emulated; /* accept a CPU without bfloat16 instructions: slower than floats, with the same values up to
                          rounding */
} thaw_precision;

/* Sets the model's precision. Takes effect at the next step, which recompiles the plan. NULL: floats.
   Errors: THAW_INVALID_ARGUMENT (another type), THAW_UNSUPPORTED (the CPU, or the limit set by ONEDNN_MAX_CPU_ISA,
   has no AVX512_BF16, or for `emulated` no AVX-512). An error does not change the precision. */
THAW_API thaw_status thaw_model_set_precision(thaw_model *model, const thaw_precision *precision);

/* The precision in force. */
THAW_API thaw_precision thaw_model_precision(const thaw_model *model);

#ifdef __cplusplus
}
#endif

#endif
