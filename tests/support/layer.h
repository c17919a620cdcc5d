/* Runs one layer without a plan: appends nothing itself, but prepares a model's last node and gives it buffers. */
#ifndef THAW_TESTS_LAYER_H
#define THAW_TESTS_LAYER_H

#include <stdio.h>

#include "support/support.h"

/* What a value of bfloat16, rounded from the right one, differs by from it, relative to it. */
#define BFLOAT16_TOLERANCE 0x1p-8

/* What to ask of the layer; zero: inference of one sample. */
typedef struct layer_wish {
    int64_t batch; /* 0: 1 */
    bool training;
    bool bfloat16; /* the test's buffers stay floats, rounded, and are converted for each call */
    bool follows;  /* the batches' statistics; parameters are statistics then */
    thaw_activation activation;
    bool in_place;          /* forward writes over input 0, backward over the output's gradient */
    bool input_gradients;   /* of all inputs */
    unsigned frozen_inputs; /* bit k: but not of input k */
    bool parameter_gradient[THAW_MAX_PARAMETERS];
    const void *target;
} layer_wish;

/* Buffers hold whole batches; those that were not asked for are NULL. */
typedef struct layer {
    thaw_context *context;
    const thaw_layer_module *module;
    thaw_layer_needs needs; /* without capabilities */
    size_t gradient_rows[THAW_MAX_PARAMETERS];
    thaw_gradient_rows *listed_rows[THAW_MAX_PARAMETERS]; /* for the test to set: what backward finds and names */
    bool bfloat16;
    uint32_t float_inputs; /* bit k: but not input k */
    thaw_layer_run run;
    size_t input_count, parameter_count;
    size_t input_size[THAW_MAX_INPUTS], parameter_size[THAW_MAX_PARAMETERS], output_size;
    float *inputs[THAW_MAX_INPUTS], *parameters[THAW_MAX_PARAMETERS];
    float *output, *output_gradient;
    float *input_gradients[THAW_MAX_INPUTS], *parameter_gradients[THAW_MAX_PARAMETERS];
} layer;

/* An empty model with this input. */
thaw_model *layer_model(thaw_context *context, int rank, const int64_t *dims);

/* Prepares the model's last node. Inputs, parameters and the output's gradient are filled with numbers in [-1, 1),
   gradients and output with a number that no test expects. */
layer layer_open(thaw_model *model, const layer_wish *wish);

/* Rounds inputs and the output's gradient, where the layer computes in bfloat16; for tests that have changed them. */
void layer_round(layer *l);

/* Packs and runs forward. */
void layer_forward(layer *l);

/* Runs backward. */
void layer_backward(layer *l);

/* Runs both, and compares with the lines of the golden case `name`: "output", and of the gradients that the layer was
   asked for "input", "weight" (its first parameter's) and "bias". */
void layer_equals_golden(layer *l, FILE *file, const char *name, double tolerance);

/* Asserts that nothing was written past the buffers' ends, and releases them and the model. */
void layer_close(layer *l, thaw_model *model);

#endif
