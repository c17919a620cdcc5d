/* A graph of ONNX while it is made: plain lists, which onnx_file.c writes. It owns all that it points to, except for
   literals and what belongs to the model. */
#ifndef THAW_EXPORT_ONNX_GRAPH_H
#define THAW_EXPORT_ONNX_GRAPH_H

#include <thaw/layer_export.h>

#include "graph/model.h"

struct thaw_onnx_value {
    const char *name;
    bool named; /* by its layer, whose output it is; otherwise the name was made up */
};

typedef enum thaw_onnx_type { THAW_ONNX_FLOATS, THAW_ONNX_WHOLE_NUMBERS } thaw_onnx_type;

/* A tensor whose values are in the file. */
typedef struct thaw_onnx_tensor {
    struct thaw_onnx_tensor *next;
    thaw_onnx_value value;
    thaw_onnx_type type;
    thaw_shape shape;
    const void *data;
    size_t bytes;
    const thaw_parameter *parameter; /* whose values they are; NULL: none */
} thaw_onnx_tensor;

typedef struct thaw_onnx_node {
    struct thaw_onnx_node *next;
    thaw_onnx_value value;
    thaw_onnx_operator operation;
} thaw_onnx_node;

/* The output of a layer, in the orders in which it is at hand. */
typedef struct thaw_onnx_held {
    thaw_onnx_value *values[2]; /* by thaw_axis_order; NULL: not in this one */
    thaw_axis_order order;      /* in which the layer gave it */
    bool needed;                /* the graph's output depends on it */
} thaw_onnx_held;

typedef struct thaw_onnx_block thaw_onnx_block;

/* An input or output of the graph. */
typedef struct thaw_onnx_end {
    thaw_onnx_value value;
    thaw_onnx_type type;
    thaw_shape shape; /* without the batch */
} thaw_onnx_end;

struct thaw_onnx_graph {
    thaw_model *model;
    thaw_context *context;
    thaw_status status; /* the first error; later calls do nothing */
    thaw_onnx_block *blocks;
    thaw_onnx_tensor *tensors, **last_tensor;
    thaw_onnx_node *nodes, **last_node;
    size_t tensor_count, node_count;
    thaw_onnx_held *held; /* for each node of the model */
    size_t made;          /* names that were made up for the layer at hand */
    thaw_node at;         /* that layer */
    thaw_onnx_value *batch;
    thaw_onnx_end inputs[THAW_MOST_MODEL_INPUTS]; /* as many as the model has */
    thaw_onnx_value *output;
    thaw_shape output_shape; /* without the batch */
    const thaw_named_text *metadata;
    size_t metadata_count;
};

/* Starts a graph; release it afterwards, whatever this returns. */
thaw_status thaw_onnx_graph_begin(thaw_onnx_graph *graph, thaw_model *model);
void thaw_onnx_graph_release(thaw_onnx_graph *graph);

/* Zeroed memory that lives as long as the graph; NULL after an error, which the graph notes. */
void *thaw_onnx_graph_allocate(thaw_onnx_graph *graph, size_t bytes);

/* A name that no other value has, for one that the layer at hand needs; "" after an error. */
const char *thaw_onnx_graph_name(thaw_onnx_graph *graph);

/* Appends a tensor whose data the caller sets; NULL after an error. Its name is made up. */
thaw_onnx_tensor *thaw_onnx_graph_tensor(thaw_onnx_graph *graph, thaw_onnx_type type, const thaw_shape *shape);

/* Appends an operator. NULL after an error. */
thaw_onnx_value *thaw_onnx_graph_append(thaw_onnx_graph *graph, const thaw_onnx_operator *added);

/* The output of a node of the model in this order; NULL after an error. */
thaw_onnx_value *thaw_onnx_graph_hold(thaw_onnx_graph *graph, thaw_node node, thaw_axis_order order);

/* Writes the file. Errors: THAW_UNSUPPORTED (more than 2 GiB, or built without ONNX), THAW_IO_ERROR,
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_onnx_file_write(thaw_onnx_graph *graph, const char *path);

#endif
