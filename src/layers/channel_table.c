#include "layers/channel_table.h"

#include <math.h>

static double weight_of(const thaw_channel_scales *scales, size_t channel)
{
    return scales->weight ? (double)scales->weight[channel] : 1;
}

static double bias_of(const thaw_channel_scales *scales, size_t channel)
{
    return scales->bias ? (double)scales->bias[channel] : 0;
}

void thaw_channel_table_fill(const thaw_channel_scales *scales, size_t channel, double mean, double variance,
                             float *table)
{
    const size_t channels = scales->channels;
    float *column = table + channel;
    const double inverse = 1 / sqrt(variance + scales->epsilon), rest = mean - (double)(float)mean;
    const double scale = inverse * weight_of(scales, channel);
    column[THAW_CHANNEL_MEAN * channels] = (float)mean;
    column[THAW_CHANNEL_REST * channels] = (float)rest;
    column[THAW_CHANNEL_INVERSE * channels] = (float)inverse;
    column[THAW_CHANNEL_SCALE * channels] = (float)scale;
    column[THAW_CHANNEL_SHIFT * channels] = (float)(bias_of(scales, channel) - rest * scale);
}

void thaw_channel_map_fill(const thaw_channel_scales *scales, size_t channel, double mean, double variance, float *map)
{
    const double scale = weight_of(scales, channel) / sqrt(variance + scales->epsilon);
    map[channel] = (float)scale;
    map[scales->channels + channel] = (float)(bias_of(scales, channel) - mean * scale);
}

void thaw_running_statistic_move(float *running, const double *now, double factor, double momentum, size_t channels)
{
    const double kept = 1 - momentum;
    for (size_t c = 0; c < channels; c++)
        running[c] = (float)(kept * (double)running[c] + momentum * factor * now[c]);
}

void thaw_channel_gradients_store(const float *table, size_t channels, const double *slopes, const double *products,
                                  float *weight, float *bias)
{
    const float *inverse = table + THAW_CHANNEL_INVERSE * channels;
    for (size_t c = 0; weight && c < channels; c++)
        weight[c] = (float)(products[c] * (double)inverse[c]);
    for (size_t c = 0; bias && c < channels; c++)
        bias[c] = (float)slopes[c];
}

void thaw_channel_table_convert(const float *table, size_t channels, size_t rows, const double *slopes,
                                const double *products, float *shifts, float *rates)
{
    for (size_t c = 0; c < channels; c++) {
        const double inverse = (double)table[THAW_CHANNEL_INVERSE * channels + c];
        const double scale = (double)table[THAW_CHANNEL_SCALE * channels + c];
        const double rate = -scale * inverse * inverse * products[c] / (double)rows;
        rates[c] = (float)rate;
        shifts[c] = (float)(-scale * slopes[c] / (double)rows - rate * (double)table[THAW_CHANNEL_REST * channels + c]);
    }
}
