/* For messages: which of the known names did the user mean? */
#ifndef THAW_CORE_NEAREST_H
#define THAW_CORE_NEAREST_H

#include <stddef.h>

/* The edit distance (Levenshtein) of two words, of which 63 characters count. */
size_t thaw_edit_distance(const char *left, const char *right);

/* The known name that `word` was probably meant to be, or NULL when none is near: at most a third of its characters, and
   two always, may be wrong. */
const char *thaw_nearest(const char *word, const char *const *known, size_t count);

#endif
