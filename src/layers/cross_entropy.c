#include "layers/cross_entropy.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- options ---- */

static int64_t classes_of(const thaw_layer_builder *builder)
{
    const thaw_shape *input = thaw_builder_input(builder, 0);
    return input->dims[input->rank - 1];
}

static thaw_status check_options(thaw_layer_builder *builder, const thaw_softmax_cross_entropy_options *o)
{
    if (o->reduction != THAW_REDUCE_MEAN && o->reduction != THAW_REDUCE_SUM)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "reduction is %d, must be THAW_REDUCE_MEAN or THAW_REDUCE_SUM", (int)o->reduction);
    if (!(o->label_smoothing >= 0 && o->label_smoothing <= 1))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "label_smoothing is %g, must be from 0 to 1",
                                 o->label_smoothing);
    for (int64_t class = 0; o->class_weights && class < classes_of(builder); class ++)
        if (!(o->class_weights[class] >= 0) || !isfinite(o->class_weights[class]))
            return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                     "the weight of class %lld is %g, must be finite and not negative",
                                     (long long)class, (double)o->class_weights[class]);
    return THAW_OK;
}

thaw_status thaw_cross_entropy_adopt_options(thaw_layer_builder *builder, void *options)
{
    thaw_softmax_cross_entropy_options *o = options;
    const thaw_status status = check_options(builder, o);
    if (status != THAW_OK || !o->class_weights)
        return status;
    const size_t bytes = (size_t)classes_of(builder) * sizeof(float);
    float *copy = thaw_allocate(thaw_builder_context(builder), bytes);
    if (!copy)
        return THAW_OUT_OF_MEMORY;
    o->class_weights = memcpy(copy, o->class_weights, bytes);
    return THAW_OK;
}

void thaw_cross_entropy_release_options(thaw_context *context, void *options)
{
    const thaw_softmax_cross_entropy_options *o = options;
    thaw_release(context, (void *)(uintptr_t)o->class_weights);
}

thaw_status thaw_cross_entropy_build(thaw_layer_builder *builder, const void *options)
{
    const thaw_softmax_cross_entropy_options *o = options;
    const thaw_shape *input = thaw_builder_input(builder, 0), scalar = { .rank = 0 };
    thaw_shape target = { .rank = input->rank - 1 };
    memcpy(target.dims, input->dims, (size_t)target.rank * sizeof target.dims[0]);
    if (o->use_ignore_label)
        thaw_builder_ignore_label(builder, o->ignore_label);
    if (o->reduction == THAW_REDUCE_SUM)
        thaw_builder_sum_loss(builder);
    thaw_builder_flops(builder, 4 * (double)thaw_shape_count(input));
    const thaw_status status = thaw_builder_target(builder, THAW_I32, &target);
    return status == THAW_OK ? thaw_builder_output(builder, &scalar) : status;
}

/* ---- labels ---- */

static thaw_status refuse(thaw_context *context, thaw_label_batch batch, size_t index)
{
    char place[48] = "";
    if (batch.places > 1)
        snprintf(place, sizeof place, " at place %zu", index % batch.places);
    return thaw_fail(context, THAW_INVALID_ARGUMENT, "cross-entropy: sample %zu has label %d%s, must be from 0 to %zu",
                     index / batch.places, (int)batch.labels[index], place, batch.classes - 1);
}

thaw_status thaw_cross_entropy_sum_weights(thaw_context *context, const thaw_softmax_cross_entropy_options *options,
                                           thaw_label_batch batch, thaw_label_weights *weights)
{
    *weights = (thaw_label_weights){ 0 };
    for (size_t i = 0; i < batch.samples * batch.places; i++) {
        const int32_t label = batch.labels[i];
        if (thaw_cross_entropy_ignores(options, label))
            continue;
        if (label < 0 || (size_t)label >= batch.classes)
            return refuse(context, batch, i);
        weights->sum += thaw_cross_entropy_weight(options, (size_t)label);
        weights->counted++;
    }
    return THAW_OK;
}

double thaw_cross_entropy_scale(const thaw_softmax_cross_entropy_options *options, thaw_label_weights weights)
{
    if (options->reduction == THAW_REDUCE_SUM)
        return 1;
    return weights.sum > 0 ? 1 / weights.sum : 0;
}

void thaw_cross_entropy_weigh(const thaw_layer_run *run, const thaw_softmax_cross_entropy_options *options, double sum,
                              thaw_label_weights weights, double *total, double *weight)
{
    const bool mean = options->reduction == THAW_REDUCE_MEAN;
    *weight = mean ? weights.sum : (double)weights.counted;
    /* The mean of one batch is its output, bit for bit. With weights of 0, smoothing still adds to the total. */
    *total = mean && *weight > 0 ? (double)*(const float *)run->output * *weight : sum;
}
