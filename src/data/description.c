/* Data sets by description: "fashion-mnist:classes=0-4", "idx:IMAGES,LABELS;test=IMAGES,LABELS". */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/nearest.h"
#include "core/text.h"
#include "data/dataset.h"
#include "data/idx.h"
#include "data/selection.h"

enum { TRAINING_IMAGES, TRAINING_LABELS, TEST_IMAGES, TEST_LABELS, PATHS };

static const char FASHION_MNIST_DIRECTORY[] = "/usr/share/datasets/fashion-mnist";

typedef struct description {
    thaw_context *context;
    const char *name;      /* of the data set */
    char *text;            /* a copy of the description, cut into words */
    const char *directory; /* "dir"; NULL: the default */
    char *paths[PATHS];    /* NULL: no such part */
    size_t classes;        /* that the files have; 0: what the training labels tell */
    bool has_classes;
    thaw_dataset_selection selection;
} description;

typedef struct option {
    const char *name;
    thaw_status (*parse)(description *into, char *value);
} option;

typedef struct known_set {
    const char *name;
    thaw_status (*begin)(description *into, char **rest); /* takes what stands before the options */
    const char *const *options;
    size_t option_count;
    thaw_status (*locate)(description *into); /* finds the files when all is parsed */
} known_set;

/* ---------------------------------------------------------------- words */

static bool parse_number(const char *text, char **end, size_t *number)
{
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    const uintmax_t value = strtoumax(text, end, 10);
    *number = (size_t)value;
    return errno == 0;
}

static thaw_status parse_count(description *into, const char *option_name, const char *text, size_t *count)
{
    char *end;
    if (*count)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: %s is given twice", into->name, option_name);
    if (!parse_number(text, &end, count) || *end || *count == 0)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: %s=%s, wanted a number from 1 on", into->name,
                         option_name, text);
    return THAW_OK;
}

/* Copies "IMAGES,LABELS" into two paths. */
static thaw_status parse_pair(description *into, const char *text, char **paths)
{
    const char *comma = strchr(text, ',');
    if (!comma || comma == text || !comma[1] || strchr(comma + 1, ','))
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: \"%s\", wanted IMAGES,LABELS", into->name, text);
    if (paths[0])
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: test is given twice", into->name);
    paths[0] = thaw_copy_text(into->context, text);
    paths[1] = thaw_copy_text(into->context, comma + 1);
    if (!paths[0] || !paths[1])
        return THAW_OUT_OF_MEMORY;
    paths[0][comma - text] = '\0';
    return THAW_OK;
}

/* ---------------------------------------------------------------- options */

static thaw_status parse_classes(description *into, char *value)
{
    thaw_dataset_selection *selection = &into->selection;
    char *end;
    if (into->has_classes)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: classes is given twice", into->name);
    bool good = parse_number(value, &end, &selection->first_class);
    selection->last_class = selection->first_class;
    if (good && *end == '-')
        good = parse_number(end + 1, &end, &selection->last_class);
    if (!good || *end || selection->first_class > selection->last_class)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: classes=%s, wanted one number or A-B", into->name,
                         value);
    into->has_classes = true;
    return THAW_OK;
}

static thaw_status parse_per_class(description *into, char *value)
{
    return parse_count(into, "per-class", value, &into->selection.per_class);
}

static thaw_status parse_repeat(description *into, char *value)
{
    return parse_count(into, "repeat", value, &into->selection.repeat);
}

static thaw_status parse_directory(description *into, char *value)
{
    if (into->directory || !*value)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: dir wants one path", into->name);
    into->directory = value;
    return THAW_OK;
}

static thaw_status parse_test(description *into, char *value)
{
    return parse_pair(into, value, into->paths + TEST_IMAGES);
}

static const option options[] = {
    { "classes", parse_classes }, { "dir", parse_directory }, { "per-class", parse_per_class },
    { "repeat", parse_repeat },   { "test", parse_test },
};

static thaw_status parse_option(description *into, const known_set *set, char *text)
{
    char *value = strchr(text, '=');
    if (!value)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: \"%s\" is no option, wanted NAME=VALUE", set->name,
                         text);
    *value++ = '\0';
    for (size_t i = 0; i < set->option_count; i++)
        for (size_t j = 0; strcmp(text, set->options[i]) == 0 && j < THAW_COUNT(options); j++)
            if (strcmp(text, options[j].name) == 0)
                return options[j].parse(into, value);
    return thaw_fail_unknown(into->context, "option of a data set", text, set->options, set->option_count);
}

/* ---------------------------------------------------------------- the sets */

static thaw_status begin_idx(description *into, char **rest)
{
    const char *pair = strsep(rest, ";");
    return parse_pair(into, pair ? pair : "", into->paths + TRAINING_IMAGES);
}

