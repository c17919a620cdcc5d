/* Folders of images as data sets. */
#ifndef THAW_IMAGE_DATA_H
#define THAW_IMAGE_DATA_H

#include <thaw/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Random changes to training images. */
typedef enum thaw_augmentation {
    THAW_AUGMENT_NONE,
    THAW_AUGMENT_CROP_FLIP /* torchvision's RandomResizedCrop (8 % to 100 % of the image, aspect ratio 3:4 to 4:3),
                              then RandomHorizontalFlip */
} thaw_augmentation;

/* How images become samples. Zero everywhere means the default, torchvision's evaluation transform: Resize(256) and
   CenterCrop(224), linear with antialiasing, ToTensor, and Normalize with ImageNet's mean and deviation. */
typedef struct thaw_folder_options {
    int64_t size;              /* samples are [size, size, channels]; 0: 224 */
    int64_t resize;            /* of the shorter side before the crop, at least `size`; 0: 8/7 of the size */
    int channels;              /* 3: red, green, blue; 1: luminance; 0: 3 */
    float mean[3], std[3];     /* of pixels from 0 to 1; all 0: ImageNet's with 3 channels, 0 and 1 with one */
    thaw_augmentation augment; /* of the training data: keyed by seed, epoch and sample, for any number of threads */
    bool decode_fully;   /* decode JPEG at full size; otherwise at 1/2, 1/4 or 1/8 if the resized image needs no more */
    bool fail_on_broken; /* a broken image is an error; otherwise it is logged */
    double validation;   /* share of each class that becomes test data if there is no val/; 0: 0.2, negative: 0 */
    uint64_t seed;       /* of this split and of augmentation. 0: the context's for augmentation; for the split the
                            same in every context, so that one command can train and another test */
    int threads;         /* that decode, at most 1024; 0: as many as the context's */
    /* Random changes in place of `augment`, one behind the other, as torchvision's transforms of these names with
       these parameters, drawn by seed, epoch and sample alone; results of images of Pillow's are the same to the bit:
         random-resized-crop:min_scale=0.08,max_scale=1,min_ratio=0.75,max_ratio=1.333
         random-horizontal-flip:p=0.5
         color-jitter:brightness=0,contrast=0,saturation=0,hue=0
         random-rotation:degrees=15      to either side, the nearest pixel, black outside
         rand-augment:num_ops=2,magnitude=9      of 31; Cubuk et al. 2020, arXiv 1909.13719
         random-erasing:p=0.5,min_scale=0.02,max_scale=0.33      of the sample, with zeros
       Several are joined by '+'; parameters may be left out. Crop and flip come first, wherever they are written, and
       erasing last. The others change the colour image of `size`, also where channels is 1. Read during the call
       alone. NULL: none. Errors: THAW_NOT_FOUND (a transform or parameter that there is not, with the nearest one),
       THAW_INVALID_ARGUMENT (a bad number, a transform twice). */
    const char *transforms;
    int views; /* with random changes: how many views each training sample has, at most 65536, keyed by seed, sample
                            and view: epoch e reads view e mod `views`, and a feature cache can keep them all
                            (thaw_source.views). 0: each epoch is drawn anew */
} thaw_folder_options;

/* Reads a folder of images: one sub-folder per class, numbered by sorted name as in torchvision's ImageFolder, with
   JPEG and PNG files in it and below it. If there are folders train/ and val/ that contain the class folders, they are
   the training and test data (val/ may lack classes). Otherwise a part of each class, drawn by seed, becomes test data.
   *test is NULL if there is none. `options` and either of the pointers may be NULL.

   Images are recognised by their first bytes, not by name. Names that begin with a dot are skipped. Links are
   followed, but each folder is read only once per class. Grey, palettes, CMYK and 16 bits become 8-bit RGB, alpha is
   dropped, and EXIF's orientation is ignored, as in torchvision. An image may have at most 89478485 pixels, 65535
   pixels a side and 256 MiB. Files that are not images are ignored, unless they have an image's name. An image that is
   found broken when the folder is read is left out. An image that is found broken when it is decoded is replaced by the
   next intact one of its class, in every epoch, so that batches stay full and repeatable. Either is logged once, with
   its path, or is an error if `fail_on_broken` is set.

   This call lists the files. They are decoded when they are read, in parallel and ahead of training; only names are
   kept in memory. The identity of the data sets depends on the files' names, sizes and modification times.
   Several ranks list a folder once by thaw_ranks_open_data (thaw/distributed.h).
   Errors: THAW_INVALID_ARGUMENT (options), THAW_IO_ERROR (a folder that cannot be read), THAW_NOT_FOUND (no classes,
   no images), THAW_BAD_FORMAT (a broken image, with fail_on_broken). */
THAW_API thaw_status thaw_dataset_open_folder(thaw_context *context, const char *path,
                                              const thaw_folder_options *options, thaw_dataset **training,
                                              thaw_dataset **test);

/* Where the labels of a folder of images are: in a table with a row for each image. Zero everywhere, except `path`, means
   the default. */
typedef struct thaw_folder_labels {
    const char *path; /* a table of RFC 4180, gzip or not, as of csv: below */
    const char
        *test_path;      /* another, of test data in the same folder; NULL: they are a share of each class, or of all */
    const char *file;    /* its column of paths, relative to the folder; NULL: the first */
    const char *columns; /* its columns of targets, separated by commas; NULL: the last */
    char delimiter;      /* 0: a comma */
    bool no_header;      /* columns are named by their numbers, from 1 */
    bool has_task;       /* otherwise the columns decide, as of csv: below */
    thaw_task task;      /* what the targets are; used with has_task */
    bool keep_numbers;   /* targets of regression are not scaled */
    bool skip_unlisted;  /* images without a row are left out; otherwise they are an error */
} thaw_folder_labels;

/* Reads a folder of images whose classes, labels or numbers are in a table. Classes are numbered by their sorted names, or
   by number if all are numbers. Images, `options`, errors and all else are as for thaw_dataset_open_folder. Errors: also
   THAW_BAD_FORMAT (the message names the table's line and column, and the file: an image that is missing or listed
   twice, an empty label), THAW_NOT_FOUND (a column). */
THAW_API thaw_status thaw_dataset_open_labelled_folder(thaw_context *context, const char *path,
                                                       const thaw_folder_labels *labels,
                                                       const thaw_folder_options *options, thaw_dataset **training,
                                                       thaw_dataset **test);

#ifdef __cplusplus
}
#endif

#endif
