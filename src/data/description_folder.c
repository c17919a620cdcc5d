/* "folder:PATH;size=224;augment=crop-flip": a folder of images. */
#include <math.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/number.h"
#include "data/description.h"
#include "data/folder.h"
#include "data/labelled_folder.h"

static thaw_status begin(thaw_description *into, char **rest)
{
    into->directory = strsep(rest, ";");
    if (into->directory && *into->directory)
        return THAW_OK;
    return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "folder: PATH is missing, must be folder:PATH");
}

/* One of two words; *second says which. */
static thaw_status parse_word(thaw_description *into, const char *option, const char *value, const char *const *words,
                              bool *second)
{
    size_t which;
    const thaw_status status = thaw_describe_word(into, option, value, words, 2, &which);
    *second = which == 1;
    return status;
}

static thaw_status parse_augment(thaw_description *into, char *value)
{
    thaw_augment augment;
    into->folder.augment = strcmp(value, "crop-flip") == 0 ? THAW_AUGMENT_CROP_FLIP : THAW_AUGMENT_NONE;
    if (into->folder.augment == THAW_AUGMENT_CROP_FLIP || strcmp(value, "none") == 0)
        return THAW_OK;
    into->folder.transforms = value;
    return thaw_augment_parse(into->context, value, &augment);
}

static thaw_status parse_channels(thaw_description *into, char *value)
{
    bool three;
    const thaw_status status = parse_word(into, "channels", value, (const char *const[]){ "1", "3" }, &three);
    into->folder.channels = three ? 3 : 1;
    return status;
}

static thaw_status parse_decode(thaw_description *into, char *value)
{
    return parse_word(into, "decode", value, (const char *const[]){ "scaled", "full" }, &into->folder.decode_fully);
}

static thaw_status parse_on_error(thaw_description *into, char *value)
{
    return parse_word(into, "on-error", value, (const char *const[]){ "skip", "fail" }, &into->folder.fail_on_broken);
}

static thaw_status parse_side(thaw_description *into, const char *option, const char *value, int64_t *side)
{
    size_t number;
    const thaw_status status = thaw_describe_count(into, option, value, &number);
    *side = status == THAW_OK && number < INT32_MAX ? (int64_t)number : INT32_MAX;
    return status;
}

static thaw_status parse_views(thaw_description *into, char *value)
{
    int64_t views;
    const thaw_status status = parse_side(into, "views", value, &views);
    into->folder.views = (int)views;
    return status;
}

static thaw_status parse_size(thaw_description *into, char *value)
{
    return parse_side(into, "size", value, &into->folder.size);
}

static thaw_status parse_resize(thaw_description *into, char *value)
{
    return parse_side(into, "resize", value, &into->folder.resize);
}

static thaw_status parse_threads(thaw_description *into, char *value)
{
    int64_t threads;
    const thaw_status status = parse_side(into, "threads", value, &threads);
    into->folder.threads = (int)threads;
    return status;
}

/* One number per channel, or one for all. */
static thaw_status parse_levels(thaw_description *into, const char *option, char *value, float levels[3])
{
    char *rest = value;
    double number = 0;
    size_t count = 0;
    bool good = true;
    for (const char *word; good && (word = strsep(&rest, ",")); count++) {
        good = count < 3 && thaw_parse_number(word, strlen(word), &number);
        if (good)
            levels[count] = (float)number;
    }
    if (good && count == 1)
        levels[1] = levels[2] = levels[0];
    if (good && count != 2)
        return THAW_OK;
    return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "folder: %s must be one number, or one per channel", option);
}

static thaw_status parse_mean(thaw_description *into, char *value)
{
    return parse_levels(into, "mean", value, into->folder.mean);
}

static thaw_status parse_std(thaw_description *into, char *value)
{
    const thaw_status status = parse_levels(into, "std", value, into->folder.std);
    const float *std = into->folder.std;
    if (status == THAW_OK && !(std[0] > 0 && std[1] > 0 && std[2] > 0))
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "folder: std is %g, must be above 0",
                         (double)fminf(std[0], fminf(std[1], std[2])));
    return status;
}

