/* Networks of your own in a shared object: `thaw train --model ./net.so:width=32`, or thaw_zoo_build with this
   description. A description with a slash in its name is the path of a shared object, which must define `thaw_module`:

     static thaw_status build(thaw_model *model, thaw_node input, const thaw_network_request *wanted, thaw_node *output)
     {
         thaw_status status = thaw_flatten(model, input, NULL, output);
         if (status == THAW_OK)
             status = thaw_dense(model, *output, &(thaw_dense_options){ .units = wanted->outputs }, output);
         return status;
     }
     const thaw_network_module thaw_module = { THAW_NETWORK_MODULE_HEAD, .name = "net", .build = build };

   examples/own_network.c is a complete one. Options follow a colon: those of the module, each a number, and
   input=SHAPE (thaw/zoo.h). The options of heads are not for own networks. A file of weights notes the description, but
   never loads code: to read it, --model or thaw_predictor_options.model must name the shared object again. */
#ifndef THAW_NETWORK_MODULE_H
#define THAW_NETWORK_MODULE_H

#include <thaw/layers.h>
#include <thaw/optimizer_module.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The kind of module that this header describes, in the upper 16 bits, and its version, in the lower 16. */
enum { THAW_NETWORK_ABI = 0x4E450001 };

/* Short for the first fields of a thaw_network_module. */
#define THAW_NETWORK_MODULE_HEAD .size = sizeof(thaw_network_module), .abi = THAW_NETWORK_ABI

/* What the network is built for. */
typedef struct thaw_network_request {
    thaw_shape sample_shape; /* of the input; of rank 0 with `named_inputs` */
    int64_t outputs;         /* classes, or values to predict; at least 1 */
    const double *options;   /* the values of the module's options, in their order; within their ranges */
} thaw_network_request;

/* A kind of network. Fields that a module's `size` does not reach are zero, which is their default; `build` must be
   within it. */
typedef struct thaw_network_module {
    size_t size;  /* sizeof(thaw_network_module), as the module was compiled */
    uint32_t abi; /* THAW_NETWORK_ABI */

    const char *name; /* for messages; without ",=: " */

    /* Appends layers to `input`, the model's only node (but see named_inputs), up to the outputs, of shape [outputs]
       and without a loss, whose node it writes to `*output`. Layers may be of modules in the same object
       (thaw/layer_module.h): it stays loaded as long as the model. An error ends the build, and its message is that of
       the context. */
    thaw_status (*build)(thaw_model *model, thaw_node input, const thaw_network_request *wanted, thaw_node *output);

    const thaw_hyperparameter *options; /* names, defaults and ranges; "input" is not one */
    size_t option_count;                /* at most THAW_MAX_HYPERPARAMETERS */
    thaw_shape sample_shape;            /* the default input; of rank 0: input=SHAPE must be given, or there are data */
    size_t outputs;                     /* the default; 0: must be given, or there are data */
    bool named_inputs; /* `build` gets a model without nodes, and -1 as the input: it declares its inputs by
                          thaw_named_input, such as the token_ids, lengths and token_types of texts. There is no option
                          input=SHAPE. An option "length" of the module gets the length of the data's texts in the
                          command, where it is not given. The outputs may be a sequence of them, [steps, outputs] */
} thaw_network_module;

#ifdef __cplusplus
}
#endif

#endif
