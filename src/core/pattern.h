/* Shell-style name patterns: * ? [a-z] {a,b}, and | for alternatives. */
#ifndef THAW_CORE_PATTERN_H
#define THAW_CORE_PATTERN_H

#include <stdbool.h>

enum { THAW_LONGEST_PATTERN = 256 };

/* Why a pattern is malformed, or NULL if it is well formed. */
const char *thaw_pattern_error(const char *pattern);

/* Whether the whole name matches a well-formed pattern. `*` also matches dots. Time is polynomial in the lengths,
   whatever the pattern. */
bool thaw_pattern_matches(const char *pattern, const char *name);

#endif
