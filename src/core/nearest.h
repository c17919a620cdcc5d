/* For messages: which of the known names did the user mean? */
#ifndef THAW_CORE_NEAREST_H
#define THAW_CORE_NEAREST_H

#include <stddef.h>

/* The edit distance (Levenshtein) of two words, of which 63 characters count. */
size_t thaw_edit_distance(const char *left, const char *right);

#endif
