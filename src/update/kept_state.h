/* State in fewer bits than 32, piece by piece: floats before a module's update, and rounded after it. */
#ifndef THAW_UPDATE_KEPT_STATE_H
#define THAW_UPDATE_KEPT_STATE_H

#include "update/update_list.h"

/* Elements whose floats stay in the nearest cache: whole blocks of state. */
enum { THAW_KEPT_PIECE = 1024 };

/* The floats of a piece, on a thread's stack. */
typedef struct thaw_kept_floats {
    _Alignas(THAW_ALIGNMENT) float slot[THAW_MAX_SLOTS][THAW_KEPT_PIECE];
} thaw_kept_floats;

/* Whether a parameter has such state. */
static inline bool thaw_keeps_state(const thaw_update_list *list, size_t index)
{
    return list->states[index] != THAW_F32;
}

/* Makes floats of the slots of a piece, which begins at a multiple of THAW_CODE_BLOCK of the parameter's elements and has
   at most THAW_KEPT_PIECE, and sets piece->slot. */
void thaw_kept_state_read(const thaw_update_list *list, size_t index, size_t begin, thaw_update *piece,
                          thaw_kept_floats *floats);

/* Rounds them. */
void thaw_kept_state_write(const thaw_update_list *list, size_t index, size_t begin, const thaw_update *piece,
                           thaw_kept_floats *floats);

#endif
