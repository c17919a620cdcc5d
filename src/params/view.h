/* The weights that count, where an optimizer takes gradients at others (`view` in thaw/optimizer_module.h). */
#ifndef THAW_PARAMS_VIEW_H
#define THAW_PARAMS_VIEW_H

#include "params/parameter.h"

/* Puts the weights to evaluate and to save in place of those that train, or these back, to the bit. Nothing happens to
   parameters whose module has no view, and to those that have not been updated. Errors: THAW_OUT_OF_MEMORY; then all
   are those that train. Putting them back does not fail. */
thaw_status thaw_set_use_view(thaw_parameter_set *set, bool use);

/* Whether a parameter that does not train now has another view: then the layers before those that train differ, too. */
bool thaw_set_views_frozen(const thaw_parameter_set *set);

#endif
