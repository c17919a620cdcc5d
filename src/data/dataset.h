/* The internals of a data set. */
#ifndef THAW_DATA_DATASET_H
#define THAW_DATA_DATASET_H

#include <pthread.h>
#include <thaw/image_data.h>

#include "core/digest.h"
#include "core/shard_part.h"
#include "data/target_scale.h"
#include "data/text_form.h"

enum { THAW_SOURCE_MESSAGE_BYTES = 512 };

struct thaw_dataset {
    thaw_context *context;
    thaw_source source;
    size_t sample_elements, target_bytes; /* of one sample */
    char **class_names;                   /* what source.class_names points to; NULL: none */
    thaw_field *fields;                   /* what source.fields points to; NULL: a single one without a name */
    int32_t *lengths;                     /* of samples, of thaw_dataset_set_lengths; NULL: the source may tell */
    const int32_t *labels;                /* of all samples in order if there is one each, in memory, else NULL */
    thaw_folder_options form;             /* how images became samples: size, resize (0: they were not resized),
                                             channels, mean, std and decode_fully; size 0: unknown, or no images */
    char *columns, *label_columns;        /* of a table: what thaw.columns and thaw.labels note; NULL: of none */
    const char *missing;                  /* the same, what thaw.missing notes: static */
    thaw_text_form texts;                 /* how texts became samples */
    thaw_task task;                       /* of targets that are floats */
    thaw_target_scale scale;              /* the same */
    size_t outside;                       /* the first sample with a label outside the classes; the count: none */
    int32_t outside_label;
    size_t repeats_after; /* samples i and i + this are the same; 0: no two are */
    bool drawn;           /* samples of different indices may be the same in other ways */
    /* Announces samples that will be read soon; may be NULL. */
    void (*expect)(void *user, const size_t *indices, size_t count);
    /* Reads a part of a step's batch, whose indices are all given; every rank calls it, even for an empty part. Only
       with a loader that reads on the caller's thread; NULL: the source reads the part alone. */
    bool (*read_part)(void *user, const size_t *indices, size_t all, thaw_shard_part part, float *samples,
                      void *targets, char *message, size_t capacity);
    void (*log_findings)(void *user); /* reports to the context's log what reading found; may be NULL */
    thaw_dataset *owned;              /* what it is made from, released with it */
    pthread_mutex_t reading;          /* the source serves one call at a time; guards the fields below */
    uint64_t epoch;                   /* for reads that do not give an epoch */
    uint64_t told;                    /* the epoch, or view, that the source was last told */
};

/* Checks that each sample has one label, without which classes cannot be counted, or what `done` says. Errors:
   THAW_INVALID_ARGUMENT. */
thaw_status thaw_dataset_check_labels(const thaw_dataset *dataset, const char *done);

/* The label of each sample, of which it has one. Reads through the data set if it has no array of labels. Errors: those
   of thaw_dataset_read, THAW_OUT_OF_MEMORY. */
thaw_status thaw_dataset_collect_labels(thaw_dataset *dataset, int32_t *labels);

/* Gives the classes names, which are copied, in place of earlier ones. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_dataset_name_classes(thaw_dataset *dataset, const char *const *names);

/* Sets what files of weights note of a table's columns; copied. NULL: nothing. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_dataset_note_columns(thaw_dataset *dataset, const char *columns, const char *labels);

/* Creates a data set that is made from another, with what that notes: form, task, scale, columns and texts. Errors:
   those of thaw_dataset_create. */
thaw_status thaw_dataset_derive(thaw_context *context, const thaw_source *source, const thaw_dataset *from,
                                thaw_dataset **dataset);

/* Reads samples of an epoch without touching the context, so that loaders' threads may call it, for different epochs
   at once. The indices must be below the count. Returns false with a reason in `message`. */
bool thaw_dataset_fetch(thaw_dataset *dataset, uint64_t epoch, const size_t *indices, size_t count, float *samples,
                        void *targets, char *message, size_t capacity);

/* thaw_dataset_read in this epoch. */
thaw_status thaw_dataset_read_epoch(thaw_dataset *dataset, uint64_t epoch, const size_t *indices, size_t count,
                                    float *samples, void *targets);

/* thaw_dataset_fetch for the samples that `map` says in place of the indices. */
bool thaw_dataset_fetch_mapped(thaw_dataset *dataset, uint64_t epoch, size_t (*map)(const void *user, size_t index),
                               const void *user, const size_t *indices, size_t count, float *samples, void *targets,
                               char *message, size_t capacity);

/* Whether the data set tells lengths, and those of some samples in an epoch. May run on a thread of the loader. */
bool thaw_dataset_has_lengths(const thaw_dataset *dataset);
void thaw_dataset_lengths(thaw_dataset *dataset, uint64_t epoch, const size_t *indices, size_t count, size_t *lengths);

/* Fingerprints the content: the source's identity; without one, the labels, if they are in memory, and the first and
   the last sample, unless samples are random. Errors: those of thaw_dataset_read, THAW_OUT_OF_MEMORY. */
thaw_status thaw_dataset_identify(thaw_dataset *dataset, thaw_digest *digest);

/* Reports to the context's log what reading found. Only for the thread that may use the context. */
void thaw_dataset_log_findings(const thaw_dataset *dataset);

#endif
