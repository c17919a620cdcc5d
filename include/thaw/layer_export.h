/* How a layer is written as operators of ONNX (opset 17), for thaw_export_onnx. The field `export_onnx` of
   thaw_layer_module is a function that appends operators with these calls, and ends with thaw_onnx_output. A layer
   without it cannot be exported.

     static thaw_status export_onnx(const thaw_layer_export *layer)
     {
         const thaw_axis_order order = thaw_onnx_input_order(layer, 0);
         thaw_onnx_value *x = thaw_onnx_input(layer, 0, order);
         return thaw_onnx_output(layer, thaw_onnx_apply(layer, "Relu", x, NULL, NULL), order);
     }

   Every tensor of samples has the batch as its first dimension, so dimension k of a sample is dimension k + 1 there.

   The calls that make something return NULL if there is no memory. From then on all of them return NULL and
   thaw_onnx_output returns the error, so a layer need not check in between. */
#ifndef THAW_LAYER_EXPORT_H
#define THAW_LAYER_EXPORT_H

#include <thaw/context.h>
#include <thaw/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The graph that is being written. */
typedef struct thaw_onnx_graph thaw_onnx_graph;

/* A tensor in it. NULL: none, as for an optional input of an operator. */
typedef struct thaw_onnx_value thaw_onnx_value;

/* The order of a sample's dimensions: Thaw's [H, W, C] and [T, C], or ONNX's and PyTorch's [C, H, W] and [C, T], which
   convolutions and pooling need. In samples of fewer than two dimensions both are the same. */
typedef enum thaw_axis_order { THAW_CHANNELS_LAST = 0, THAW_CHANNELS_FIRST } thaw_axis_order;

/* What `export_onnx` gets. Shapes are Thaw's, of one sample. */
typedef struct thaw_layer_export {
    thaw_onnx_graph *graph;       /* for the calls below */
    thaw_context *context;        /* the model's, such as for thaw_fail */
    const char *name;             /* the layer's */
    const void *options;          /* the module's options, as given when the layer was appended */
    size_t input_count;           /* of the layer's own */
    const thaw_shape *inputs;     /* of one sample */
    thaw_shape output;            /* of one sample */
    size_t parameter_count;       /* of the array that follows */
    const thaw_shape *parameters; /* their shapes */
} thaw_layer_export;

/* The order that an input is at hand in. Taking it in the other one adds a Transpose. */
THAW_API thaw_axis_order thaw_onnx_input_order(const thaw_layer_export *layer, size_t index);

/* An input of the layer, [batch, ...]. */
THAW_API thaw_onnx_value *thaw_onnx_input(const thaw_layer_export *layer, size_t index, thaw_axis_order order);

/* A parameter, under its full name and in PyTorch's layout, with the values that inference computes with: those of the
   expression if it is bound to one (thaw/combine.h). NULL, which is no error, if the layer has not so many. */
THAW_API thaw_onnx_value *thaw_onnx_parameter(const thaw_layer_export *layer, size_t index);

/* Constants: a tensor in which every element is `value`, and a list of whole numbers (of rank 1, 64 bits each). */
THAW_API thaw_onnx_value *thaw_onnx_fill(const thaw_layer_export *layer, const thaw_shape *shape, double value);
THAW_API thaw_onnx_value *thaw_onnx_floats(const thaw_layer_export *layer, const thaw_shape *shape,
                                           const float *values);
THAW_API thaw_onnx_value *thaw_onnx_integers(const thaw_layer_export *layer, const int64_t *values, size_t count);

/* Zeroed memory that lives until the export has ended, such as for the values of a constant. */
THAW_API void *thaw_onnx_allocate(const thaw_layer_export *layer, size_t bytes);

/* The number of samples, which is known when the file is used: a list of one whole number. */
THAW_API thaw_onnx_value *thaw_onnx_batch(const thaw_layer_export *layer);

enum { THAW_ONNX_MAX_INPUTS = 8, THAW_ONNX_MAX_ATTRIBUTES = 8, THAW_ONNX_MAX_INTEGERS = 8 };

/* What an attribute holds. */
typedef enum thaw_onnx_kind {
    THAW_ONNX_INTEGER = 0, /* `integer` */
    THAW_ONNX_REAL,        /* `real`, written as a float */
    THAW_ONNX_TEXT,        /* `text` */
    THAW_ONNX_INTEGERS     /* the first `count` of `integers` */
} thaw_onnx_kind;

/* An attribute of an operator. Its texts must live until the export has ended: literals do. */
typedef struct thaw_onnx_attribute {
    const char *name;                         /* as ONNX's operator calls it */
    thaw_onnx_kind kind;                      /* which of the following counts */
    int64_t integer;                          /* of THAW_ONNX_INTEGER */
    double real;                              /* of THAW_ONNX_REAL */
    const char *text;                         /* of THAW_ONNX_TEXT */
    int64_t integers[THAW_ONNX_MAX_INTEGERS]; /* of THAW_ONNX_INTEGERS */
    size_t count;                             /* how many of them */
} thaw_onnx_attribute;

/* An operator with one output that is used. */
typedef struct thaw_onnx_operator {
    const char *kind;                                         /* ONNX's name, such as "Conv"; a literal */
    thaw_onnx_value *inputs[THAW_ONNX_MAX_INPUTS];            /* up to the last that is not NULL */
    thaw_onnx_attribute attributes[THAW_ONNX_MAX_ATTRIBUTES]; /* up to the first without a name */
    size_t output;                                            /* which of its outputs, from 0 */
} thaw_onnx_operator;

/* Appends an operator, and returns its output. */
THAW_API thaw_onnx_value *thaw_onnx_append(const thaw_layer_export *layer, const thaw_onnx_operator *added);

/* The same for an operator of one or two inputs (the second may be NULL), with an attribute or NULL. */
THAW_API thaw_onnx_value *thaw_onnx_apply(const thaw_layer_export *layer, const char *kind, thaw_onnx_value *first,
                                          thaw_onnx_value *second, const thaw_onnx_attribute *attribute);

/* Says what the layer's output is, and in which order its dimensions are. It may be an input, for a layer that does
   nothing in inference. Errors: of any call before. */
THAW_API thaw_status thaw_onnx_output(const thaw_layer_export *layer, thaw_onnx_value *value, thaw_axis_order order);

#ifdef __cplusplus
}
#endif

#endif
