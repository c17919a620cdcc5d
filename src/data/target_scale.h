/* How targets that are numbers are standardised. */
#ifndef THAW_DATA_TARGET_SCALE_H
#define THAW_DATA_TARGET_SCALE_H

#include <thaw/context.h>
#include <thaw/tensor.h>

/* A target is served as (number - mean) / deviation. */
typedef struct thaw_target_column {
    double mean, deviation; /* deviation is above 0 */
} thaw_target_column;

/* Zero: targets are as the file has them. */
typedef struct thaw_target_scale {
    size_t count; /* columns of the targets; 0: they are not scaled */
    thaw_target_column *columns;
} thaw_target_scale;

/* The mean and standard deviation of each column of targets, floats [rows, columns]; of a column that is constant the
   deviation is 1. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_target_scale_fit(thaw_context *context, const thaw_tensor *targets, thaw_target_scale *scale);

thaw_status thaw_target_scale_copy(thaw_context *context, const thaw_target_scale *from, thaw_target_scale *scale);

/* Scales floats [rows, columns] of as many columns. Errors: THAW_BAD_FORMAT (one becomes too large for a float). */
thaw_status thaw_target_scale_apply(thaw_context *context, const thaw_target_scale *scale, thaw_tensor *targets);

/* The number that a scaled target, or an output of the network, stands for. */
static inline double thaw_target_number(const thaw_target_scale *scale, size_t column, double scaled)
{
    if (!scale->count)
        return scaled;
    const thaw_target_column *c = &scale->columns[column % scale->count];
    return scaled * c->deviation + c->mean;
}

/* As ["200000","75000"], mean and deviation of each column; *text, which the caller frees, is NULL if nothing is scaled.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_target_scale_write(thaw_context *context, const thaw_target_scale *scale, char **text);

/* Reads such a text, the note thaw.targets. Errors: THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_target_scale_read(thaw_context *context, const char *text, thaw_target_scale *scale);

void thaw_target_scale_release(thaw_context *context, thaw_target_scale *scale);

#endif
