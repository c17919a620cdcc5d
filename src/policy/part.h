/* Turns a part of a network, as strategies name it, into a pattern for one network. */
#ifndef THAW_POLICY_PART_H
#define THAW_POLICY_PART_H

#include "policy/model_blocks.h"

typedef struct thaw_part_epoch {
    int epoch, epochs;
} thaw_part_epoch;

/* Why this is not a part, as the end of a message; NULL if it is one. */
const char *thaw_part_error(const char *part);

/* Writes the pattern to *pattern, which the caller releases (thaw_text_destroy). NULL if an epoch's number selects
   nothing yet. Errors: THAW_NOT_FOUND (selects nothing, too many blocks), THAW_OUT_OF_MEMORY. */
thaw_status thaw_part_resolve(thaw_model *model, const thaw_model_blocks *blocks, const char *part,
                              thaw_part_epoch when, char **pattern);

#endif
