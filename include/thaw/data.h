/* Data sets: samples by index. A data set is read by a loader that works ahead on a thread of its own. */
#ifndef THAW_DATA_H
#define THAW_DATA_H

#include <thaw/context.h>
#include <thaw/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct thaw_dataset thaw_dataset;

/* A source of samples, by the caller. `read` writes `count` samples, one after the other, as floats, and their targets
   (int32 labels or floats); it may be called from a thread of the loader's, one call at a time. It returns false on
   failure and may put a reason of at most `capacity` bytes into `message`. */
typedef struct thaw_source {
    size_t count;
    thaw_shape sample_shape;
    thaw_dtype target_dtype; /* THAW_I32: class labels; THAW_F32 */
    thaw_shape target_shape; /* rank 0 for labels */
    size_t classes;          /* for labels: they are below it; else 0 */
    bool random;             /* a sample differs from epoch to epoch (augmentation): nothing is cached */
    uint64_t identity[2];    /* a fingerprint of all samples and targets, where one is cheap to tell; zeros: what needs
                                one reads everything */
    void (*start_epoch)(void *user, uint64_t epoch); /* the reads that follow are of this epoch; never during a read.
                                                        NULL: all epochs are alike */
    bool (*read)(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                 size_t capacity);
    void (*release)(void *user); /* NULL: nothing to do */
    void *user;
} thaw_source;

/* Takes over `source->user`: `release` is called with it when the data set goes, or when this call fails. */
THAW_API thaw_status thaw_dataset_create(thaw_context *context, const thaw_source *source, thaw_dataset **dataset);

/* A data set over arrays of the caller's, which must outlive it. Inputs are THAW_F32, or THAW_U8 that is divided by
   255; their first dimension counts the samples. Targets are THAW_I32 labels (`classes` > 0; rank 1) or THAW_F32
   (`classes` = 0). Errors: THAW_SHAPE_MISMATCH, THAW_INVALID_ARGUMENT (a label outside [0, classes)). */
THAW_API thaw_status thaw_dataset_from_arrays(thaw_context *context, const thaw_tensor *inputs,
                                              const thaw_tensor *targets, size_t classes, thaw_dataset **dataset);

/* Reads a pair of IDX files (http://yann.lecun.com/exdb/mnist), gzip or not: unsigned bytes [N, rows, columns], served
   as [rows, columns, 1] divided by 255, and labels [N].
   Errors: THAW_IO_ERROR, THAW_BAD_FORMAT (the message names the file and what is wrong with it). */
THAW_API thaw_status thaw_dataset_open_idx(thaw_context *context, const char *images_path, const char *labels_path,
                                           thaw_dataset **dataset);

typedef struct thaw_dataset_selection {
    size_t first_class, last_class; /* keep these classes, renumbered from 0; both 0: all */
    size_t per_class;               /* the first so many of each class; 0: all */
    size_t repeat;                  /* every sample so many times an epoch; 0: once */
} thaw_dataset_selection;

/* A data set of some samples of another, which must outlive it.
   Errors: THAW_INVALID_ARGUMENT (no labels, a class that the data has not), THAW_NOT_FOUND (nothing is left). */
THAW_API thaw_status thaw_dataset_select(thaw_context *context, thaw_dataset *from,
                                         const thaw_dataset_selection *selection, thaw_dataset **dataset);

/* Training and test data from a description; either may come back NULL when the description has none, and either pointer
   may be NULL: that part is not read then.
     fashion-mnist[:OPTIONS]                 Debian's dataset-fashion-mnist; OPTION dir=PATH for files elsewhere
     idx:IMAGES,LABELS[;OPTIONS]             OPTION test=IMAGES,LABELS names test files
   OPTIONS, separated by ';': classes=A-B (or one class), per-class=N and repeat=N (training data only).
   Destroy both with thaw_dataset_destroy; what they are made from goes with them.
   Errors: THAW_INVALID_ARGUMENT, THAW_NOT_FOUND (an unknown name or option; the message lists the known ones), and
   those of the calls above. */
THAW_API thaw_status thaw_dataset_open(thaw_context *context, const char *description, thaw_dataset **training,
                                       thaw_dataset **test);

/* NULL is allowed. */
THAW_API void thaw_dataset_destroy(thaw_dataset *dataset);

THAW_API size_t thaw_dataset_count(const thaw_dataset *dataset);
THAW_API size_t thaw_dataset_classes(const thaw_dataset *dataset); /* 0 without labels */
THAW_API const thaw_shape *thaw_dataset_sample_shape(const thaw_dataset *dataset);

/* Tells the source that the reads that follow belong to this epoch, which chooses what augmentation makes of a sample.
   thaw_fit and thaw_evaluate do so; who reads in a loop of their own does it here. At first it is epoch 0. */
THAW_API void thaw_dataset_start_epoch(thaw_dataset *dataset, uint64_t epoch);

/* Reads samples by index into the caller's arrays; see thaw_source.
   Errors: THAW_INVALID_ARGUMENT (an index past the end), THAW_IO_ERROR (the source failed). */
THAW_API thaw_status thaw_dataset_read(thaw_dataset *dataset, const size_t *indices, size_t count, float *samples,
                                       void *targets);

#ifdef __cplusplus
}
#endif

#endif
