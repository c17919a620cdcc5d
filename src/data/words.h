/* A growing list of texts. */
#ifndef THAW_DATA_WORDS_H
#define THAW_DATA_WORDS_H

#include <thaw/context.h>

/* Starts as zero, except the context. */
typedef struct thaw_words {
    thaw_context *context;
    char **items; /* own copies */
    size_t count, capacity;
} thaw_words;

/* Appends a copy. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_words_add(thaw_words *words, const char *text);
thaw_status thaw_words_add_number(thaw_words *words, double number);

/* Appends the words of a text that are separated by commas. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_words_split(thaw_words *words, const char *text);

void thaw_words_release(thaw_words *words);

#endif
