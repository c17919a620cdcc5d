/* Data sets: samples by index. A loader reads them ahead of training, on its own thread. */
#ifndef THAW_DATA_H
#define THAW_DATA_H

#include <thaw/context.h>
#include <thaw/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Samples and their targets, read by index. */
typedef struct thaw_dataset thaw_dataset;

/* What the targets of a data set are. */
typedef enum thaw_task {
    THAW_TASK_CLASSES,    /* each sample has one label: THAW_I32 */
    THAW_TASK_LABELS,     /* each sample has several labels, each 0 or 1 (or between): THAW_F32 [labels] */
    THAW_TASK_REGRESSION, /* numbers: THAW_F32 */
    THAW_TASK_TOKENS      /* each of a sample's tokens has one label: THAW_I32 [tokens] */
} thaw_task;

/* The most fields of a sample. */
enum { THAW_MOST_FIELDS = 16 };

/* A part of each sample, for one of a model's inputs (thaw_named_input). */
typedef struct thaw_field {
    const char *name; /* as of the input; NULL: none */
    thaw_dtype dtype; /* THAW_F32, or THAW_I32: whole numbers from -2^24 to 2^24, written as floats */
    thaw_shape shape; /* of one sample; rank 0: one number, as [1] */
} thaw_field;

/* A source of samples that the caller implements. `read` writes `count` samples, one after the other, as floats, and
   their targets (int32 labels or floats). It may be called from a thread of the loader, one call at a time. On
   failure it returns false, and may write a reason of at most `capacity` bytes into `message`. */
typedef struct thaw_source {
    size_t count;                   /* samples */
    thaw_shape sample_shape;        /* of one sample; ignored where there are fields */
    const thaw_field *fields;       /* what a sample consists of, one field behind the other; copied */
    size_t field_count;             /* 0: the sample is one field of floats without a name */
    thaw_dtype target_dtype;        /* THAW_I32: class labels; THAW_F32 */
    thaw_shape target_shape;        /* for labels: rank 0, or [tokens] if each token has one */
    size_t classes;                 /* for labels: all are below it, except one that a loss may ignore; otherwise 0 */
    const char *const *class_names; /* of each class; copied. NULL: they have none */
    bool random;                    /* samples differ from epoch to epoch (augmentation): nothing is cached, unless
                                       there are `views` of them */
    uint64_t identity[2]; /* a fingerprint of all samples and targets, where one is cheap to tell; zeros: what needs
                                one reads everything */
    void (*start_epoch)(void *user, uint64_t epoch); /* the reads that follow belong to this epoch, initially epoch
                                                        0; never called during a read. Concurrent runs may be in
                                                        different epochs. NULL: all epochs are alike */
    /* See above. */
    bool (*read)(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                 size_t capacity);
    void (*release)(void *user); /* NULL: nothing to do */
    void *user;                  /* passed to the functions */
    /* How long the sequences of a sample are, roughly: a run then makes batches of samples of like lengths, see
       thaw_dataset_set_lengths. Called as `read` is. NULL: nothing is known. */
    size_t (*length)(void *user, size_t index);
    /* With `random`: each sample has this many views, and epoch e reads view e mod `views`; `start_epoch` is told that
       view. A feature cache can keep all of them (thaw/train.h). `identity` covers them. 0: each epoch is drawn anew. */
    size_t views;
} thaw_source;

/* Takes over `source->user`: `release` is called with it when the data set is destroyed, or if this call fails. */
THAW_API thaw_status thaw_dataset_create(thaw_context *context, const thaw_source *source, thaw_dataset **dataset);

