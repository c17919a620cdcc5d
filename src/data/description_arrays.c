/* "npy:X.npy,Y.npy" and "npz:FILE": arrays of NumPy. */
#include <string.h>
#include <thaw/runtime.h>

#include "core/text.h"
#include "data/array_samples.h"
#include "data/described_targets.h"
#include "data/unpack.h"
#include "data/zip.h"

enum { NONE = -1 };

/* The four arrays, by the numbers of thaw_description.paths. */
typedef struct arrays {
    thaw_description *from;
    thaw_zip *zip;                           /* NULL: files of their own */
    ptrdiff_t members[THAW_DESCRIBED_PATHS]; /* of the archive; NONE: it has no such array */
    thaw_array_form form;
} arrays;

/* ---- options ---- */

static thaw_status parse_layout(thaw_description *into, char *value)
{
    size_t which;
    const thaw_status status =
        thaw_describe_word(into, "layout", value, (const char *const[]){ "hwc", "chw" }, 2, &which);
    into->arrays.has_layout = true;
    into->arrays.channels_first = which == 1;
    return status;
}

static thaw_status parse_name(thaw_description *into, const char *option, const char *value, const char **name)
{
    *name = value;
    return *value ? THAW_OK
                  : thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: %s must be the name of an array", into->name,
                              option);
}

static thaw_status parse_x(thaw_description *into, char *value)
{
    return parse_name(into, "x", value, &into->arrays.x);
}

static thaw_status parse_y(thaw_description *into, char *value)
{
    return parse_name(into, "y", value, &into->arrays.y);
}

static const char pair[] = "X.npy,Y.npy";

static thaw_status parse_test(thaw_description *into, char *value)
{
    return thaw_describe_pair(into, value, pair, into->paths + THAW_TEST_IMAGES);
}

static thaw_status begin_npy(thaw_description *into, char **rest)
{
    const char *text = strsep(rest, ";");
    return thaw_describe_pair(into, text ? text : "", pair, into->paths + THAW_TRAINING_IMAGES);
}

static thaw_status begin_npz(thaw_description *into, char **rest)
{
    into->directory = strsep(rest, ";");
    if (into->directory && *into->directory)
        return THAW_OK;
    return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "npz: FILE is missing, must be npz:FILE");
}

/* ---- finding arrays in an archive ---- */

enum { USUAL_NAMES = 7 };
static const char *const usual[THAW_DESCRIBED_PATHS][USUAL_NAMES] = {
    [THAW_TRAINING_IMAGES] = { "x", "X", "data", "images", "arr_0", "x_train", "X_train" },
    [THAW_TRAINING_LABELS] = { "y", "Y", "labels", "target", "arr_1", "y_train", "Y_train" },
    [THAW_TEST_IMAGES] = { "x_test", "X_test" },
    [THAW_TEST_LABELS] = { "y_test", "Y_test" },
};

/* The member "NAME.npy". */
static ptrdiff_t find_member(const thaw_zip *zip, const char *wanted)
{
    const size_t length = strlen(wanted);
    for (size_t i = 0; i < thaw_zip_count(zip); i++) {
        const char *name = thaw_zip_name(zip, i);
        if (strncmp(name, wanted, length) == 0 && strcmp(name + length, ".npy") == 0)
            return (ptrdiff_t)i;
    }
    return NONE;
}

static thaw_status fail_missing(const arrays *set, const char *what, const char *name)
{
    thaw_context *context = set->from->context;
    thaw_text names = { .context = context };
    char *text;
    for (size_t i = 0; i < thaw_zip_count(set->zip) && names.length < 300; i++)
        thaw_text_append(&names, "%s%.100s", i ? ", " : "", thaw_zip_name(set->zip, i));
    thaw_status status = thaw_text_finish(&names, &text);
    if (status == THAW_OK && name)
        status =
            thaw_fail(context, THAW_NOT_FOUND, "%s: has no array \"%s\"; has %s", set->from->directory, name, text);
    else if (status == THAW_OK)
        status = thaw_fail(context, THAW_NOT_FOUND,
                           "%s: has no array of the usual names for %s, which %s=NAME names; "
                           "has %s",
                           set->from->directory, what, what, text);
    thaw_release(context, text);
    return status;
}

static thaw_status find_arrays(arrays *set)
{
    const char *const given[2] = { set->from->arrays.x, set->from->arrays.y };
    for (size_t which = 0; which < THAW_DESCRIBED_PATHS; which++) {
        const char *name = which < 2 ? given[which] : NULL;
        set->members[which] = name ? find_member(set->zip, name) : NONE;
        for (size_t i = 0; !name && i < USUAL_NAMES && usual[which][i] && set->members[which] == NONE; i++)
            set->members[which] = find_member(set->zip, usual[which][i]);
        if (which < 2 && set->members[which] == NONE)
            return fail_missing(set, which == THAW_TRAINING_IMAGES ? "x" : "y", name);
    }
    return THAW_OK;
}

/* ---- reading ---- */

