/* Data sets by description: "fashion-mnist:classes=0-4", "idx:IMAGES,LABELS;test=IMAGES,LABELS", "folder:PATH". */
#include "data/description.h"

#include <errno.h>
#include <string.h>
#include <thaw/notes.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/nearest.h"
#include "core/text.h"
#include "data/dataset.h"
#include "data/idx.h"
#include "data/selection.h"
#include "data/widened.h"

static const char FASHION_MNIST_DIRECTORY[] = "/usr/share/datasets/fashion-mnist";

/* ---- options ---- */

static thaw_status parse_directory(thaw_description *into, char *value)
{
    if (!*value)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: dir must be a path", into->name);
    into->directory = value;
    return THAW_OK;
}

static thaw_status parse_test(thaw_description *into, char *value)
{
    return thaw_describe_pair(into, value, "IMAGES,LABELS", into->paths + THAW_TEST_IMAGES);
}

static thaw_status fail_unknown_option(const thaw_description *into, const thaw_described_set *set, const char *name)
{
    enum { MOST_OPTIONS = 64 };
    const char *names[MOST_OPTIONS];
    size_t count = 0;
    for (; count < set->option_count && count < MOST_OPTIONS; count++)
        names[count] = set->options[count].name;
    return thaw_fail_unknown(into->context, "option of a data set", name, names, count);
}

static thaw_status parse_option(thaw_description *into, const thaw_described_set *set, char *text)
{
    char *value = strchr(text, '=');
    if (!value)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: \"%s\", must be NAME=VALUE", set->name, text);
    *value++ = '\0';
    for (size_t i = 0; i < set->option_count; i++) {
        if (strcmp(text, set->options[i].name) != 0)
            continue;
        if (into->given >> i & 1)
            return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: %s is given twice", set->name, text);
        into->given |= (uint64_t)1 << i;
        return set->options[i].parse(into, value);
    }
    return fail_unknown_option(into, set, text);
}

/* ---- the sets ---- */

static thaw_status begin_idx(thaw_description *into, char **rest)
{
    const char *pair = strsep(rest, ";");
    return thaw_describe_pair(into, pair ? pair : "", "IMAGES,LABELS", into->paths + THAW_TRAINING_IMAGES);
}

/* Opens a pair of files and selects from it. */
static thaw_status open_split(thaw_description *from, char *const *paths, const thaw_dataset_selection *selection,
                              thaw_dataset **dataset)
{
    thaw_dataset *whole;
    const bool selects_classes = from->has_classes && selection->last_class < from->classes;
    const thaw_status status =
        thaw_idx_open(from->context, paths[0], paths[1], from->classes, selects_classes ? selection : NULL, &whole);
    if (status != THAW_OK || (!from->has_classes && !selection->per_class && !selection->repeat)) {
        *dataset = whole;
        return status;
    }
    thaw_dataset_selection adjusted = *selection;
    if (!from->has_classes)
        adjusted.last_class = SIZE_MAX;
    return thaw_select_owned(from->context, whole, &adjusted, dataset);
}

/* Images of bytes, and labels of bytes, as of MNIST. */
static thaw_status open_splits(thaw_description *from, thaw_dataset **training, thaw_dataset **test)
{
    const thaw_dataset_selection same_classes = { .first_class = from->selection.first_class,
                                                  .last_class = from->selection.last_class };
    thaw_status status = THAW_OK;
    if (from->classes == 0)
        status = thaw_idx_classes(from->context, from->paths[THAW_TRAINING_LABELS], &from->classes);
    if (status == THAW_OK && test && from->paths[THAW_TEST_IMAGES])
        status = open_split(from, from->paths + THAW_TEST_IMAGES, &same_classes, test);
    if (status == THAW_OK && training)
        status = open_split(from, from->paths + THAW_TRAINING_IMAGES, &from->selection, training);
    if (status != THAW_OK && test) {
        thaw_dataset_destroy(*test);
        *test = NULL;
    }
    return status;
}

