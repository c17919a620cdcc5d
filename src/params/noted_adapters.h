/* Low-rank adapters in the notes of a file. */
#ifndef THAW_PARAMS_NOTED_ADAPTERS_H
#define THAW_PARAMS_NOTED_ADAPTERS_H

#include <thaw/model.h>

/* The model's adapters that thaw_lora has made, as a text that the caller frees; NULL if there are none:
   ["dense1.weight:rank=2,alpha=4"]. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_adapters_describe(thaw_model *model, char **text);

#endif
