/* Data sets: samples by index. A data set is read by a loader that works ahead on a thread of its own. */
#ifndef THAW_DATA_H
#define THAW_DATA_H

#include <thaw/context.h>
#include <thaw/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Samples and their targets, read by index. */
typedef struct thaw_dataset thaw_dataset;

/* A source of samples, by the caller. `read` writes `count` samples, one after the other, as floats, and their targets
   (int32 labels or floats); it may be called from a thread of the loader's, one call at a time. It returns false on
   failure and may put a reason of at most `capacity` bytes into `message`. */
typedef struct thaw_source {
    size_t count;            /* samples */
    thaw_shape sample_shape; /* of one sample */
    thaw_dtype target_dtype; /* THAW_I32: class labels; THAW_F32 */
    thaw_shape target_shape; /* rank 0 for labels */
    size_t classes;          /* for labels: they are below it, but for one that a loss may ignore; else 0 */
    bool random;             /* a sample differs from epoch to epoch (augmentation): nothing is cached */
    uint64_t identity[2];    /* a fingerprint of all samples and targets, where one is cheap to tell; zeros: what needs
                                one reads everything */
    void (*start_epoch)(void *user, uint64_t epoch); /* the reads that follow are of this epoch, at first of epoch 0;
                                                        never during a read. Runs that go on at the same time may be in
                                                        epochs of their own. NULL: all epochs are alike */
    /* See above. */
    bool (*read)(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                 size_t capacity);
    void (*release)(void *user); /* NULL: nothing to do */
    void *user;                  /* given to the functions */
} thaw_source;

/* Takes over `source->user`: `release` is called with it when the data set goes, or when this call fails. */
THAW_API thaw_status thaw_dataset_create(thaw_context *context, const thaw_source *source, thaw_dataset **dataset);

/* A data set over arrays of the caller's, which must outlive it. Inputs are THAW_F32, or THAW_U8 that is divided by
   255; their first dimension counts the samples. Targets are THAW_I32 labels (`classes` > 0; rank 1) or THAW_F32
   (`classes` = 0). Labels are in [0, classes), but for at most one value, such as PyTorch's -100: data with it go with a
   loss that ignores it (thaw_softmax_cross_entropy_options.use_ignore_label), and thaw_fit and thaw_evaluate refuse them
   with another. Errors: THAW_SHAPE_MISMATCH, THAW_INVALID_ARGUMENT (two different labels outside [0, classes)). */
THAW_API thaw_status thaw_dataset_from_arrays(thaw_context *context, const thaw_tensor *inputs,
                                              const thaw_tensor *targets, size_t classes, thaw_dataset **dataset);

/* Reads a pair of IDX files (http://yann.lecun.com/exdb/mnist), gzip or not: unsigned bytes [N, rows, columns], served
   as [rows, columns, 1] divided by 255, and labels [N].
   Errors: THAW_IO_ERROR, THAW_BAD_FORMAT (the message names the file and what is wrong with it). */
THAW_API thaw_status thaw_dataset_open_idx(thaw_context *context, const char *images_path, const char *labels_path,
                                           thaw_dataset **dataset);

/* Which samples of a data set to use. Zero everywhere: all. */
typedef struct thaw_dataset_selection {
    size_t first_class, last_class; /* keep these classes, renumbered from 0; both 0: all */
    size_t per_class;               /* the first so many of each class; 0: all */
    size_t repeat;                  /* every sample so many times an epoch; 0: once */
} thaw_dataset_selection;

/* A data set of some samples of another, which must outlive it. Samples whose label is in no class are left out.
   Errors: THAW_INVALID_ARGUMENT (no labels, a class that the data has not), THAW_NOT_FOUND (nothing is left). */
THAW_API thaw_status thaw_dataset_select(thaw_context *context, thaw_dataset *from,
                                         const thaw_dataset_selection *selection, thaw_dataset **dataset);

/* What happens to training images at random. */
typedef enum thaw_augmentation {
    THAW_AUGMENT_NONE,
    THAW_AUGMENT_CROP_FLIP /* torchvision's RandomResizedCrop (8 % to 100 % of the image, sides as 3:4 to 4:3), then
                              RandomHorizontalFlip */
} thaw_augmentation;

/* How images become samples. Zero everywhere is the default, and torchvision's evaluation transform: Resize(256) and
   CenterCrop(224), linear with antialiasing, ToTensor and Normalize with ImageNet's mean and deviation. */
