/* Parts of a network, in the words of strategies, as patterns of this network. */
#ifndef THAW_POLICY_PART_H
#define THAW_POLICY_PART_H

#include "policy/model_blocks.h"

typedef struct thaw_part_epoch {
    int epoch, epochs;
} thaw_part_epoch;

/* Why this is no part, to follow it in a message; NULL when it is one. */
const char *thaw_part_error(const char *part);

/* Writes the pattern to *pattern, which the caller releases (thaw_text_destroy); NULL where an epoch's number selects
   nothing yet. Errors: THAW_NOT_FOUND (nothing is selected, too many blocks), THAW_OUT_OF_MEMORY. */
thaw_status thaw_part_resolve(thaw_model *model, const thaw_model_blocks *blocks, const char *part,
                              thaw_part_epoch when, char **pattern);

#endif
