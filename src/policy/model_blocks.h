/* The blocks of a model, as thaw/strategy.h defines them. */
#ifndef THAW_POLICY_MODEL_BLOCKS_H
#define THAW_POLICY_MODEL_BLOCKS_H

#include <thaw/model.h>

typedef struct thaw_model_blocks {
    size_t *of_node; /* one per node: its block from 1, or 0 for none */
    size_t count;
} thaw_model_blocks;

/* Release with thaw_model_blocks_release, even after an error. Errors: THAW_NOT_FOUND (the head's pattern selects no
   layer), THAW_INVALID_ARGUMENT (the pattern is malformed, or the model has no parameters), THAW_OUT_OF_MEMORY. */
thaw_status thaw_model_blocks_find(thaw_model *model, const char *head, thaw_model_blocks *blocks);
void thaw_model_blocks_release(thaw_context *context, thaw_model_blocks *blocks);

/* The length of a layer's name up to and including the dot after its first part that is a number, which the layers of
   its block share; 0 if there is none. */
size_t thaw_block_prefix_length(const char *layer);

#endif
