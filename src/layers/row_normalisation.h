/* Normalises rows, each by itself: shared by layer normalisation, RMS normalisation and division by the Euclidean norm.
   y = (x - mean) * inverse * weight + bias, where the kind says what mean and inverse are. */
#ifndef THAW_LAYERS_ROW_NORMALISATION_H
#define THAW_LAYERS_ROW_NORMALISATION_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>

typedef enum thaw_row_kind {
    THAW_ROWS_BY_DEVIATION,   /* the row's mean, and 1 / sqrt(variance + epsilon) */
    THAW_ROWS_BY_MEAN_SQUARE, /* 0, and 1 / sqrt(mean of squares + epsilon) */
    THAW_ROWS_BY_LENGTH       /* 0, and 1 / max(sqrt(sum of squares), epsilon) */
} thaw_row_kind;

/* For `prepare`. The layer's parameters are a weight and a bias, a weight, or none. */
thaw_status thaw_row_normalisation_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs, thaw_row_kind kind,
                                           size_t columns, double epsilon);

/* `release` is thaw_release. */
thaw_status thaw_row_normalisation_forward(const thaw_layer_run *run);
thaw_status thaw_row_normalisation_backward(const thaw_layer_run *run);

#endif
