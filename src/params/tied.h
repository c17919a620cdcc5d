/* Tied weights, which PyTorch writes into files under each of their names. */
#ifndef THAW_PARAMS_TIED_H
#define THAW_PARAMS_TIED_H

#include "io/safetensors.h"
#include "params/parameter.h"

/* Warns, in the log, of each tensor of a parameter that is tied to another one, if the file has other values for that
   one: only those are loaded. Errors: those of thaw_safetensors_read. */
thaw_status thaw_tied_compare(thaw_model *model, const thaw_safetensors *file);

#endif