/* A data set over the caller's arrays, which must outlive it. Inputs are THAW_F32, or THAW_U8 which is divided by
   255; their first dimension counts the samples. Targets are THAW_I32 labels (`classes` > 0), [samples], or [samples,
   tokens] for a loss over tokens, or THAW_F32 (`classes` = 0). Labels must be in [0, classes), except for at most one
   other value, such as PyTorch's -100. Data with such a label needs a loss that ignores it
   (thaw_softmax_cross_entropy_options.use_ignore_label); thaw_fit and thaw_evaluate refuse any other loss. Errors:
   THAW_SHAPE_MISMATCH, THAW_INVALID_ARGUMENT (two different labels outside [0, classes)). */
THAW_API thaw_status thaw_dataset_from_arrays(thaw_context *context, const thaw_tensor *inputs,
                                              const thaw_tensor *targets, size_t classes, thaw_dataset **dataset);

/* The same with several arrays of inputs, which have the names of a model's inputs (NULL: none of them has), and may
   also be THAW_I32, for inputs of that type. All have the same first dimension.
   Errors: those of thaw_dataset_from_arrays; THAW_INVALID_ARGUMENT (no inputs, or more than THAW_MOST_FIELDS; a number
   beyond 2^24; two inputs of the same name), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_dataset_from_fields(thaw_context *context, const thaw_tensor *inputs,
                                              const char *const *names, size_t count, const thaw_tensor *targets,
                                              size_t classes, thaw_dataset **dataset);

/* Says how long the sequences of each sample are, in place of thaw_source.length; copied. Training then makes batches
   of samples of like lengths, so that little is padded: the shuffled samples are cut into windows of 100 batches,
   sorted by length within each, and the batches are shuffled. That depends on seed and epoch alone, and each sample
   still comes once an epoch. The samples of a last, smaller batch are drawn before. Nothing changes without shuffling.
   Evaluation sorts all samples by length. A batch runs at the length of its longest sample, rounded up to one of at
   most 40 (thaw_named_input). Call it before the data set is used. Errors: THAW_INVALID_ARGUMENT (a negative length),
   THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_dataset_set_lengths(thaw_dataset *dataset, const int32_t *lengths);

/* Limits the memory that the samples of a file of arrays, tables or texts may take (IDX, NPY, NPZ, CSV, text); 0, the
   default: as much as the machine has. Does not affect data sets that are already open. */
THAW_API void thaw_context_limit_data(thaw_context *context, size_t bytes);

/* Reads a pair of IDX files (http://yann.lecun.com/exdb/mnist), gzip or not: unsigned bytes [N, rows, columns], served
   as [rows, columns, 1] divided by 255, and labels [N]. Both headers are checked before anything else is unpacked:
   against each other, the sizes of the files, and thaw_context_limit_data.
   Errors: THAW_IO_ERROR (also if a file is not a regular one), THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY (also if the samples
   would exceed the limit). The message names the file and its fault. */
THAW_API thaw_status thaw_dataset_open_idx(thaw_context *context, const char *images_path, const char *labels_path,
                                           thaw_dataset **dataset);

/* Which samples of a data set to use. Zero everywhere means all. */
typedef struct thaw_dataset_selection {
    size_t first_class, last_class; /* keep these classes, renumbered from 0; both 0: all */
    size_t per_class;               /* the first N samples of each class; 0: all */
    size_t repeat;                  /* how often each sample appears per epoch; 0: once */
} thaw_dataset_selection;

/* A data set of some samples of another, which must outlive it. Samples whose label is outside the classes are left
   out.
   Errors: THAW_INVALID_ARGUMENT (no labels, or a class that the data does not have), THAW_NOT_FOUND (nothing is
   left). */
THAW_API thaw_status thaw_dataset_select(thaw_context *context, thaw_dataset *from,
                                         const thaw_dataset_selection *selection, thaw_dataset **dataset);

/* A data set for training on classes of different sizes: each epoch draws as many samples as `from` has, with
   replacement, and each class that has samples with the same probability, as PyTorch's WeightedRandomSampler with
   weights of 1 / (samples of the class). The draw depends on seed (0: the context's), epoch and place alone: it is the
   same for any number of threads and ranks. Nothing is cached, since each epoch has other samples. `from` must outlive
   the new data set. Errors: THAW_INVALID_ARGUMENT (no classes), THAW_NOT_FOUND (no sample has a class), those of
   thaw_dataset_read. */
