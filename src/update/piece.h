/* A piece of a parameter, as a module's functions see it. */
#ifndef THAW_UPDATE_PIECE_H
#define THAW_UPDATE_PIECE_H

#include <fenv.h>

#include "update/update_list.h"

/* Floats that are scaled and used while they are in the nearest cache. */
enum { THAW_SCALE_BLOCK = 4096 };

void thaw_scale_values(float *values, size_t count, float factor);

/* Elements [begin, begin + count) of parameter number `index`, with the scalars of this run. Slots that are kept in fewer
   bits are NULL: see kept_state.h. */
thaw_update thaw_piece_of(const thaw_update_list *list, size_t index, size_t begin, size_t count);

/* Sets the slots that are used for the first time. */
void thaw_piece_begin_slots(const thaw_update_list *list, size_t index, const thaw_update *piece);

/* Readies a piece for the first of its module's functions in a step: multiplies its gradient by list->gradient_scale,
   and sets its slots. For wrappers, both have been done. */
void thaw_piece_begin(const thaw_update_list *list, size_t index, const thaw_update *piece);

/* Updates elements [from, past) of a span, in pieces that are small enough to stay in the cache between being readied and
   used. */
void thaw_piece_update(const thaw_update_list *list, const thaw_span *span, size_t from, size_t past);

/* Between the two, a thread's floating-point flags tell of what it computes; then they are the host's again. The second
   sets list->suspect if a number may have become infinite or NaN. */
void thaw_flags_watch(fexcept_t *before);
void thaw_flags_restore(thaw_update_list *list, const fexcept_t *before);

#endif
