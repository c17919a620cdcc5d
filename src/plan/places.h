/* Where values lie: first their places in the arena, then their addresses once the plan is bound to one. */
#ifndef THAW_PLAN_PLACES_H
#define THAW_PLAN_PLACES_H

#include <thaw/layer_capabilities.h>

#include "plan/program.h"

/* A piece of the arena, needed from time `first` to time `last`, both included. */
typedef struct thaw_memory_request {
    size_t bytes;
    size_t first, last;
    bool scratch;  /* used by one kernel at a time, at offset 0 */
    size_t offset; /* set by thaw_memory_place */
} thaw_memory_request;

/* The gradient of an expression, needed while one node runs backward. */
typedef struct thaw_plan_buffer {
    size_t count;
    thaw_node node;
    int request;
    float *memory;
} thaw_plan_buffer;

/* Where a node's values lie: indices of the plan's memory requests, or -1. */
typedef struct thaw_plan_places {
    int output, gradient, workspace, mask, statistics, sums;
    int copy;                   /* of an origin: its value in the other precision */
    int again;                  /* of a root that is computed again: that value */
    int spare[THAW_MAX_INPUTS]; /* a term to be added to an input's gradient, or converted */
} thaw_plan_places;

/* What a node's kernels use once the plan is bound. */
typedef struct thaw_plan_binding {
    float *gradient;  /* of the output */
    const float *fed; /* of an origin: values outside the arena; NULL: none */
    void *copy;       /* of an origin: see thaw_plan_places */
    uint32_t *mask;
    const void *inputs[THAW_MAX_INPUTS];
    void *input_gradients[THAW_MAX_INPUTS];
    const float *parameters[THAW_MAX_PARAMETERS];
    float *parameter_gradients[THAW_MAX_PARAMETERS];
    float *statistics[THAW_MAX_PARAMETERS]; /* copies that forward updates: see statistics.c */
    thaw_parameter *leaving[THAW_MAX_PARAMETERS];
    thaw_gradient_rows *gradient_rows[THAW_MAX_PARAMETERS]; /* NULL: the plan does not list them */
    bool *finite[THAW_MAX_PARAMETERS]; /* in plan->finite, where this node alone writes the gradient; else NULL */
    thaw_capability_run capabilities;
    thaw_layer_run run;
    thaw_second_run *second; /* replaces `run` in backward where values have moved; else NULL */
} thaw_plan_binding;

#endif