THAW_API thaw_status thaw_dataset_balance(thaw_context *context, thaw_dataset *from, uint64_t seed,
                                          thaw_dataset **dataset);

/* A data set under the labels of `reference`: classes are matched by name. It may lack some of them. Test data whose
   folder numbers its classes otherwise than that of the training data is made comparable with it. `from` must outlive
   the new data set.
   Errors: THAW_INVALID_ARGUMENT (a data set whose classes have no names), THAW_NOT_FOUND (a class that `reference` does
   not have). */
THAW_API thaw_status thaw_dataset_match_classes(thaw_context *context, thaw_dataset *from,
                                                const thaw_dataset *reference, thaw_dataset **dataset);

/* The same under labels that number `names`, such as those that a file of weights notes (thaw/notes.h); copied. Errors:
   THAW_INVALID_ARGUMENT (the data set's classes have no names, or there are none to match), THAW_NOT_FOUND. */
THAW_API thaw_status thaw_dataset_match_names(thaw_context *context, thaw_dataset *from, const char *const *names,
                                              size_t count, thaw_dataset **dataset);

/* Training and test data from a description; either is NULL if the description has none. Either pointer may be NULL to
   skip that part.
     fashion-mnist[:OPTIONS]                 Debian's dataset-fashion-mnist; OPTION dir=PATH for files elsewhere
     idx:IMAGES,LABELS[;OPTIONS]             OPTION test=IMAGES,LABELS names test files
     folder:PATH[;OPTIONS]                   a folder of images; OPTIONS as in thaw_folder_options: size=N, resize=N,
                                             channels=1|3, mean=X,X,X, std=X,X,X, augment=crop-flip|none|LIST, views=N,
                                             decode=full|scaled, on-error=fail|skip, val=SHARE, seed=N, threads=N;
                                             labels=FILE for labels in a table (thaw_folder_labels), then also
                                             file=COLUMN, label=COLUMN,..., test=FILE, task=..., delimiter=C, header=no,
                                             unlisted=fail|skip
     npy:X.npy,Y.npy[;OPTIONS]               two arrays of NumPy; OPTION test=X.npy,Y.npy names test arrays
     npz:FILE[;OPTIONS]                      the same in one archive; OPTIONS x=NAME and y=NAME
     csv:FILE;label=COLUMN[;OPTIONS]         a table; see below
     text:FILE;label=COLUMN;text=COLUMN[;OPTIONS]  texts; see below
   A description without a kind is the path of one: a folder of images, a .csv or .tsv (tabs), a .npz, or two files
   A,B of npy or idx. Options follow as above.
   idx and both kinds of arrays have channels=3, which repeats images of one channel for networks of three. Elements
   of IDX files may also be of the other types and dimensions; then they are as those of NumPy's arrays below.
   OPTIONS, separated by ';': classes=A-B (or one class), per-class=N and repeat=N (training data only).

   Arrays of NumPy are of version 1.0 to 3.0, in C's or Fortran's order, of f2, f4, f8, i1, i2, i4, i8, u1, u2, u4, u8
   or b1, with either byte order; NPY files may be gzip, and members of NPZ stored or deflated. Headers are checked
   against each other, the sizes of the files, and thaw_context_limit_data before any element is unpacked.
     X is [N, features...]. [N, height, width] are images of one channel. [N, height, width, channels] and [N, channels,
       height, width] are told apart by where there are 1 or 3 channels, else by layout=hwc|chw. Images of u1 are
       divided by 255; all other numbers are left as they are.
     Y is [N] or [N, 1], or [N, columns]. Whole numbers in one column are classes, numbered from 0. Several columns of 0
       and 1 are several labels. All else is regression. task=classes|labels|regression overrides that.
     In an NPZ, X is the first of x, X, data, images, arr_0, x_train and X_train, and Y the first of y, Y, labels,
       target, arr_1, y_train and Y_train. x_test and y_test, or X_test and Y_test, are the test data.
     split=SHARE makes a share of the samples test data if there are none, drawn by seed=N (default: 0).

   Tables are files of RFC 4180, gzip or not, in UTF-8. Options:
     label=COLUMN    the targets, by name or number from 1; several, separated by commas
     header=no       the first line is a row, and columns are named by their numbers
     delimiter=C     one character, or comma, semicolon, tab or blank (default: comma)
     skip=COLUMN,... columns that are no inputs
     categories=COLUMN,...  columns of numbers that are categories
     missing=error|mean|drop  what a cell without a value is (empty, NA, N/A, NaN, nan, null, NULL or ?): an error, the
                     column's mean, or a reason to leave out its row (default: error)
     task=...        as above. By default, a label of text is a class, and so are whole numbers without a point that
                     have at most 20 different values; several columns of 0 and 1 are several labels; else regression
     test=FILE       a table of test data; split=SHARE and seed=N as above
   Inputs are [features]: a column of numbers is standardised by the mean and standard deviation of the training part,
   and a column of text is one feature for each of its categories (at most 256), which is 1 for that of the row, else 0.
   Files of weights note all this (thaw/notes.h), and thaw_dataset_open_noted uses it. A
   category or class that the training file does not have is an error. Messages name file, line and column.

   Texts are in a file, gzip or not: in CSV (RFC 4180) if its name ends with .csv, in JSON lines, of which each is an
   object whose keys are columns, if it ends with .jsonl, else in lines of fields between tabs, in which quotation marks
   are characters. If all columns are given by number, from 1, the first line is a sample. Options:
     label=COLUMN    the classes; they are numbered by sorted name
     text=COLUMN     the texts
     second=COLUMN   other texts: each sample is a pair
     tokenizer=PATH  as for thaw_tokenizer_open
     length=N        tokens of a sample, at most 2^20, with the special ones; longer texts are cut (default: 128)
     test=FILE       a file of test data; split=SHARE and seed=N as above
     task=lm         the file is a plain text, without columns, cut into windows of N tokens whose targets are the
                     tokens that follow; -100 behind the end of the last window, which may be shorter
   A sample has the fields token_ids (THAW_I32 [N]), lengths (THAW_I32, how many of them count) and token_types
   (THAW_I32 [N], 1 for the second text of a pair, as the tokenizer says). A model need not take all of them. Behind the
   end, ids are those of the token [PAD] or <pad>, or else 0. All texts are tokenised once, by the context's threads.
   The data set tells lengths. What is not UTF-8 is replaced by U+FFFD, with a warning. A text without tokens is an
   error; most tokenizers give an empty one their special tokens. So is a label of the test data that the training data
   do not have. Files of weights note the columns, the length, the classes, and the tokenizer's path and fingerprint,
   which thaw_dataset_open_noted uses: a description may leave out what they say. A tokenizer with another fingerprint
   is an error.
   Targets of regression, of whatever kind of data, are standardised by the mean and standard deviation of each column
   in the training part, as thaw_dataset_target_scale tells; scale-target=no leaves them as they are.
   Destroy both with thaw_dataset_destroy; what they are made from goes with them.
   Errors: THAW_INVALID_ARGUMENT, THAW_NOT_FOUND (an unknown name or option; the message lists the known ones), and
   those of the calls above. */
