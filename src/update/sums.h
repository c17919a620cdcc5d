/* The stage of an update before the elements: sums over parameters, and the scalars that follow from them. */
#ifndef THAW_UPDATE_SUMS_H
#define THAW_UPDATE_SUMS_H

#include "update/update_list.h"

/* For the parameters whose modules need sums: runs `sums` and `conclude` (thaw/optimizer_module.h), in a parallel
   region of its own. Does nothing if there are none. */
void thaw_update_list_sum(thaw_update_list *list);

#endif
