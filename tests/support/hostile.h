/* Documents of JSON in which one value is another than its readers expect. */
#ifndef THAW_TESTS_SUPPORT_HOSTILE_H
#define THAW_TESTS_SUPPORT_HOSTILE_H

#include <jansson.h>

/* Puts, one at a time, each hostile value in the place of each value of the document: extreme numbers, and what is
   no number. Calls `use` with each such document and a description of the change. Of a list, its first and last
   elements are changed. The document is as before afterwards. Returns how many changes there were. */
size_t support_each_hostile(json_t *document, void (*use)(const json_t *document, const char *change));

#endif
