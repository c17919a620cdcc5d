/* Names that wrappers and other packages give to tensors. */
#ifndef THAW_PARAMS_FOREIGN_NAMES_H
#define THAW_PARAMS_FOREIGN_NAMES_H

#include <thaw/model.h>

#include "io/safetensors.h"

/* Gives the tensors of a file the model's names, if they have known others (thaw/weights.h). Errors: THAW_DUPLICATE
   (two tensors get one name), THAW_OUT_OF_MEMORY. */
thaw_status thaw_foreign_names_replace(thaw_model *model, thaw_safetensors *file);

#endif