static thaw_status open_idx(thaw_description *from, thaw_dataset **training, thaw_dataset **test)
{
    bool images = true, labels = true;
    thaw_status status = thaw_idx_is_plain(from->context, from->paths[THAW_TRAINING_LABELS], 1, &labels);
    if (status == THAW_OK)
        status = thaw_idx_is_plain(from->context, from->paths[THAW_TRAINING_IMAGES], 3, &images);
    if (status == THAW_OK && !(images && labels))
        return thaw_arrays_open(from, training, test);
    if (status == THAW_OK)
        status = open_splits(from, training, test);
    if (status == THAW_OK && from->arrays.channels)
        status = thaw_dataset_widen_parts(from->context, training, test, from->arrays.channels);
    return status;
}

/* Debian's files, or the same unpacked. */
static thaw_status locate_fashion_mnist(thaw_description *into)
{
    static const char *const names[THAW_DESCRIBED_PATHS] = {
        [THAW_TRAINING_IMAGES] = "train-images-idx3-ubyte",
        [THAW_TRAINING_LABELS] = "train-labels-idx1-ubyte",
        [THAW_TEST_IMAGES] = "t10k-images-idx3-ubyte",
        [THAW_TEST_LABELS] = "t10k-labels-idx1-ubyte",
    };
    const char *directory = into->directory ? into->directory : FASHION_MNIST_DIRECTORY;
    into->classes = 10;
    if (!into->directory && access(directory, F_OK) != 0)
        return thaw_fail(into->context, THAW_IO_ERROR,
                         "%s: %s; install Debian's dataset-fashion-mnist, or give the folder with dir=PATH", directory,
                         strerror(errno));
    for (size_t i = 0; i < THAW_DESCRIBED_PATHS; i++) {
        thaw_text path = { .context = into->context };
        thaw_text_append(&path, "%s/%s.gz", directory, names[i]);
        const thaw_status status = thaw_text_finish(&path, &into->paths[i]);
        if (status != THAW_OK)
            return status;
        char *suffix = strrchr(into->paths[i], '.');
        if (access(into->paths[i], F_OK) == 0)
            continue;
        *suffix = '\0';
        if (access(into->paths[i], F_OK) != 0)
            *suffix = '.'; /* neither exists: the error names the usual one */
    }
    return THAW_OK;
}

static thaw_status open_fashion_mnist(thaw_description *from, thaw_dataset **training, thaw_dataset **test)
{
    const thaw_status status = locate_fashion_mnist(from);
    return status == THAW_OK ? open_splits(from, training, test) : status;
}

static const thaw_described_option fashion_mnist_options[] = {
    { "classes", thaw_describe_classes },
    { "dir", parse_directory },
    { "per-class", thaw_describe_per_class },
    { "repeat", thaw_describe_repeat },
};
static const thaw_described_option idx_options[] = {
    { "channels", thaw_describe_channels },   { "classes", thaw_describe_classes },
    { "per-class", thaw_describe_per_class }, { "repeat", thaw_describe_repeat },
    { "scale-target", thaw_describe_scale },  { "test", parse_test },
};

static const thaw_described_set fashion_mnist = {
    .name = "fashion-mnist",
    .form = "fashion-mnist[:OPTIONS]",
    .example = "fashion-mnist:classes=0-4;per-class=500",
    .summary = "clothes in 28 x 28 grey pixels, 10 classes, from Debian's package dataset-fashion-mnist",
    .options = fashion_mnist_options,
    .option_count = THAW_COUNT(fashion_mnist_options),
    .open = open_fashion_mnist,
};
static const thaw_described_set idx = {
    .name = "idx",
    .form = "idx:IMAGES,LABELS[;OPTIONS]",
    .example = "idx:train-images.gz,train-labels.gz;test=test-images.gz,test-labels.gz",
    .summary = "pairs of IDX files, as of MNIST, gzip or not",
    .begin = begin_idx,
    .options = idx_options,
    .option_count = THAW_COUNT(idx_options),
    .open = open_idx,
};

