/* Documents of JSON in which one value is replaced by text that is no JSON, or that few readers expect. */
#ifndef THAW_TESTS_SUPPORT_RAW_JSON_H
#define THAW_TESTS_SUPPORT_RAW_JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef struct raw_json {
    const char *text; /* ends with a zero, which is not counted */
    size_t length;
    const char *token; /* what stands in the place of a value, cut */
    size_t at;         /* the place in the document */
    bool broken;       /* must be refused: not JSON, out of range, too deep, or a key twice */
} raw_json;

/* Calls `use` with the document changed in one place, for each value and each token. Of a list, its first and last
   elements are replaced. Objects also get their first member twice. Returns how many texts there were. */
size_t support_each_raw_json(const char *document, void (*use)(const raw_json *changed));

#endif
