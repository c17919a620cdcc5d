/* Adds, subtracts or multiplies two arrays. */
#ifndef THAW_ONEDNN_BINARY_H
#define THAW_ONEDNN_BINARY_H

#include "onednn/kernel.h"

typedef enum thaw_pairing { THAW_PAIR_SUM, THAW_PAIR_DIFFERENCE, THAW_PAIR_PRODUCT } thaw_pairing;

/* SOURCE and SOURCE_1 -> DESTINATION, which may be SOURCE. */
thaw_status thaw_binary_create(thaw_context *context, thaw_pairing pairing, thaw_dtype precision, size_t count,
                               thaw_kernel **kernel);

#endif
