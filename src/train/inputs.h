/* The boundary of a model with several inputs: batches that the host gives as tensors, and data sets. */
#ifndef THAW_TRAIN_INPUTS_H
#define THAW_TRAIN_INPUTS_H

#include <thaw/train.h>

#include "data/dataset.h"
#include "graph/model.h"

/* A batch as rows of floats. */
typedef struct thaw_packed_batch {
    const float *samples;
    int64_t count;
    int64_t most; /* where its sequences end; 0: there are none */
} thaw_packed_batch;

/* Whether the tensors are batches of samples for the model's inputs; fills all of *batch but the samples. Errors:
   THAW_SHAPE_MISMATCH, THAW_INVALID_ARGUMENT. */
thaw_status thaw_check_inputs(const thaw_model *model, const thaw_tensor *inputs, thaw_packed_batch *batch);

/* Sets the samples: the host's memory where a single input has floats, else memory of the model, valid until the next
   batch is packed. The inputs have been checked. Errors: THAW_INVALID_ARGUMENT (a whole number beyond 2^24),
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_pack_inputs(thaw_model *model, const thaw_tensor *inputs, thaw_packed_batch *batch);

/* Matches a data set's fields with the model's inputs: by name, if all have names, else by order. *dataset becomes a
   data set of just these fields in the model's order, which *arranged owns; the one that it was must outlive it. If its
   samples are right as they are, nothing changes, and *arranged is NULL.
   Errors: THAW_SHAPE_MISMATCH, THAW_NOT_FOUND (an input without a field), THAW_INVALID_ARGUMENT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_match_fields(const thaw_model *model, thaw_dataset **dataset, thaw_dataset **arranged);

/* Whether the embeddings that read the model's token_ids have a row for each token of the tokenizer. Errors:
   THAW_SHAPE_MISMATCH. */
thaw_status thaw_check_vocabulary(const thaw_model *model, const thaw_text_form *texts);

/* thaw_step and thaw_predict for samples that match the model. */
thaw_status thaw_step_samples(thaw_model *model, const thaw_packed_batch *batch, const thaw_tensor *targets,
                              const thaw_step_options *options, thaw_step_result *result);
thaw_status thaw_predict_samples(thaw_model *model, const thaw_packed_batch *batch, const thaw_tensor *outputs);

#endif
