/* Shell-style name patterns: * ? [a-z] {a,b}, and | for alternatives. */
#ifndef THAW_CORE_PATTERN_H
#define THAW_CORE_PATTERN_H

#include <stdbool.h>

enum { THAW_LONGEST_PATTERN = 256 };

/* Why a pattern is not well formed, or NULL when it is. */
const char *thaw_pattern_error(const char *pattern);

/* Whether the whole name matches a well-formed pattern. `*` also spans dots. Time is bounded by a polynomial of the
   lengths, whatever the pattern. */
bool thaw_pattern_matches(const char *pattern, const char *name);

#endif
