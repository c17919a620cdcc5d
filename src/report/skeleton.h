/* The frame of every page: style, script and head around what a page has to say. */
#ifndef THAW_REPORT_SKELETON_H
#define THAW_REPORT_SKELETON_H

#include "core/text.h"

/* Each writes its part to the text that it was given with. */
typedef struct thaw_skeleton_parts {
    void (*title)(void *user, thaw_text *text); /* plain text, escaped; written twice */
    void (*subject)(void *user, thaw_text *text);
    void (*body)(void *user, thaw_text *text); /* sections */
} thaw_skeleton_parts;

/* Appends the whole page. */
void thaw_skeleton_write(thaw_text *text, const thaw_skeleton_parts *parts, void *user);

#endif
