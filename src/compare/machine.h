/* The machine that the figures were measured on. */
#ifndef THAW_COMPARE_MACHINE_H
#define THAW_COMPARE_MACHINE_H

#include <jansson.h>
#include <thaw/context.h>

/* The processor's name, "unknown" if the system does not tell. */
enum { THAW_PROCESSOR_BYTES = 256 };
void thaw_machine_processor(char name[THAW_PROCESSOR_BYTES]);

json_t *thaw_machine_json(const thaw_context *context);
json_t *thaw_versions_json(void);

#endif