static const thaw_described_set *const sets[] = { &fashion_mnist,         &idx,
                                                  &thaw_described_folder, &thaw_described_npy,
                                                  &thaw_described_npz,    &thaw_described_csv,
                                                  &thaw_described_text };

static thaw_status find_set(thaw_context *context, const char *name, const thaw_described_set **set)
{
    const char *names[THAW_COUNT(sets)];
    for (size_t i = 0; i < THAW_COUNT(sets); i++) {
        names[i] = sets[i]->name;
        *set = sets[i];
        if (strcmp(name, sets[i]->name) == 0)
            return THAW_OK;
    }
    return thaw_fail_unknown(context, "data set", name, names, THAW_COUNT(sets));
}

bool thaw_dataset_kind_at(size_t index, thaw_dataset_kind *kind)
{
    if (index >= THAW_COUNT(sets))
        return false;
    const thaw_described_set *set = sets[index];
    *kind = (thaw_dataset_kind){ set->name, set->form, set->example, set->summary };
    return true;
}

const char *thaw_dataset_kind_option(size_t kind, size_t index)
{
    return kind < THAW_COUNT(sets) && index < sets[kind]->option_count ? sets[kind]->options[index].name : NULL;
}

/* ---- opening ---- */

thaw_status thaw_description_parse_options(thaw_description *into, const thaw_described_set *set, char *rest)
{
    thaw_status status = THAW_OK;
    while (status == THAW_OK && rest && *rest)
        status = parse_option(into, set, strsep(&rest, ";"));
    return status;
}

bool thaw_description_gives(const thaw_description *parsed, const thaw_described_set *set, const char *option)
{
    for (size_t i = 0; i < set->option_count; i++)
        if (strcmp(set->options[i].name, option) == 0)
            return parsed->given >> i & 1;
    return false;
}

thaw_status thaw_description_parse(thaw_description *into, const char *text, const thaw_described_set **set)
{
    into->text = thaw_copy_text(into->context, text);
    if (!into->text)
        return THAW_OUT_OF_MEMORY;
    char *rest = into->text;
    into->name = strsep(&rest, ":");
    const char *kind = NULL;
    thaw_status status = find_set(into->context, into->name, set), guessed = THAW_OK;
    if (status == THAW_NOT_FOUND)
        guessed = thaw_description_guess(into, text, &kind);
    if (guessed != THAW_OK)
        return guessed;
    if (kind) {
        if (rest)
            rest[-1] = ':';
        rest = into->text;
        into->name = kind;
        status = find_set(into->context, kind, set);
    }
    if (status == THAW_OK && (*set)->begin)
        status = (*set)->begin(into, &rest);
    return status == THAW_OK ? thaw_description_parse_options(into, *set, rest) : status;
}

void thaw_description_release(thaw_description *parsed)
{
    for (size_t i = 0; i < THAW_DESCRIBED_PATHS; i++)
        thaw_release(parsed->context, parsed->paths[i]);
    thaw_release(parsed->context, parsed->text);
}

static thaw_status open_description(thaw_context *context, const thaw_notes *notes, const char *text,
                                    thaw_dataset **training, thaw_dataset **test)
{
    if (training)
        *training = NULL;
    if (test)
        *test = NULL;
    thaw_description parsed = { .context = context, .notes = notes };
    const thaw_described_set *set;
    thaw_status status = thaw_description_parse(&parsed, text, &set);
    if (status == THAW_OK)
        status = set->open(&parsed, training, test);
    thaw_description_release(&parsed);
    return status;
}

thaw_status thaw_dataset_open(thaw_context *context, const char *description, thaw_dataset **training,
                              thaw_dataset **test)
{
    return open_description(context, NULL, description, training, test);
}

thaw_status thaw_dataset_open_noted(thaw_context *context, const thaw_notes *notes, const char *description,
                                    thaw_dataset **training, thaw_dataset **test)
{
    return open_description(context, notes, description, training, test);
}
