/* The single parameters that a pattern selects, for calls that act on each. */
#ifndef THAW_GRAPH_PARAMETER_LIST_H
#define THAW_GRAPH_PARAMETER_LIST_H

#include "graph/model.h"

typedef struct thaw_parameter_list {
    thaw_parameter **items;
    size_t count, capacity;
} thaw_parameter_list;

/* The selected parameters that `accept` accepts; `what` names them in the message. The caller releases `items`.
   Errors: THAW_NOT_FOUND (also if there are none), THAW_INVALID_ARGUMENT (the pattern), THAW_OUT_OF_MEMORY. */
thaw_status thaw_list_parameters(thaw_model *model, const char *pattern,
                                 bool (*accept)(const thaw_parameter *parameter), const char *what,
                                 thaw_parameter_list *list);

#endif
