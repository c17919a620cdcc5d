/* What normalises a channel by its mean and variance, forward and backward, in tables with a row for each entry and a
   column for each channel. */
#ifndef THAW_LAYERS_CHANNEL_TABLE_H
#define THAW_LAYERS_CHANNEL_TABLE_H

#include <stddef.h>

/* The rows. REST is what MEAN has no digits for, and INVERSE is 1 / sqrt(variance + epsilon). */
enum {
    THAW_CHANNEL_MEAN,
    THAW_CHANNEL_REST,
    THAW_CHANNEL_INVERSE,
    THAW_CHANNEL_SCALE,
    THAW_CHANNEL_SHIFT,
    THAW_CHANNEL_ROWS
};

/* What determines scales and shifts besides means and variances. */
typedef struct thaw_channel_scales {
    size_t channels;
    double epsilon;
    const float *weight, *bias; /* NULL: ones and zeros */
} thaw_channel_scales;

/* Fills a channel's column. */
void thaw_channel_table_fill(const thaw_channel_scales *scales, size_t channel, double mean, double variance,
                             float *table);

/* y = scale x + shift, in a table of these two rows. */
void thaw_channel_map_fill(const thaw_channel_scales *scales, size_t channel, double mean, double variance, float *map);

/* Moves running means, or variances, towards `factor` times the new ones. */
void thaw_running_statistic_move(float *running, const double *now, double factor, double momentum, size_t channels);

/* The gradients of weight and bias from the sums of dz and of dz (x - mean). NULL: not wanted. */
void thaw_channel_gradients_store(const float *table, size_t channels, const double *slopes, const double *products,
                                  float *weight, float *bias);

/* With x' = (x - mean) * inverse: dx = scale * (dz - mean(dz) - x' * mean(dz x')). Turns the sums of dz and of
   dz (x - mean), over so many rows, into what a row needs. */
void thaw_channel_table_convert(const float *table, size_t channels, size_t rows, const double *slopes,
                                const double *products, float *shifts, float *rates);

#endif
