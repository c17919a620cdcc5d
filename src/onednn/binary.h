/* Adds, subtracts or multiplies two arrays. */
#ifndef THAW_ONEDNN_BINARY_H
#define THAW_ONEDNN_BINARY_H

#include "onednn/kernel.h"

typedef enum thaw_binary_kind { THAW_BINARY_SUM, THAW_BINARY_DIFFERENCE, THAW_BINARY_PRODUCT } thaw_binary_kind;

/* SOURCE and SOURCE_1 -> DESTINATION, which may be SOURCE. */
thaw_status thaw_binary_create(thaw_context *context, thaw_binary_kind kind, thaw_dtype precision, size_t count,
                               thaw_kernel **kernel);

#endif
