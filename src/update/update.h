/* The update list: the parameters that train, cut into equal shares for the threads across tensor borders. One parallel
   region updates all groups of all optimizers. */
#ifndef THAW_UPDATE_UPDATE_H
#define THAW_UPDATE_UPDATE_H

#include "params/parameter.h"

typedef struct thaw_update_list thaw_update_list;

/* The floats that a tensor takes where several lie one after another: each begins at a cache line. */
static inline size_t thaw_padded_floats(size_t count)
{
    enum { LINE = 16 };
    return (count + LINE - 1) / LINE * LINE;
}

/* Makes the list, its gradients, and missing optimizer slots; each page is first touched by the thread that will update
   it. The gradients are zeros. They lie one after another, padded, with `room` floats behind them for what ranks
   exchange beside them. The array is copied. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_update_list_create(thaw_context *context, thaw_parameter *const *parameters, size_t count, size_t room,
                                    thaw_update_list **list);

/* The floats of all gradients, one after another, padded. */
size_t thaw_update_list_floats(const thaw_update_list *list);

/* Makes the parameters' gradients those in other memory of so many floats, all rows of which may be other than 0. NULL:
   the list's own. */
void thaw_update_list_move(const thaw_update_list *list, float *gradients);

/* A list that does not run for a while: its parameters have no gradients until it is entered again. NULL is allowed. */
void thaw_update_list_leave(const thaw_update_list *list);

/* Gives the parameters their gradients, and optimizer slots that they have lost meanwhile. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_update_list_enter(thaw_update_list *list);

/* Its parameters have no gradients then. */
void thaw_update_list_release(thaw_update_list *list);

/* Makes updates keep the elements of parameter number `parameter` whose bit in `held` is 1; NULL: none. The list takes
   over `held`. Errors: THAW_OUT_OF_MEMORY; the elements are held then, but the list must not run. */
thaw_status thaw_update_list_hold(thaw_update_list *list, size_t parameter, uint64_t *held);

/* Sets the gradients of a parameter's held elements to 0. */
void thaw_update_list_clear_held(const thaw_update_list *list, size_t parameter);

/* One step of every optimizer. Learning rates are multiplied by `rate_factor`, gradients by `gradient_scale`. The same
   to the bit for any number of threads. Errors, before anything has changed: THAW_INVALID_ARGUMENT (a group without an
   optimizer). */
thaw_status thaw_update_list_run(thaw_update_list *list, double rate_factor, double gradient_scale);

/* Whether the last run may have made a parameter infinite or NaN, if parameters, state and gradients were finite: the
   floating-point unit noted an overflow, an invalid operation or a division by zero. Then the parameters must be
   checked; otherwise they are finite. */
bool thaw_update_list_suspect(const thaw_update_list *list);

/* The Euclidean norm of all gradients together. Summed in blocks of fixed size and order: the same for any number of
   threads. */
double thaw_update_list_norm(thaw_update_list *list);

/* After that: the sum of squares of each parameter's gradient, by its number in the list. */
void thaw_update_list_squares(const thaw_update_list *list, double *squares);

/* Whether all gradients are finite. The norm would tell too, but this only reads them. `known` says for each parameter
   of the list whether its gradient is already known to be finite; NULL: none is. */
bool thaw_update_list_finite(thaw_update_list *list, const bool *known);

/* Multiplies all gradients, as thaw_update_list_run does, and updates nothing. */
void thaw_update_list_scale(thaw_update_list *list, double gradient_scale);

#endif
