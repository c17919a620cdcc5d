/* Loading weights whose names are not the model's. */
#ifndef THAW_PARAMS_WEIGHTS_H
#define THAW_PARAMS_WEIGHTS_H

#include <thaw/weights.h>

#include "io/safetensors.h"

/* Changes the tensors of an open file, their names or which there are, before renamings and matching. */
typedef struct thaw_weights_adaptation {
    thaw_status (*adapt)(void *user, thaw_safetensors *file);
    void *user;
} thaw_weights_adaptation;

/* thaw_weights_load with an adaptation. Errors: also those of `adapt`. */
thaw_status thaw_weights_load_adapted(thaw_model *model, const char *path, const thaw_weights_adaptation *adaptation,
                                      const thaw_load_options *options, thaw_load_result *result);

#endif
