/* The single parameters that a pattern selects, for calls that act on each. */
#ifndef THAW_GRAPH_CHOSEN_H
#define THAW_GRAPH_CHOSEN_H

#include "graph/model.h"

typedef struct thaw_chosen {
    thaw_parameter **items;
    size_t count, capacity;
} thaw_chosen;

/* The selected parameters that `accept` accepts; `what` names them in the message. The caller releases `items`.
   Errors: THAW_NOT_FOUND (also if there are none), THAW_INVALID_ARGUMENT (the pattern), THAW_OUT_OF_MEMORY. */
thaw_status thaw_choose(thaw_model *model, const char *pattern, bool (*accept)(const thaw_parameter *parameter),
                        const char *what, thaw_chosen *chosen);

#endif
