/* The blocks of parameters, and how blocks are called. */
#ifndef THAW_POLICY_PARAMETER_BLOCKS_H
#define THAW_POLICY_PARAMETER_BLOCKS_H

#include "policy/model_blocks.h"

enum { THAW_BLOCK_NAME_BYTES = 128 };

/* Writes the names of all blocks: the part of their layers' names up to the first number, or the name of the lowest
   layer, such as "layer1.0" and "fc". */
void thaw_model_blocks_name(const thaw_model *model, const thaw_model_blocks *blocks,
                            char (*names)[THAW_BLOCK_NAME_BYTES]);

/* The block of a parameter, from 0; blocks->count if it belongs to no layer. Adapters count to the block of their
   weight: "fc.weight.lora.lora_A" to that of "fc". */
size_t thaw_block_of_parameter(const thaw_model *model, const thaw_model_blocks *blocks, const char *parameter);

#endif
