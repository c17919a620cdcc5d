/* The built-in layers of sequences: embedding, LSTM and GRU. What thaw/layers.h says of layers holds for them. */
#ifndef THAW_SEQUENCE_LAYERS_H
#define THAW_SEQUENCE_LAYERS_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options of layers that only have a name. */
typedef struct thaw_simple_options {
    const char *name; /* NULL: the kind and a number */
} thaw_simple_options;

/* Options of thaw_embedding. */
typedef struct thaw_embedding_options {
    const char *name;             /* NULL: the kind and a number */
    int64_t rows;                 /* of the table, at most 2^24; required */
    int64_t width;                /* of a row; required */
    bool use_padding_id;          /* `padding_id` adds nothing to the gradient, and its row starts at zero */
    int64_t padding_id;           /* used with use_padding_id */
    thaw_initializer initializer; /* here THAW_INITIAL_DEFAULT is the normal distribution N(0, 1), as in PyTorch */
} thaw_embedding_options;

/* Looks up the rows of a table by ids: x [...] to [..., width], a sequence [T] to [T, width]. Ids come
   from an input of THAW_I32 (thaw_named_input), or are floats, which represent whole numbers up to 2^24 exactly.
   Parameter: weight [rows, width].

   The gradient is dense, PyTorch's default: thaw_parameter_gradient has all rows, and Adam's momentum or weight decay
   also change rows that the batch did not use. A step only touches what it must. Backward clears the rows of the
   previous step and adds to those of the current one. If the optimizer does not change rows without gradient (SGD
   without momentum and weight decay), the update reads only the used rows. So does the norm for clipping, with any
   optimizer.

   Errors: THAW_INVALID_ARGUMENT (rows, width, the padding id; when a step is compiled: something below trains, but
   ids have no gradient; when a batch is computed: an id that is not a whole number from 0 to rows - 1),
   THAW_SHAPE_MISMATCH (an input of THAW_MAX_RANK dimensions). */
THAW_API thaw_status thaw_embedding(thaw_model *model, thaw_node input, const thaw_embedding_options *options,
                                    thaw_node *output);

/* Options of recurrent layers. */
typedef struct thaw_recurrent_options {
    const char *name;      /* NULL: the kind and a number */
    int64_t units;         /* size of the state; required */
    int64_t layers;        /* stacked layers; 0: 1 */
    bool bidirectional;    /* a second direction in each layer reads the sequence from its end */
    double dropout;        /* between layers: rate of zeroed elements, 0 <= dropout < 1 */
    bool drop_when_frozen; /* as in thaw_dropout_options */
    bool last_only;        /* output only the hidden state after the last step, not those of all steps */
    bool no_bias;          /* leave out the bias */
    thaw_initializer initializer, bias_initializer; /* of weight and bias */
    const thaw_node *initial; /* nodes of the initial state: the hidden state, followed for an LSTM by the cell state.
                             Each is [layers * directions, units], in PyTorch's order, or [units] if that product is
                             one. NULL: zeros */
    size_t initial_count;     /* number of these nodes: 2 for an LSTM, 1 for a GRU, 0 for none */
} thaw_recurrent_options;

/* Long short-term memory and gated recurrent units over x [steps, features], as PyTorch's LSTM and GRU (the reset gate
   multiplies W_hn h + b_hn). The output is [steps, units], or with both directions side by side [steps, 2 * units].
   With `last_only` it is [units] or [2 * units], after each direction has read the whole sequence: PyTorch's h_n of the
   last layer, not its output[-1].

   Parameters, for layer k of the stack: weight_ih_l<k> [gates * units, features of its input], weight_hh_l<k> [gates *
   units, units], bias_ih_l<k> and bias_hh_l<k> [gates * units], and the same with _reverse. Gates are i, f, g, o and r,
   z, n. By default all start uniform in +-1/sqrt(units). The fans of other initializers are the dimensions of the
   weight; a bias uses those of its weight. A single layer of one direction is a node and a group of the given name.
   Otherwise each layer and direction is a node and a group, "<name>.l0", "<name>.l0_reverse", "<name>.l1", so that
   lower layers can be frozen while upper ones train. Their parameters are still called "<name>.weight_ih_l0" and so on,
   and "<name>.*" selects all.
   Errors: THAW_SHAPE_MISMATCH (the input, an initial state), THAW_INVALID_ARGUMENT (units, layers, dropout, the
   number of initial states). */
THAW_API thaw_status thaw_lstm(thaw_model *model, thaw_node input, const thaw_recurrent_options *options,
                               thaw_node *output);
THAW_API thaw_status thaw_gru(thaw_model *model, thaw_node input, const thaw_recurrent_options *options,
                              thaw_node *output);

#ifdef __cplusplus
}
#endif

#endif
