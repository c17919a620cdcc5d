/* The parts of a data set's description, and the kinds of data sets. */
#ifndef THAW_DATA_DESCRIPTION_H
#define THAW_DATA_DESCRIPTION_H

#include <thaw/image_data.h>

#include "data/samples.h"

enum { THAW_TRAINING_IMAGES, THAW_TRAINING_LABELS, THAW_TEST_IMAGES, THAW_TEST_LABELS, THAW_DESCRIBED_PATHS };

/* Options of arrays of NumPy. */
typedef struct thaw_described_arrays {
    const char *x, *y; /* names in an archive; NULL: the usual ones */
    bool has_task, has_layout, channels_first;
    thaw_task task;
    size_t channels; /* 3: one channel becomes three; 0: as they are */
} thaw_described_arrays;

/* Whether targets that are numbers are standardised. */
typedef enum thaw_described_scale {
    THAW_SCALE_USUAL, /* as a file of weights notes; otherwise they are */
    THAW_SCALE_ALWAYS,
    THAW_SCALE_NEVER
} thaw_described_scale;

/* Options of a table. */
typedef struct thaw_described_table {
    const char *labels, *categories, *skipped, *test;
    char delimiter; /* 0: a comma */
    bool no_header;
    size_t missing; /* a thaw_missing */
} thaw_described_table;

enum { THAW_MOST_TOKENS_OF_TEXT = 1 << 20 };

/* Options of texts. */
typedef struct thaw_described_texts {
    const char *text, *second, *label; /* columns; NULL: not given, as of all */
    const char *tokenizer, *test;      /* paths */
    size_t length;                     /* of samples in tokens, at most THAW_MOST_TOKENS_OF_TEXT; 0: not given */
    bool lm;
} thaw_described_texts;

typedef struct thaw_description {
    thaw_context *context;
    const char *name;                  /* of the data set */
    char *text;                        /* a copy of the description, cut into words */
    const char *directory;             /* "dir", or the folder; NULL for the default */
    char *paths[THAW_DESCRIBED_PATHS]; /* NULL if not given */
    size_t classes;                    /* in the files; 0: counted from the training labels */
    bool has_classes;
    thaw_dataset_selection selection;
    thaw_folder_options folder;
    thaw_described_arrays arrays; /* the task also for tables */
    thaw_described_table table;
    thaw_described_texts texts;
    const char *labels, *file_column; /* of a folder: the table of its labels, and its column of paths; NULL */
    bool skips_unlisted;              /* images without a row in it are left out */
    thaw_described_scale scale;
    const struct thaw_notes *notes; /* of a file of weights that the data are for; NULL: of none */
    double split;                   /* the share of test data; 0: none */
    uint64_t seed;                  /* of the split */
    uint64_t given;                 /* one bit per option that was given */
} thaw_description;

typedef struct thaw_described_option {
    const char *name;
    thaw_status (*parse)(thaw_description *into, char *value);
} thaw_described_option;

typedef struct thaw_described_set {
    const char *name;
    const char *form, *example, *summary;                      /* see thaw_dataset_kind */
    thaw_status (*begin)(thaw_description *into, char **rest); /* parses what precedes the options; may be NULL */
    const thaw_described_option *options;                      /* in alphabetical order */
    size_t option_count;
    thaw_status (*open)(thaw_description *from, thaw_dataset **training, thaw_dataset **test);
} thaw_described_set;

extern const thaw_described_set thaw_described_folder, thaw_described_npy, thaw_described_npz, thaw_described_csv,
    thaw_described_text;

/* Reads a whole description; `into` starts as zero, except the context, and is released in every case. Errors: those of
   thaw_dataset_open that need no file. */
thaw_status thaw_description_parse(thaw_description *into, const char *text, const thaw_described_set **set);

/* Reads options, separated by ';', which it cuts into words. */
thaw_status thaw_description_parse_options(thaw_description *into, const thaw_described_set *set, char *rest);

/* The kind of a description that names none: a folder, or a file or two; NULL: there is none of that name. Errors:
   THAW_NOT_FOUND (a file whose name does not tell its kind), THAW_OUT_OF_MEMORY. */
thaw_status thaw_description_guess(thaw_description *into, const char *text, const char **kind);

/* Whether the description gave this option. */
bool thaw_description_gives(const thaw_description *parsed, const thaw_described_set *set, const char *option);

void thaw_description_release(thaw_description *parsed);

/* Opens what a description of arrays says: pairs of files in `paths`, or the archive in `directory`. */
thaw_status thaw_arrays_open(thaw_description *from, thaw_dataset **training, thaw_dataset **test);

/* Makes the data sets that are wanted (NULL: not) of samples in memory: of `all` the training part, of `part` the test
   part, if it has any. Samples are taken over, also on failure. Errors: those of thaw_samples_make. */
thaw_status thaw_description_make_parts(const thaw_description *from, thaw_samples *all, thaw_samples *part,
                                        thaw_dataset **training, thaw_dataset **test);

/* Options that all kinds have. */
thaw_status thaw_describe_classes(thaw_description *into, char *value);
thaw_status thaw_describe_per_class(thaw_description *into, char *value);
thaw_status thaw_describe_repeat(thaw_description *into, char *value);

/* Options of arrays and tables. */
thaw_status thaw_describe_split(thaw_description *into, char *value);
thaw_status thaw_describe_seed(thaw_description *into, char *value);
thaw_status thaw_describe_channels(thaw_description *into, char *value);
thaw_status thaw_describe_task(thaw_description *into, char *value);
thaw_status thaw_describe_delimiter(thaw_description *into, char *value);
thaw_status thaw_describe_header(thaw_description *into, char *value);
thaw_status thaw_describe_label(thaw_description *into, char *value);
thaw_status thaw_describe_test_table(thaw_description *into, char *value);
thaw_status thaw_describe_scale(thaw_description *into, char *value);

/* Copies "IMAGES,LABELS" into two paths; `form` says how it is written. */
thaw_status thaw_describe_pair(thaw_description *into, const char *text, const char *form, char **paths);

/* One of the words; *which is its number. */
thaw_status thaw_describe_word(thaw_description *into, const char *option, const char *value, const char *const *words,
                               size_t count, size_t *which);

/* A number of at least 1. */
thaw_status thaw_describe_count(thaw_description *into, const char *option, const char *value, size_t *count);

#endif
