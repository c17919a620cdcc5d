#include "data/target_scale.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "core/number.h"
#include "data/words.h"
#include "io/name_list.h"

void thaw_target_scale_release(thaw_context *context, thaw_target_scale *scale)
{
    thaw_release(context, scale->columns);
    *scale = (thaw_target_scale){ 0 };
}

static thaw_status reserve(thaw_context *context, size_t count, thaw_target_scale *scale)
{
    *scale = (thaw_target_scale){ 0 };
    scale->columns = thaw_allocate_array(context, count, sizeof *scale->columns);
    if (!scale->columns)
        return THAW_OUT_OF_MEMORY;
    scale->count = count;
    return THAW_OK;
}

/* ---- figures ---- */

static thaw_target_column fit_column(const float *values, size_t rows, size_t stride)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < rows; i++)
        sum += (double)values[i * stride];
    const double mean = sum / (double)rows;
    for (size_t i = 0; i < rows; i++) {
        const double difference = (double)values[i * stride] - mean;
        squares += difference * difference;
    }
    const double deviation = sqrt(squares / (double)rows);
    return (thaw_target_column){ mean, deviation > 0 ? deviation : 1 };
}

thaw_status thaw_target_scale_fit(thaw_context *context, const thaw_tensor *targets, thaw_target_scale *scale)
{
    const size_t rows = (size_t)targets->shape.dims[0], count = (size_t)targets->shape.dims[1];
    const thaw_status status = reserve(context, count, scale);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        scale->columns[i] = fit_column((const float *)targets->data + i, rows, count);
    return status;
}

thaw_status thaw_target_scale_copy(thaw_context *context, const thaw_target_scale *from, thaw_target_scale *scale)
{
    *scale = (thaw_target_scale){ 0 };
    if (!from->count)
        return THAW_OK;
    const thaw_status status = reserve(context, from->count, scale);
    if (status == THAW_OK)
        memcpy(scale->columns, from->columns, from->count * sizeof *from->columns);
    return status;
}

thaw_status thaw_target_scale_apply(thaw_context *context, const thaw_target_scale *scale, thaw_tensor *targets)
{
    const size_t all = thaw_shape_count(&targets->shape);
    float *values = targets->data;
    for (size_t i = 0; i < all && scale->count; i++) {
        const thaw_target_column *column = &scale->columns[i % scale->count];
        const double number = (double)values[i], scaled = (number - column->mean) / column->deviation;
        if (!(fabs(scaled) <= (double)FLT_MAX))
            return thaw_fail(context, THAW_BAD_FORMAT,
                             "data set: target %g of sample %zu is too far from the mean, %g, for a standard deviation "
                             "of %g; scale-target=no leaves targets as they are",
                             number, i / scale->count, column->mean, column->deviation);
        values[i] = (float)scaled;
    }
    return THAW_OK;
}

/* ---- text ---- */

thaw_status thaw_target_scale_write(thaw_context *context, const thaw_target_scale *scale, char **text)
{
    thaw_words words = { .context = context };
    thaw_status status = THAW_OK;
    *text = NULL;
    for (size_t i = 0; i < scale->count && status == THAW_OK; i++) {
        status = thaw_words_add_number(&words, scale->columns[i].mean);
        if (status == THAW_OK)
            status = thaw_words_add_number(&words, scale->columns[i].deviation);
    }
    if (status == THAW_OK && scale->count)
        status = thaw_name_list_write(context, (const char *const *)words.items, words.count, text);
    thaw_words_release(&words);
    return status;
}

static bool read_columns(char *const *words, size_t count, thaw_target_column *columns)
{
    for (size_t i = 0; i < count; i++) {
        const char *mean = words[2 * i], *deviation = words[2 * i + 1];
        if (!thaw_parse_number(mean, strlen(mean), &columns[i].mean) ||
            !thaw_parse_number(deviation, strlen(deviation), &columns[i].deviation) || !(columns[i].deviation > 0))
            return false;
    }
    return true;
}

thaw_status thaw_target_scale_read(thaw_context *context, const char *text, thaw_target_scale *scale)
{
    static const char note[] = "thaw.targets";
    char **words = NULL;
    size_t count = 0;
    *scale = (thaw_target_scale){ 0 };
    thaw_status status = thaw_name_list_read(context, note, text, &words, &count);
    if (status == THAW_OK && count && count % 2 == 0)
        status = reserve(context, count / 2, scale);
    if (status == THAW_OK && (!scale->count || !read_columns(words, scale->count, scale->columns)))
        status = thaw_fail(context, THAW_BAD_FORMAT,
                           "%s: must have a mean and a standard deviation above 0 for each target", note);
    thaw_release(context, (void *)words);
    if (status != THAW_OK)
        thaw_target_scale_release(context, scale);
    return status;
}
