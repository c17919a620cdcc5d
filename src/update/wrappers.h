/* What wrappers do to the steps of other optimizers: each level of them is an update list around another. */
#ifndef THAW_UPDATE_WRAPPERS_H
#define THAW_UPDATE_WRAPPERS_H

#include "params/optimizer.h"
#include "update/update_list.h"

/* The wrapper of a parameter at the level of the list, which has one for it. */
const thaw_optimizer *thaw_wrapper_at(const thaw_update_list *list, size_t index);

/* Makes the lists of all levels around the optimizers' list, which is otherwise whole. Errors: THAW_OUT_OF_MEMORY; what
   has been made is released with the list. */
thaw_status thaw_update_list_make_wrappers(thaw_update_list *list);

/* Before the optimizers' step: copies parameters for wrappers that compare, and sets wrappers' slots that are used for
   the first time. The rules are filled. */
void thaw_update_list_begin_wrappers(thaw_update_list *list);

#endif
