/* Predictions for images, and the best classes. */
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <thaw/runtime.h>
#include <thaw/train.h>

#include "train/predictor.h"

/* ---------------------------------------------------------------- classes */

/* NaN is below all numbers. */
static bool is_better(const float *scores, size_t one, size_t other)
{
    return scores[one] > scores[other] || (isnan(scores[other]) && !isnan(scores[one]));
}

void thaw_predictor_best(const thaw_predictor *predictor, const float *scores, size_t most, size_t *classes)
{
    size_t kept = 0;
    for (size_t i = 0; i < predictor->classes && most; i++) {
        if (kept == most && !is_better(scores, i, classes[kept - 1]))
            continue;
        size_t place = kept < most ? kept++ : kept - 1;
        for (; place && is_better(scores, i, classes[place - 1]); place--)
            classes[place] = classes[place - 1];
        classes[place] = i;
    }
}

/* ---------------------------------------------------------------- images */

static thaw_status check_images(const thaw_predictor *predictor)
{
    char text[80];
    if (predictor->images.size)
        return THAW_OK;
    return thaw_fail(predictor->context, THAW_UNSUPPORTED,
                     "the network takes samples of shape %s, which images are not",
                     thaw_shape_format(thaw_model_node_shape(predictor->model, 0), text, sizeof text));
}

/* Predicts for the sample of one image. */
static thaw_status predict_one(thaw_predictor *predictor, float *scores)
{
    thaw_tensor sample = { .dtype = THAW_F32, .data = predictor->sample };
    const thaw_shape *input = thaw_model_node_shape(predictor->model, 0);
    sample.shape.rank = input->rank + 1;
    sample.shape.dims[0] = 1;
    memcpy(&sample.shape.dims[1], input->dims, (size_t)input->rank * sizeof input->dims[0]);
    return thaw_predictor_samples(predictor, &sample, scores);
}

thaw_status thaw_predictor_file(thaw_predictor *predictor, const char *path, float *scores)
{
    thaw_reading reading;
    thaw_status status = thaw_predictor_read_files(predictor, &path, 1, predictor->sample, &reading);
    if (status == THAW_OK && reading.status != THAW_OK)
        status = thaw_fail(predictor->context, reading.status, "%s: %s", path, reading.message);
    return status == THAW_OK ? predict_one(predictor, scores) : status;
}

thaw_status thaw_predictor_image(thaw_predictor *predictor, const void *bytes, size_t count, float *scores)
{
    thaw_image_reader reader;
    thaw_reading reading;
    const thaw_status status = check_images(predictor);
    if (status != THAW_OK)
        return status;
    thaw_image_reader_begin(&reader, predictor->context, &predictor->form);
    reading.status =
        thaw_image_reader_decode(&reader, bytes, count, predictor->sample, reading.message, sizeof reading.message);
    thaw_image_reader_end(&reader);
    if (reading.status != THAW_OK)
        return thaw_fail(predictor->context, reading.status, "the image %s", reading.message);
    return predict_one(predictor, scores);
}

typedef struct files {
    const thaw_predictor *predictor;
    const char *const *paths;
    float *samples;
    size_t elements; /* of a sample */
    thaw_reading *readings;
} files;

static void read_range(void *argument, size_t begin, size_t end)
{
    const files *all = argument;
    thaw_image_reader reader;
    thaw_image_reader_begin(&reader, all->predictor->context, &all->predictor->form);
    for (size_t i = begin; i < end; i++) {
        thaw_reading *reading = &all->readings[i];
        reading->message[0] = '\0';
        reading->status =
            thaw_image_reader_read(&reader, AT_FDCWD, all->paths[i], NULL, all->samples + i * all->elements,
                                   reading->message, sizeof reading->message);
    }
    thaw_image_reader_end(&reader);
}

thaw_status thaw_predictor_read_files(thaw_predictor *predictor, const char *const *paths, size_t count, float *samples,
                                      thaw_reading *readings)
{
    files all = {
        .predictor = predictor,
        .paths = paths,
        .samples = samples,
        .elements = thaw_shape_count(thaw_model_node_shape(predictor->model, 0)),
        .readings = readings,
    };
    const thaw_status status = check_images(predictor);
    if (status != THAW_OK)
        return status;
    thaw_parallel_for(predictor->context, count, 1, read_range, &all);
    for (size_t i = 0; i < count; i++)
        if (readings[i].status == THAW_OUT_OF_MEMORY)
            return thaw_fail(predictor->context, THAW_OUT_OF_MEMORY, "%s: %s", paths[i], readings[i].message);
    return THAW_OK;
}
