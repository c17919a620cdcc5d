/* Names in a message: "conv1, conv2, fc", or "conv1, conv2 and 61 more" if they are too many. Names are never cut. */
#ifndef THAW_CORE_ENUMERATION_H
#define THAW_CORE_ENUMERATION_H

#include <stddef.h>

enum { THAW_ENUMERATION_BYTES = 400 };

/* Starts as zero. */
typedef struct thaw_enumeration {
    char text[THAW_ENUMERATION_BYTES];
    size_t length, shown, left;
} thaw_enumeration;

void thaw_enumerate(thaw_enumeration *list, const char *name);

/* The same for each of several names that are separated by ", ". */
void thaw_enumerate_joined(thaw_enumeration *list, const char *names);

/* The text, after the last name. Valid as long as the list. */
const char *thaw_enumerated(thaw_enumeration *list);

#endif
