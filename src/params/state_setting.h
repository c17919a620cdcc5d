/* The setting "state" of an optimizer: how it keeps the slots that have a range (thaw/optimizer_module.h). */
#ifndef THAW_PARAMS_STATE_SETTING_H
#define THAW_PARAMS_STATE_SETTING_H

#include <thaw/optimizer_module.h>

/* Reads the setting, and copies the other settings into *rest, which the caller frees with thaw_release; NULL if there
   are none. A module without ranges has no such setting: it stays among the others. Errors: THAW_INVALID_ARGUMENT (given
   twice, or an unknown value), THAW_OUT_OF_MEMORY. */
thaw_status thaw_state_setting_take(thaw_context *context, const thaw_optimizer_module *module, const char *settings,
                                    char **rest, thaw_dtype *state);

/* The name of a module that keeps its state like this, such as "adamw:state=8bit", which the caller frees with
   thaw_release. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_state_setting_name(thaw_context *context, const thaw_optimizer_module *module, thaw_dtype state,
                                    char **name);

#endif
