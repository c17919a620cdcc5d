/* Lists of names in a text: arrays of JSON. */
#ifndef THAW_IO_NAME_LIST_H
#define THAW_IO_NAME_LIST_H

#include "core/text.h"

/* Appends a string of JSON. */
void thaw_text_append_quoted(thaw_text *text, const char *characters);

/* The names as ["one","two"], which the caller frees with thaw_release. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_name_list_write(thaw_context *context, const char *const *names, size_t count, char **text);

/* The names in such a text, in one block that thaw_release frees; NULL if there are none. `what` names the text in
   messages. Errors: THAW_BAD_FORMAT (no array, or not of strings), THAW_OUT_OF_MEMORY. */
thaw_status thaw_name_list_read(thaw_context *context, const char *what, const char *text, char ***names,
                                size_t *count);

#endif
