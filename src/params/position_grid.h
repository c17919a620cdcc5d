/* Positions that were learned for a grid of another size. */
#ifndef THAW_PARAMS_POSITION_GRID_H
#define THAW_PARAMS_POSITION_GRID_H

#include "params/parameter.h"

/* Whether a stored tensor has the parameter's rank, width and tokens, and behind these a square grid: its side, else
   0. */
int64_t thaw_position_grid_side(const thaw_parameter *parameter, const thaw_shape *stored);

/* Copies the tokens, and resamples the stored grid of `side` * `side` to the parameter's, as timm's
   resample_abs_pos_embed does: bicubic with a = -1/2 (Keys 1981, "Cubic convolution interpolation for digital image
   processing") over all source positions that a result covers. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_position_grid_resample(thaw_context *context, const thaw_parameter *parameter, int64_t side,
                                        const float *stored, float *values);

#endif
