/* All kernels that can compute the same problem, Thaw's and oneDNN's, each with its own memory for packed weights. */
#ifndef THAW_BENCH_CANDIDATES_H
#define THAW_BENCH_CANDIDATES_H

#include "layers/swapped_dense.h"
#include "onednn/convolution.h"
#include "onednn/inner_product.h"

typedef enum bench_task {
    BENCH_FORWARD_FROZEN, /* the weight was packed before */
    BENCH_FORWARD,        /* here and below, packing and unpacking are included */
    BENCH_SOURCE_GRADIENT,
    BENCH_WEIGHT_GRADIENT,
    BENCH_TASKS
} bench_task;

typedef struct bench_problem {
    bench_task task;
    bool is_product;
    thaw_convolution convolution; /* one of the two */
    thaw_inner_product product;
} bench_problem;

/* Arrays that the candidates share. */
typedef struct bench_operands {
    float *source, *weights, *bias, *destination;
    float *source_gradient, *weights_gradient, *destination_gradient;
} bench_operands;

typedef struct bench_candidate {
    char name[64];
    bool preferred; /* by kernels/choice.h */
    thaw_kernel *kernel, *pack, *unpack;
    bool packs; /* packs each time */
    thaw_swapped_dense *swapped;
    float *packed, *packed_gradient;
    void *scratch;
} bench_candidate;

enum { BENCH_MOST_CANDIDATES = 3 };

/* Fills in the candidates and packs once. Returns their number, or exits with a message. */
size_t bench_candidates_open(thaw_context *context, const bench_problem *problem, const bench_operands *operands,
                             bench_candidate *candidates);

void bench_candidate_run(thaw_context *context, bench_candidate *candidate, const bench_operands *operands);

void bench_candidates_close(thaw_context *context, bench_candidate *candidates, size_t count);

#endif
