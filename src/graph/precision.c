/* The public calls that set in which precision a model computes. */
#include <thaw/precision.h>

#include "graph/model.h"
#include "onednn/kernel.h"

static bool is_precision(thaw_dtype dtype)
{
    return dtype == THAW_F32 || dtype == THAW_BF16;
}

static thaw_status check_cpu(thaw_context *context, bool emulated)
{
    const thaw_bfloat16_support support = thaw_dnn_bfloat16();
    if (support == THAW_BFLOAT16_NATIVE || (support == THAW_BFLOAT16_EMULATED && emulated))
        return THAW_OK;
    if (support == THAW_BFLOAT16_EMULATED)
        return thaw_fail(context, THAW_UNSUPPORTED,
                         "bfloat16: this CPU has no instructions for it (AVX512_BF16), or ONEDNN_MAX_CPU_ISA forbids "
                         "them; emulation is slower than floats and must be requested explicitly");
    return thaw_fail(context, THAW_UNSUPPORTED,
                     "bfloat16: this CPU has no instructions for it (AVX512_BF16) or to emulate it (AVX-512), or "
                     "ONEDNN_MAX_CPU_ISA forbids them");
}

thaw_status thaw_model_set_precision(thaw_model *model, const thaw_precision *precision)
{
    const thaw_precision wanted = precision ? *precision : (thaw_precision){ 0 };
    if (!is_precision(wanted.all) || !is_precision(wanted.frozen))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "precision must be THAW_F32 or THAW_BF16");
    if (wanted.all == THAW_BF16 || wanted.frozen == THAW_BF16) {
        const thaw_status status = check_cpu(model->context, wanted.emulated);
        if (status != THAW_OK)
            return status;
    }
    model->precision = wanted;
    model->parameters.revision++;
    return THAW_OK;
}

thaw_precision thaw_model_precision(const thaw_model *model)
{
    return model->precision;
}