THAW_API thaw_status thaw_dataset_open(thaw_context *context, const char *description, thaw_dataset **training,
                                       thaw_dataset **test);

/* A kind of data set that a description may name. Static storage. */
typedef struct thaw_dataset_kind {
    const char *name;        /* the word before the colon */
    const char *form;        /* "folder:PATH[;OPTIONS]" */
    const char *example;     /* a whole description */
    const char *description; /* in a few words */
} thaw_dataset_kind;

/* Reads the kind at `index`, in the order of listings; false past the end. Thread-safe. */
THAW_API bool thaw_dataset_kind_at(size_t index, thaw_dataset_kind *kind);

/* The name of an option of the kind, in alphabetical order; NULL past the end. Static. Thread-safe. */
THAW_API const char *thaw_dataset_kind_option(size_t kind, size_t index);

/* NULL is allowed. */
THAW_API void thaw_dataset_destroy(thaw_dataset *dataset);

THAW_API size_t thaw_dataset_count(const thaw_dataset *dataset);   /* samples */
THAW_API size_t thaw_dataset_classes(const thaw_dataset *dataset); /* 0 without labels */
/* Counts the samples of each class into the caller's array of as many counts as classes. Reads through a data set that
   does not hold its labels in memory. Errors: THAW_INVALID_ARGUMENT (it has no classes), those of thaw_dataset_read. */
