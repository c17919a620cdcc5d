/* Values of a module's hyper-parameters, from text or one at a time. */
#ifndef THAW_PARAMS_SETTINGS_H
#define THAW_PARAMS_SETTINGS_H

#include <thaw/optimizer_module.h>

#include "core/module_head.h"

/* Why the module breaks the rules of thaw/optimizer_module.h, or NULL if it does not. The text may be in `message`. */
const char *thaw_module_error(const thaw_optimizer_module *module, char message[THAW_HEAD_MESSAGE_BYTES]);

/* Why a module's name or table of numbers breaks the same rules, or NULL. */
const char *thaw_hyperparameters_error(const char *name, const thaw_hyperparameter *all, size_t count);

/* The module with its newer fields, zero where its struct is too old to have them. */
thaw_optimizer_module thaw_module_complete(const thaw_optimizer_module *module);

/* Sets one value after a range check. Errors: THAW_NOT_FOUND, THAW_INVALID_ARGUMENT. */
thaw_status thaw_setting_apply(thaw_context *context, const thaw_optimizer_module *module, const char *name,
                               double value, double *values);

/* Sets `values` to the defaults, then applies "lr=1e-2,momentum=0.9" (NULL or "": nothing); "x=0.5%" is "x=0.005".
   Errors: as above. */
thaw_status thaw_settings_parse(thaw_context *context, const thaw_optimizer_module *module, const char *text,
                                double *values);

/* The module's own check of the values together. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_settings_check(thaw_context *context, const thaw_optimizer_module *module, const double *values);

#endif
