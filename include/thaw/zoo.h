/* Networks by name, built from public layer calls. */
#ifndef THAW_ZOO_H
#define THAW_ZOO_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A network that Thaw can build. Static storage. */
typedef struct thaw_zoo_entry {
    const char *name, *description; /* as users write it; in a few words */
    size_t classes;                 /* the default */
    thaw_shape sample_shape;        /* the default input size */
    size_t parameters;              /* elements of all parameters by default; statistics do not count */
    const char *weights;            /* the network elsewhere whose trained weights fit; NULL: there is none */
} thaw_zoo_entry;

/* The entries in the order of listings; NULL past the end. Thread-safe. */
THAW_API const thaw_zoo_entry *thaw_zoo_entry_at(size_t index);

/* Builds a network with a softmax cross-entropy loss into an empty model; `classes` 0: the entry's default. The
   description is a name, or a name and options: "resnet18:size=64", "mobilenet-v2:size=96,dropout=0". Options:
     size=N     height and width of the input (networks that pool over the whole image keep the shapes of their
                parameters)
     dropout=X  the rate before the classifier, for networks whose torchvision version has this argument
   The backbones use torchvision's names, layouts and initial values (efficientnet-lite0: timm's), so that their weight
   files can be loaded.
   Errors: THAW_NOT_FOUND (the message lists the known names), THAW_INVALID_ARGUMENT (an option, the model is not
   empty), THAW_SHAPE_MISMATCH (a size that the network does not support). */
THAW_API thaw_status thaw_zoo_build(thaw_model *model, const char *description, size_t classes);

/* Checks a description without building the network. Errors: those of thaw_zoo_build, except an unsupported size. */
THAW_API thaw_status thaw_zoo_check(thaw_context *context, const char *description);

#ifdef __cplusplus
}
#endif

#endif
