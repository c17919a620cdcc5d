/* For messages: which known name did the user mean? */
#ifndef THAW_CORE_NEAREST_H
#define THAW_CORE_NEAREST_H

#include <thaw/context.h>

/* The edit distance (Levenshtein) of two words, of at most 63 characters each. */
size_t thaw_edit_distance(const char *left, const char *right);

/* The known name that `word` was probably meant to be, or NULL if none is close. Up to a third of its characters may
   be wrong, and always two, but never all. */
const char *thaw_nearest(const char *word, const char *const *known, size_t count);

/* For three %s in a message: `, did you mean "NAME"?`, or nothing if `nearest` is NULL. */
#define THAW_DID_YOU_MEAN(nearest) \
    (nearest) ? ", did you mean \"" : "", (nearest) ? (nearest) : "", (nearest) ? "\"?" : ""

/* Reports `unknown <what> "<name>"` with the nearest known name and the list of all, or of the first if they are many.
   Returns THAW_NOT_FOUND. */
thaw_status thaw_fail_unknown(thaw_context *context, const char *what, const char *name, const char *const *known,
                              size_t count);

#endif
