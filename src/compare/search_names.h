/* The names that a file of a search may use. */
#ifndef THAW_COMPARE_SEARCH_NAMES_H
#define THAW_COMPARE_SEARCH_NAMES_H

#include <thaw/optimizer.h>

typedef struct thaw_search_names {
    thaw_context *context;
    char **list;
    size_t count, capacity;
} thaw_search_names;

/* Adds a copy of the name, once. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_search_names_add(thaw_search_names *names, const char *name);

/* Adds what can be searched for an optimizer: its hyper-parameters and its wrappers'. Errors: as above. */
thaw_status thaw_search_names_add_settings(thaw_search_names *names, const thaw_optimizer *optimizer);

/* Adds the hyper-parameters of all built-in modules, or the names of these and of the wrappers. Errors: as above. */
thaw_status thaw_search_names_add_all_settings(thaw_search_names *names);
thaw_status thaw_search_names_add_modules(thaw_search_names *names);

/* Whether it has the name, of so many characters. */
bool thaw_search_names_have(const thaw_search_names *names, const char *name, size_t length);

/* Fails with the nearest name, and some of the others. */
thaw_status thaw_search_names_refuse(const thaw_search_names *names, const char *what, const char *name);

void thaw_search_names_release(thaw_search_names *names);

#endif
