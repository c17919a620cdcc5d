/* Networks in shared objects: "./net.so:width=32,input=28x28x1". */
#ifndef THAW_MODELS_OWN_NETWORK_H
#define THAW_MODELS_OWN_NETWORK_H

#include <thaw/network_module.h>

/* One that is loaded, and its options. */
typedef struct thaw_own_network {
    thaw_network_module module;
    void *library;
    double values[THAW_MAX_HYPERPARAMETERS];
    thaw_shape input; /* of rank 0: neither the description nor the module gives it */
} thaw_own_network;

/* Whether a description is that of a shared object. */
bool thaw_is_own_network(const char *description);

/* Loads it. The caller closes `own->library` (thaw_module_file_close), which is NULL after an error. Errors:
   THAW_IO_ERROR, THAW_BAD_FORMAT (the object), THAW_NOT_FOUND, THAW_INVALID_ARGUMENT (options). */
thaw_status thaw_own_network_open(thaw_context *context, const char *description, thaw_own_network *own);

/* Builds it into an empty model, which takes over the library, also after an error. `outputs` 0: the module's. */
thaw_status thaw_own_network_build(thaw_own_network *own, thaw_model *model, size_t *outputs, thaw_node *output);

#endif