THAW_API thaw_status thaw_dataset_count_classes(thaw_dataset *dataset, size_t *counts);
/* What its targets are. Floats are several labels only in a data set of thaw_dataset_open that says so. */
THAW_API thaw_task thaw_dataset_task(const thaw_dataset *dataset);
/* How targets of regression are scaled: those of this column, from 0, are served as (number - *mean) / *deviation.
   False, and a mean of 0 and a deviation of 1, if they are served as they are. */
THAW_API bool thaw_dataset_target_scale(const thaw_dataset *dataset, size_t column, double *mean, double *deviation);
/* A column of categories of a table: the features that are a 1 among zeros. */
typedef struct thaw_category_column {
    size_t first, count; /* the index of the first one; how many */
} thaw_category_column;

/* The columns of categories in the order of the features: writes at most `capacity` of them, and to *count how many
   there are, 0 in what is no table. Errors: THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_dataset_categories(const thaw_dataset *dataset, thaw_category_column *columns,
                                             size_t capacity, size_t *count);
/* A class's name, in a folder of images that of its sub-folder; NULL if it has none. Valid as long as the data set. */
THAW_API const char *thaw_dataset_class_name(const thaw_dataset *dataset, size_t index);
THAW_API const thaw_shape *thaw_dataset_target_shape(const thaw_dataset *dataset); /* borrowed; rank 0 for labels */
/* Of a whole sample: with several fields [values], all of them together. Borrowed. */
THAW_API const thaw_shape *thaw_dataset_sample_shape(const thaw_dataset *dataset);
/* The fields of a sample, at least one. A name is valid as long as the data set. Errors: THAW_INVALID_ARGUMENT (no such
   field). */
THAW_API size_t thaw_dataset_field_count(const thaw_dataset *dataset);
THAW_API thaw_status thaw_dataset_field_at(const thaw_dataset *dataset, size_t index, thaw_field *field);
THAW_API bool thaw_dataset_is_random(const thaw_dataset *dataset); /* thaw_source.random */
THAW_API size_t thaw_dataset_views(const thaw_dataset *dataset);   /* thaw_source.views; 0 if it is not random */

/* The following calls of thaw_dataset_read belong to this epoch, which determines the augmentation of each sample.
   Initially it is epoch 0. thaw_fit and thaw_evaluate set epochs of their own. */
THAW_API void thaw_dataset_start_epoch(thaw_dataset *dataset, uint64_t epoch);

/* Reads samples by index into the caller's arrays; see thaw_source.
   Errors: THAW_INVALID_ARGUMENT (an index past the end), THAW_IO_ERROR (the source failed). */
THAW_API thaw_status thaw_dataset_read(thaw_dataset *dataset, const size_t *indices, size_t count, float *samples,
                                       void *targets);

#ifdef __cplusplus
}
#endif

#endif