static thaw_status parse_seed(thaw_description *into, char *value)
{
    size_t number;
    const thaw_status status = thaw_describe_count(into, "seed", value, &number);
    into->folder.seed = number;
    return status;
}

static thaw_status parse_validation(thaw_description *into, char *value)
{
    double share;
    if (!thaw_parse_number(value, strlen(value), &share) || share < 0 || share >= 1)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "folder: val=%s, must be at least 0 and below 1", value);
    into->folder.validation = share > 0 ? share : -1;
    return THAW_OK;
}

static thaw_status parse_labels(thaw_description *into, char *value)
{
    into->labels = value;
    return *value ? THAW_OK
                  : thaw_fail(into->context, THAW_INVALID_ARGUMENT, "folder: labels must be the path of a table");
}

static thaw_status parse_file(thaw_description *into, char *value)
{
    into->file_column = value;
    return *value ? THAW_OK : thaw_fail(into->context, THAW_INVALID_ARGUMENT, "folder: file must name a column");
}

static thaw_status parse_unlisted(thaw_description *into, char *value)
{
    return parse_word(into, "unlisted", value, (const char *const[]){ "fail", "skip" }, &into->skips_unlisted);
}

/* Options go with a table of labels, or with sub-folders as classes. */
static thaw_status check_labels(const thaw_description *from)
{
    static const char *const with[] = { "delimiter",    "file", "header", "label",
                                        "scale-target", "task", "test",   "unlisted" };
    static const char *const without[] = { "classes", "per-class" };
    const char *const *names = from->labels ? without : with;
    const size_t count = from->labels ? THAW_COUNT(without) : THAW_COUNT(with);
    for (size_t i = 0; i < count; i++)
        if (thaw_description_gives(from, &thaw_described_folder, names[i]))
            return thaw_fail(from->context, THAW_INVALID_ARGUMENT, "folder: %s is for folders %s labels=FILE", names[i],
                             from->labels ? "without" : "with");
    return THAW_OK;
}

static thaw_status open_folder(thaw_description *from, thaw_dataset **training, thaw_dataset **test)
{
    thaw_dataset_selection selection = from->selection;
    const thaw_status status = check_labels(from);
    if (status != THAW_OK || from->labels)
        return status == THAW_OK ? thaw_labelled_folder_open(from, training, test) : status;
    if (!from->has_classes)
        selection.last_class = SIZE_MAX;
    return thaw_folder_open(from->context, from->directory, &from->folder, &selection, training, test);
}

static const thaw_described_option options[] = {
    { "augment", parse_augment },
    { "channels", parse_channels },
    { "classes", thaw_describe_classes },
    { "decode", parse_decode },
    { "delimiter", thaw_describe_delimiter },
    { "file", parse_file },
    { "header", thaw_describe_header },
    { "label", thaw_describe_label },
    { "labels", parse_labels },
    { "mean", parse_mean },
    { "on-error", parse_on_error },
    { "per-class", thaw_describe_per_class },
    { "repeat", thaw_describe_repeat },
    { "resize", parse_resize },
    { "scale-target", thaw_describe_scale },
    { "seed", parse_seed },
    { "size", parse_size },
    { "std", parse_std },
    { "task", thaw_describe_task },
    { "test", thaw_describe_test_table },
    { "threads", parse_threads },
    { "unlisted", parse_unlisted },
    { "val", parse_validation },
    { "views", parse_views },
};

const thaw_described_set thaw_described_folder = {
    .name = "folder",
    .form = "folder:PATH[;OPTIONS]",
    .example = "folder:flowers;size=64;augment=crop-flip",
    .summary = "JPEG or PNG files, in one sub-folder per class, or with labels in a table",
    .begin = begin,
    .options = options,
    .option_count = THAW_COUNT(options),
    .open = open_folder,
};
