/* The stage of an update before the elements: sums over parameters, and the scalars that follow from them. */
#ifndef THAW_UPDATE_SUMS_H
#define THAW_UPDATE_SUMS_H

#include "update/update_list.h"

/* For the parameters whose modules need sums, but in groups (sum_groups.h): runs `sums` and `conclude` (thaw/optimizer_module.h), in a parallel
   region of its own. Does nothing if there are none. */
void thaw_update_list_sum(thaw_update_list *list);

/* Parts of it: the sums of norm block number `index`, into list->block_sums; adding some up; and the scalars that follow
   from those of a parameter and of all parameters, as in thaw_conclusion. */
void thaw_sum_block(thaw_update_list *list, size_t index);
void thaw_add_sums(double *to, const double *from);
void thaw_conclude(thaw_update_list *list, size_t index, const double *all);

#endif
