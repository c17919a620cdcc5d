/* The names of a data set's classes. */
#ifndef THAW_DATA_CLASS_NAMES_H
#define THAW_DATA_CLASS_NAMES_H

#include <thaw/context.h>

/* A copy of the names, in one block that thaw_release frees; *copy is NULL if there are none. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_copy_class_names(thaw_context *context, const char *const *names, size_t count, char ***copy);

#endif