typedef struct thaw_folder_options {
    int64_t size;              /* samples are [size, size, channels]; 0: 224 */
    int64_t resize;            /* the shorter side before the cut, at least `size`; 0: 8/7 of the size */
    int channels;              /* 3: red, green, blue; 1: luminance; 0: 3 */
    float mean[3], std[3];     /* of pixels from 0 to 1; all 0: ImageNet's with 3 channels, 0 and 1 with one */
    thaw_augmentation augment; /* of the training data: keyed by seed, epoch and sample, whatever the threads */
    bool decode_fully;   /* JPEG; else half the size, a quarter or an eighth where the resized image needs no more */
    bool fail_on_broken; /* a broken image is an error; else it is told to the log */
    double validation;   /* share of each class that becomes test data where there is no val/; 0: 0.2, below: 0 */
    uint64_t seed;       /* of this split and of augmentation; 0: the context's for the latter, and for the split the
                            same in every context, so that one command trains and another tests */
    int threads;         /* that decode, at most 1024; 0: as many as the context's */
} thaw_folder_options;

/* Reads a folder of images: a sub-folder a class, numbered by sorted name as in torchvision's ImageFolder, with JPEG and
   PNG files in it and in folders below. Where there are folders train/ and val/ that hold those of the classes, they
   are the training and test data (val/ may lack classes); else a part of each class, drawn by seed, becomes test data.
   *test comes back NULL when there is none; `options` may be NULL, and so may either of the pointers.

   Images are told by their first bytes and not by name; names that begin with a dot are passed over; links are followed.
   Grey, palettes, CMYK and 16 bits become 8-bit RGB, alpha is dropped, EXIF's orientation is not applied: as torchvision
   does. Images of more than 89478485 pixels, 65535 a side or 256 MiB are refused. Files that are no images are ignored,
   unless they bear an image's name. An image that turns out to be broken when the folder is read is left out; one that
   does so when it is decoded has the next whole one of its class put in its place, in every epoch, so that batches stay
   whole and repeatable. Either is told to the log once, with its path, or is an error if `fail_on_broken`.

   Files are found now, and decoded as they are read, side by side and ahead of training: names alone are kept. The data
   sets' identity is that of the files' names, sizes and times of change.
   Errors: THAW_INVALID_ARGUMENT (options), THAW_IO_ERROR (a folder that cannot be read), THAW_NOT_FOUND (no classes, no
   images), THAW_BAD_FORMAT (a broken image, with fail_on_broken). */
THAW_API thaw_status thaw_dataset_open_folder(thaw_context *context, const char *path,
                                              const thaw_folder_options *options, thaw_dataset **training,
                                              thaw_dataset **test);

/* Training and test data from a description; either may come back NULL when the description has none, and either pointer
   may be NULL: that part is not read then.
     fashion-mnist[:OPTIONS]                 Debian's dataset-fashion-mnist; OPTION dir=PATH for files elsewhere
     idx:IMAGES,LABELS[;OPTIONS]             OPTION test=IMAGES,LABELS names test files
     folder:PATH[;OPTIONS]                   a folder of images; OPTIONS as in thaw_folder_options: size=N, resize=N,
                                             channels=1|3, mean=X,X,X, std=X,X,X, augment=crop-flip|none,
                                             decode=full|scaled, on-error=fail|skip, val=SHARE, seed=N, threads=N
   OPTIONS, separated by ';': classes=A-B (or one class), per-class=N and repeat=N (training data only).
   Destroy both with thaw_dataset_destroy; what they are made from goes with them.
   Errors: THAW_INVALID_ARGUMENT, THAW_NOT_FOUND (an unknown name or option; the message lists the known ones), and
   those of the calls above. */
THAW_API thaw_status thaw_dataset_open(thaw_context *context, const char *description, thaw_dataset **training,
                                       thaw_dataset **test);

/* NULL is allowed. */
THAW_API void thaw_dataset_destroy(thaw_dataset *dataset);

THAW_API size_t thaw_dataset_count(const thaw_dataset *dataset);                   /* samples */
THAW_API size_t thaw_dataset_classes(const thaw_dataset *dataset);                 /* 0 without labels */
THAW_API const thaw_shape *thaw_dataset_sample_shape(const thaw_dataset *dataset); /* borrowed */
THAW_API bool thaw_dataset_is_random(const thaw_dataset *dataset);                 /* thaw_source.random */

/* The calls of thaw_dataset_read that follow belong to this epoch, which chooses what augmentation makes of a sample. At
   first it is epoch 0. thaw_fit and thaw_evaluate read by epochs of their own. */
THAW_API void thaw_dataset_start_epoch(thaw_dataset *dataset, uint64_t epoch);

/* Reads samples by index into the caller's arrays; see thaw_source.
   Errors: THAW_INVALID_ARGUMENT (an index past the end), THAW_IO_ERROR (the source failed). */
THAW_API thaw_status thaw_dataset_read(thaw_dataset *dataset, const size_t *indices, size_t count, float *samples,
                                       void *targets);

#ifdef __cplusplus
}
#endif

#endif
