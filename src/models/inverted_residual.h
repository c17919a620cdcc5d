/* The blocks of MobileNetV2 and its successors: expand with 1x1, filter each channel, project with 1x1. The input is
   added if neither stride nor channels change. */
#ifndef THAW_MODELS_INVERTED_RESIDUAL_H
#define THAW_MODELS_INVERTED_RESIDUAL_H

#include "models/unit.h"

typedef struct thaw_inverted_stage {
    int64_t kernel; /* of the filters */
    int64_t expansion, filters;
    int blocks;
    int64_t stride; /* of the first block */
} thaw_inverted_stage;

/* The differences between the networks. */
typedef struct thaw_inverted_style {
    const char *expanded[3][2]; /* names of convolution and normalisation in a block's three units */
    const char *plain[2][2];    /* if the expansion is 1 and left out */
    thaw_initializer filter;    /* of the weights of filters */
    /* Writes the prefix of the names in a block of a stage, both counted from 0; `number` counts all blocks. */
    void (*write_path)(char *path, size_t size, size_t stage, int block, int number);
} thaw_inverted_style;

thaw_status thaw_append_inverted_residuals(thaw_model *model, const thaw_inverted_style *style,
                                           const thaw_inverted_stage *stages, size_t count, thaw_node *node);

#endif
