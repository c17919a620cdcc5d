/* Checks the options of an image folder, and fills in defaults. */
#include <math.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/context.h"
#include "data/folder.h"
#include "data/image.h"

enum { MOST_THREADS = 1024, MOST_VIEWS = 65536, USUAL_SIZE = 224, MOST_SIZE = 8192 };
static const double USUAL_SHARE = 0.2;

static thaw_status check_sizes(thaw_context *context, thaw_folder_options *options)
{
    options->size = options->size ? options->size : USUAL_SIZE;
    if (options->size < 1 || options->size > MOST_SIZE)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "folder: size is %lld, must be from 1 to %d",
                         (long long)options->size, MOST_SIZE);
    options->resize = options->resize ? options->resize : (options->size * 8 + 3) / 7;
    if (options->resize < options->size || options->resize > 2 * MOST_SIZE)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "folder: resize is %lld, must be from size, which is %lld, to %d", (long long)options->resize,
                         (long long)options->size, 2 * MOST_SIZE);
    options->channels = options->channels ? options->channels : THAW_IMAGE_CHANNELS;
    if (options->channels != 1 && options->channels != THAW_IMAGE_CHANNELS)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "folder: channels is %d, must be 3 or 1", options->channels);
    return THAW_OK;
}

static bool any(const float *values)
{
    return values[0] != 0 || values[1] != 0 || values[2] != 0;
}

/* If only one of the two is given, the other changes nothing. */
static thaw_status check_levels(thaw_context *context, thaw_folder_options *options)
{
    static const float imagenet_mean[] = { 0.485F, 0.456F, 0.406F }, imagenet_std[] = { 0.229F, 0.224F, 0.225F };
    static const float ones[] = { 1, 1, 1 };
    const bool usual = options->channels == THAW_IMAGE_CHANNELS && !any(options->mean) && !any(options->std);
    if (usual)
        memcpy(options->mean, imagenet_mean, sizeof imagenet_mean);
    if (!any(options->std))
        memcpy(options->std, usual ? imagenet_std : ones, sizeof ones);
    for (int c = 0; c < options->channels; c++)
        if (!isfinite(options->mean[c]) || !isfinite(options->std[c]) || options->std[c] <= 0)
            return thaw_fail(context, THAW_INVALID_ARGUMENT,
                             "folder: mean is %g and std is %g, must be finite, std above 0", (double)options->mean[c],
                             (double)options->std[c]);
    return THAW_OK;
}

thaw_status thaw_folder_augment(thaw_context *context, const thaw_folder_options *options, thaw_augment *augment)
{
    *augment = (thaw_augment){ 0 };
    if (options->augment != THAW_AUGMENT_NONE && options->augment != THAW_AUGMENT_CROP_FLIP)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "folder: augment is %d, must be a thaw_augmentation",
                         (int)options->augment);
    if (options->transforms && options->augment != THAW_AUGMENT_NONE)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "folder: transforms are given beside augment, must be in place of it");
    if (options->transforms)
        return thaw_augment_parse(context, options->transforms, augment);
    return options->augment == THAW_AUGMENT_NONE
               ? THAW_OK
               : thaw_augment_parse(context, "random-resized-crop+random-horizontal-flip", augment);
}

static thaw_status check_rest(thaw_context *context, thaw_folder_options *options)
{
    options->validation = options->validation == 0 ? USUAL_SHARE : fmax(options->validation, 0);
    if (!(options->validation < 1))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "folder: validation is %g, must be below 1",
                         options->validation);
    thaw_augment augment;
    const thaw_status status = thaw_folder_augment(context, options, &augment);
    if (status != THAW_OK)
        return status;
    if (options->views < 0 || options->views > MOST_VIEWS)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "folder: views is %d, must be from 1 to %d, or 0: any number",
                         options->views, MOST_VIEWS);
    if (options->views && !thaw_augment_changes(&augment))
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "folder: views is %d, must go with augment; without it all views are alike", options->views);
    options->threads = options->threads ? options->threads : context->most_threads;
    if (options->threads < 1 || options->threads > MOST_THREADS)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "folder: threads is %d, must be from 1 to %d",
                         options->threads, MOST_THREADS);
    return THAW_OK;
}

thaw_status thaw_folder_complete(thaw_context *context, thaw_folder_options *options)
{
    thaw_status status = check_sizes(context, options);
    if (status == THAW_OK)
        status = check_levels(context, options);
    return status == THAW_OK ? check_rest(context, options) : status;
}
