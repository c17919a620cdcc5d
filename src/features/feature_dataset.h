/* The rows of a feature cache, and their form as a data set. */
#ifndef THAW_FEATURES_FEATURE_DATASET_H
#define THAW_FEATURES_FEATURE_DATASET_H

#include <thaw/data.h>
#include <thaw/model.h>

#include "features/feature_shares.h"
#include "features/feature_storage.h"
#include "kernels/bfloat16.h"

/* The values of one boundary node for a sample, and how they are kept. */
typedef struct thaw_feature_cut {
    thaw_node node;
    size_t count, bytes;
    thaw_dtype dtype;
    thaw_bfloat16 *rounded; /* of a batch, converted for the cache; NULL if values are kept unchanged */
    char *whole;            /* of a batch whose sequences are shorter, with zeros behind them; NULL if none can be */
} thaw_feature_cut;

typedef struct thaw_feature_rows {
    thaw_context *context;
    thaw_feature_cut cuts[THAW_MOST_PIECES];
    size_t cut_count;
    size_t target_bytes;           /* of one sample */
    size_t first;                  /* the sample of row 0 */
    size_t count, view;            /* of samples, of which each view has its rows, and the view that is read */
    thaw_feature_storage *storage; /* the cuts' values, then the target; NULL if they are spread: */
    thaw_feature_shares *shares;   /* over ranks; else NULL */
    const void **found;            /* rows of a batch, where they are spread */
    thaw_dataset *original;        /* of whose samples they are */
} thaw_feature_rows;

/* The row of a sample in the view that is read. */
static inline size_t thaw_feature_row(const thaw_feature_rows *rows, size_t sample)
{
    return rows->view * rows->count + sample - rows->first;
}

/* A data set that reads the rows, which must outlive it. Targets and lengths are those of `rows->original`. Reading a batch gives, for
   each cut in order, its values for all samples of the batch, as floats. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_feature_dataset_create(thaw_feature_rows *rows, thaw_dataset **dataset);

#endif
