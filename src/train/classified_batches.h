/* The batches of an evaluation, added to the figures of a classifier. */
#ifndef THAW_TRAIN_CLASSIFIED_BATCHES_H
#define THAW_TRAIN_CLASSIFIED_BATCHES_H

#include <thaw/classification.h>

#include "graph/model.h"

typedef struct thaw_classified_batches {
    const thaw_model *model;
    thaw_classification *into; /* NULL: nothing is added */
    size_t classes;
    float *scores;   /* room for a batch */
    int32_t *labels; /* the same */
} thaw_classified_batches;

/* `into` may be NULL. Release the batches in every case. Errors: THAW_INVALID_ARGUMENT (see thaw_evaluate_with),
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_classified_batches_begin(thaw_classified_batches *batches, const thaw_model *model,
                                          thaw_classification *into, size_t most);

/* Adds a batch, of at most `most` samples. Errors: those of thaw_classification_add. */
thaw_status thaw_classified_batches_add(thaw_classified_batches *batches, const float *outputs, const void *targets,
                                        size_t count);

void thaw_classified_batches_release(thaw_classified_batches *batches);

#endif
