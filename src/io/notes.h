/* Texts by name: the metadata of a safetensors file. */
#ifndef THAW_IO_NOTES_H
#define THAW_IO_NOTES_H

#include <thaw/notes.h>

typedef struct thaw_named_text {
    const char *name, *text;
} thaw_named_text;

/* Starts as zero, except the context. */
struct thaw_notes {
    thaw_context *context;
    thaw_named_text *items; /* own copies */
    size_t count, capacity;
};

/* Adds a copy of a text whose name is new. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_notes_append(thaw_notes *notes, const char *name, const char *text);

/* Puts a copy of the text in place of an earlier one of that name; NULL removes it. Errors: THAW_OUT_OF_MEMORY, which
   changes nothing. */
thaw_status thaw_notes_put(thaw_notes *notes, const char *name, const char *text);

/* Frees the texts. */
void thaw_notes_clear(thaw_notes *notes);

#endif