/* Debian's files, or the same unpacked. */
static thaw_status locate_fashion_mnist(description *into)
{
    static const char *const names[PATHS] = {
        [TRAINING_IMAGES] = "train-images-idx3-ubyte",
        [TRAINING_LABELS] = "train-labels-idx1-ubyte",
        [TEST_IMAGES] = "t10k-images-idx3-ubyte",
        [TEST_LABELS] = "t10k-labels-idx1-ubyte",
    };
    const char *directory = into->directory ? into->directory : FASHION_MNIST_DIRECTORY;
    into->classes = 10;
    if (!into->directory && access(directory, F_OK) != 0)
        return thaw_fail(into->context, THAW_IO_ERROR,
                         "%s: %s; install Debian's dataset-fashion-mnist, or say where the files are with dir=PATH",
                         directory, strerror(errno));
    for (size_t i = 0; i < PATHS; i++) {
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
            *suffix = '.'; /* neither is there: the error names the usual one */
    }
    return THAW_OK;
}

static const char *const fashion_mnist_options[] = { "classes", "dir", "per-class", "repeat" };
static const char *const idx_options[] = { "classes", "per-class", "repeat", "test" };

static const known_set sets[] = {
    { .name = "fashion-mnist",
      .options = fashion_mnist_options,
      .option_count = THAW_COUNT(fashion_mnist_options),
      .locate = locate_fashion_mnist },
    { .name = "idx", .begin = begin_idx, .options = idx_options, .option_count = THAW_COUNT(idx_options) },
};

static thaw_status find_set(thaw_context *context, const char *name, const known_set **set)
{
    const char *names[THAW_COUNT(sets)];
    for (size_t i = 0; i < THAW_COUNT(sets); i++) {
        names[i] = sets[i].name;
        *set = &sets[i];
        if (strcmp(name, sets[i].name) == 0)
            return THAW_OK;
    }
    return thaw_fail_unknown(context, "data set", name, names, THAW_COUNT(sets));
}

/* ---------------------------------------------------------------- opening */

static thaw_status parse(description *into, const char *text)
{
    into->text = thaw_copy_text(into->context, text);
    if (!into->text)
        return THAW_OUT_OF_MEMORY;
    char *rest = into->text;
    into->name = strsep(&rest, ":");
    const known_set *set;
    thaw_status status = find_set(into->context, into->name, &set);
    if (status == THAW_OK && set->begin)
        status = set->begin(into, &rest);
    while (status == THAW_OK && rest && *rest)
        status = parse_option(into, set, strsep(&rest, ";"));
    if (status == THAW_OK && set->locate)
        status = set->locate(into);
    return status;
}

/* Opens a pair of files and selects from it. */
static thaw_status open_part(description *from, char *const *paths, const thaw_dataset_selection *selection,
                             thaw_dataset **dataset)
{
    thaw_dataset *whole;
    const bool narrows = from->has_classes && selection->last_class < from->classes;
    thaw_status status =
        thaw_idx_open(from->context, paths[0], paths[1], from->classes, narrows ? selection : NULL, &whole);
    if (status != THAW_OK || (!from->has_classes && !selection->per_class && !selection->repeat)) {
        *dataset = whole;
        return status;
    }
    thaw_dataset_selection chosen = *selection;
    if (!from->has_classes)
        chosen.last_class = from->classes - 1;
    status = thaw_select_samples(from->context, whole, &chosen, dataset);
    if (status == THAW_OK)
        (*dataset)->owned = whole;
    else
        thaw_dataset_destroy(whole);
    return status;
}

static thaw_status open_parts(description *from, thaw_dataset **training, thaw_dataset **test)
{
    const thaw_dataset_selection same_classes = { .first_class = from->selection.first_class,
                                                  .last_class = from->selection.last_class };
    thaw_status status = THAW_OK;
    if (from->classes == 0)
        status = thaw_idx_classes(from->context, from->paths[TRAINING_LABELS], &from->classes);
    if (status == THAW_OK && test && from->paths[TEST_IMAGES])
        status = open_part(from, from->paths + TEST_IMAGES, &same_classes, test);
    if (status == THAW_OK && training)
        status = open_part(from, from->paths + TRAINING_IMAGES, &from->selection, training);
    if (status != THAW_OK && test) {
        thaw_dataset_destroy(*test);
        *test = NULL;
    }
    return status;
}

thaw_status thaw_dataset_open(thaw_context *context, const char *text, thaw_dataset **training, thaw_dataset **test)
{
    if (training)
        *training = NULL;
    if (test)
        *test = NULL;
    description parsed = { .context = context };
    thaw_status status = parse(&parsed, text);
    if (status == THAW_OK)
        status = open_parts(&parsed, training, test);
    for (size_t i = 0; i < PATHS; i++)
        thaw_release(context, parsed.paths[i]);
    thaw_release(context, parsed.text);
    return status;
}
