/* What the figures were measured with. */
#ifndef THAW_COMPARE_MACHINE_H
#define THAW_COMPARE_MACHINE_H

#include <jansson.h>
#include <thaw/context.h>

json_t *thaw_machine_json(const thaw_context *context);
json_t *thaw_versions_json(void);

#endif
