/* Named inputs as nodes: each takes its part of the sample. */
#ifndef THAW_GRAPH_INPUT_PART_H
#define THAW_GRAPH_INPUT_PART_H

#include <thaw/layer_module.h>

typedef struct thaw_input_part {
    size_t first; /* float of the sample */
    thaw_shape shape;
} thaw_input_part;

/* Of floats, and of whole numbers; they differ only in their names. */
extern const thaw_layer_module thaw_input_of_floats, thaw_input_of_whole_numbers;

#endif
