/* Networks by name, built from public layer calls. */
#ifndef THAW_ZOO_H
#define THAW_ZOO_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A network that Thaw can build. Static storage. */
typedef struct thaw_zoo_entry {
    const char *name, *description;
    size_t classes;          /* when none are asked for */
    thaw_shape sample_shape; /* the input it is made for */
} thaw_zoo_entry;

/* The entries in the order of listings; NULL past the end. Thread-safe. */
THAW_API const thaw_zoo_entry *thaw_zoo_entry_at(size_t index);

/* Builds a network with its softmax cross-entropy loss into an empty model; `classes` 0: the entry's own.
   Errors: THAW_NOT_FOUND (the message lists the names), THAW_INVALID_ARGUMENT (the model is not empty). */
THAW_API thaw_status thaw_zoo_build(thaw_model *model, const char *name, size_t classes);

#ifdef __cplusplus
}
#endif

#endif