static thaw_status read_array(arrays *set, size_t which,
                              thaw_status (*read)(const thaw_content *from, const thaw_array_form *form,
                                                  thaw_samples *into),
                              thaw_samples *into)
{
    thaw_content content;
    thaw_unpacker *unpacker = NULL;
    thaw_status status;
    if (set->zip)
        status = thaw_zip_read_member(set->zip, (size_t)set->members[which], &content);
    else
        status = thaw_unpacker_open(set->from->context, set->from->paths[which], &unpacker);
    if (unpacker)
        content = thaw_unpacker_content(unpacker);
    if (status == THAW_OK)
        status = read(&content, &set->form, into);
    thaw_unpacker_close(unpacker);
    return status;
}

static bool has_test(const arrays *set)
{
    if (!set->zip)
        return set->from->paths[THAW_TEST_IMAGES];
    return set->members[THAW_TEST_IMAGES] != NONE && set->members[THAW_TEST_LABELS] != NONE;
}

static thaw_status split(const arrays *set, thaw_samples *all, thaw_samples *part)
{
    bool *marked;
    size_t count;
    thaw_status status = thaw_samples_draw(all->context, (size_t)all->inputs.shape.dims[0], set->from->split,
                                           set->from->seed, &marked, &count);
    if (status == THAW_OK)
        status = thaw_samples_move(all, marked, count, part);
    thaw_release(all->context, marked);
    return status;
}

/* The training part, which also counts the classes, and the test part, as far as they are wanted. */
static thaw_status open_parts(arrays *set, thaw_samples *all, thaw_samples *part, thaw_dataset **training,
                              thaw_dataset **test)
{
    const bool own_test = has_test(set), splits = !own_test && set->from->split > 0;
    thaw_status status = read_array(set, THAW_TRAINING_LABELS, thaw_array_read_targets, all);
    set->form.classes = all->classes;
    set->form.has_task = true;
    set->form.task = all->task;
    if (status == THAW_OK && (training || splits))
        status = read_array(set, THAW_TRAINING_IMAGES, thaw_array_read_inputs, all);
    if (status == THAW_OK && splits)
        status = split(set, all, part);
    if (status == THAW_OK && test && own_test)
        status = read_array(set, THAW_TEST_LABELS, thaw_array_read_targets, part);
    if (status == THAW_OK && test && own_test)
        status = read_array(set, THAW_TEST_IMAGES, thaw_array_read_inputs, part);
    if (status == THAW_OK)
        status = thaw_targets_scale(set->from, false, all, part);
    return status == THAW_OK ? thaw_description_make_parts(set->from, all, part, training, test) : status;
}

thaw_status thaw_arrays_open(thaw_description *from, thaw_dataset **training, thaw_dataset **test)
{
    thaw_samples all = { .context = from->context }, part = { .context = from->context };
    arrays set = {
        .from = from,
        .form = {
            .has_task = from->arrays.has_task,
            .task = from->arrays.task,
            .has_layout = from->arrays.has_layout,
            .channels_first = from->arrays.channels_first,
        },
    };
    thaw_status status = THAW_OK;
    if (from->directory)
        status = thaw_zip_open(from->context, from->directory, &set.zip);
    if (status == THAW_OK && set.zip)
        status = find_arrays(&set);
    if (status == THAW_OK)
        status = open_parts(&set, &all, &part, training, test);
    thaw_samples_release(&all);
    thaw_samples_release(&part);
    thaw_zip_close(set.zip);
    return status;
}

static const thaw_described_option npy_options[] = {
    { "channels", thaw_describe_channels },
    { "classes", thaw_describe_classes },
    { "layout", parse_layout },
    { "per-class", thaw_describe_per_class },
    { "repeat", thaw_describe_repeat },
    { "scale-target", thaw_describe_scale },
    { "seed", thaw_describe_seed },
    { "split", thaw_describe_split },
    { "task", thaw_describe_task },
    { "test", parse_test },
};
static const thaw_described_option npz_options[] = {
    { "channels", thaw_describe_channels },
    { "classes", thaw_describe_classes },
    { "layout", parse_layout },
    { "per-class", thaw_describe_per_class },
    { "repeat", thaw_describe_repeat },
    { "scale-target", thaw_describe_scale },
    { "seed", thaw_describe_seed },
    { "split", thaw_describe_split },
    { "task", thaw_describe_task },
    { "x", parse_x },
    { "y", parse_y },
};

const thaw_described_set thaw_described_npy = {
    .name = "npy",
    .form = "npy:X.npy,Y.npy[;OPTIONS]",
    .example = "npy:x.npy,y.npy;split=0.2",
    .summary = "two arrays of NumPy: features or images, and labels or numbers",
    .begin = begin_npy,
    .options = npy_options,
    .option_count = THAW_COUNT(npy_options),
    .open = thaw_arrays_open,
};
const thaw_described_set thaw_described_npz = {
    .name = "npz",
    .form = "npz:FILE[;OPTIONS]",
    .example = "npz:mnist.npz;x=x_train;y=y_train",
    .summary = "the same in an archive of NumPy",
    .begin = begin_npz,
    .options = npz_options,
    .option_count = THAW_COUNT(npz_options),
    .open = thaw_arrays_open,
};
