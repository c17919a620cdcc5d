/* The memory that parameters of an update list have while they train. */
#ifndef THAW_UPDATE_STATE_H
#define THAW_UPDATE_STATE_H

#include "update/update_list.h"

/* Makes gradients, with `room` floats behind them, and missing slots, all zero. Each page is first touched by the thread
   whose share it is in; the list's spans must be of all parameters. Errors: THAW_OUT_OF_MEMORY; what has been made
   stays. */
thaw_status thaw_update_list_make_state(thaw_update_list *list, size_t room);

/* Makes only slots that are missing, all zero. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_update_list_make_missing(const thaw_update_list *list);

#endif
