/* Norms of gradients and updates by block of the model, for logs. A block's name is the part of its layers' names up to
   the first number, or the name of its first layer: "layer1.0", "fc". Adapters count to the block of their weight. */
#ifndef THAW_REPORT_BLOCK_NORMS_H
#define THAW_REPORT_BLOCK_NORMS_H

#include "policy/parameter_blocks.h"

typedef struct thaw_block_norm {
    char name[THAW_BLOCK_NAME_BYTES];
    double rate;     /* the highest learning rate of what trains, before schedules; NAN: nothing trains */
    double gradient; /* Euclidean norm of the gradients that the last step used; NAN: nothing trains */
    double update;   /* Euclidean norm of the change of the parameters that train; NAN: not measured */
} thaw_block_norm;

typedef struct thaw_block_norms {
    thaw_model *model;
    thaw_block_norm *blocks; /* from the bottom to the top; then "other", if parameters belong to no layer */
    size_t count;
    size_t *block_of;  /* of each parameter of the model */
    float **before;    /* of each parameter: its values before the step, or NULL */
    size_t parameters; /* elements of the two arrays */
} thaw_block_norms;

/* Finds the blocks. Release with thaw_block_norms_release, even after an error. Errors: those of thaw_model_block,
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_block_norms_find(thaw_model *model, thaw_block_norms *norms);

/* Before a step: keeps a copy of what may train. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_block_norms_keep(thaw_block_norms *norms);

/* After that step: computes all norms, in double precision. */
void thaw_block_norms_measure(thaw_block_norms *norms);

void thaw_block_norms_release(thaw_block_norms *norms);

#endif
