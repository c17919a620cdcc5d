/* Modules whose steps depend on sums over the parameter itself only: a group of parameters that fits a cache is summed,
   concluded and updated before the next, where there is one thread. */
#ifndef THAW_UPDATE_SUM_GROUPS_H
#define THAW_UPDATE_SUM_GROUPS_H

#include "update/update_list.h"

/* Cuts the list into groups. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_update_list_make_groups(thaw_update_list *list);

/* Updates those parameters, in one parallel region. Does nothing if there are none. */
void thaw_update_list_run_groups(thaw_update_list *list);

#endif
