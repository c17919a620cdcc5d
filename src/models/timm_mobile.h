/* Mobile networks of inverted residuals with timm's names, layouts and initial values. */
#ifndef THAW_MODELS_TIMM_MOBILE_H
#define THAW_MODELS_TIMM_MOBILE_H

#include "models/inverted_residual.h"

/* Appends a network of these stages, with 32 filters before and 1280 behind them, up to its features. */
thaw_status thaw_append_timm_mobile(thaw_model *model, const thaw_inverted_stage *stages, size_t count,
                                    thaw_node *node);

#endif
