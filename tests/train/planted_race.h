/* A race on purpose, of which ThreadSanitizer must know: the program ends with 0 when it is reported, and with 1 when
   another one is. */
#ifndef THAW_TESTS_TRAIN_PLANTED_RACE_H
#define THAW_TESTS_TRAIN_PLANTED_RACE_H

#include <thaw/layer_module.h>

#if defined __SANITIZE_THREAD__
#define SANITIZED
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

enum { RACE_TEAM = 2 }; /* threads of a context */

typedef enum race { NO_RACE, RACE_IN_TEAM, RACE_OF_CONTEXTS } race;

extern race race_wanted;

/* A layer that does nothing but write: the threads of a team the same float, or each its own, like the other
   context's team. */
extern const thaw_layer_module race_layer;

#endif
