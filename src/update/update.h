/* The update list: the parameters that train, cut into equal shares for the threads across tensor borders. One parallel
   region updates all groups of all optimizers. */
#ifndef THAW_UPDATE_UPDATE_H
#define THAW_UPDATE_UPDATE_H

#include "params/parameter.h"

typedef struct thaw_update_list thaw_update_list;

/* Makes the list; gradients and optimizer slots that are missing come into being here, each page first touched by the
   thread that will update it. The array is copied. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_update_list_create(thaw_context *context, thaw_parameter *const *parameters, size_t count,
                                    thaw_update_list **list);
void thaw_update_list_release(thaw_update_list *list);

/* Has updates keep some elements of a parameter, number `parameter` of the list: those whose bit in `held` is 1. NULL: none.
   The list owns `held` from here on. */
void thaw_update_list_hold(thaw_update_list *list, size_t parameter, uint64_t *held);

/* Sets the gradients of a parameter's held elements to 0. */
void thaw_update_list_clear_held(const thaw_update_list *list, size_t parameter);

/* One step of every optimizer. Learning rates are multiplied by `rate_factor`, gradients by `gradient_scale`. The same
   to the bit for any number of threads. Errors, before anything has changed: THAW_INVALID_ARGUMENT (a group without an
   optimizer). */
thaw_status thaw_update_list_run(thaw_update_list *list, double rate_factor, double gradient_scale);

/* Whether the last run, of finite gradients, may have made parameters infinite or NaN that were finite: the
   floating-point unit noted an overflow, an invalid operation or a division by zero. Asking costs nothing. The parameters
   must then be checked; otherwise they are finite. */
bool thaw_update_list_suspect(const thaw_update_list *list);

/* The Euclidean norm of all gradients together. Summed in blocks of fixed size and order: the same for any number of
   threads. */
double thaw_update_list_norm(thaw_update_list *list);

/* Whether all gradients are finite: what the norm would tell, at the price of reading them. `known` says of each
   parameter of the list whether its gradient is already known to be finite, and need not be read; NULL: of none. */
bool thaw_update_list_finite(thaw_update_list *list, const bool *known);

/* Multiplies all gradients, as thaw_update_list_run does, and updates nothing. */
void thaw_update_list_scale(thaw_update_list *list, double gradient_scale);

typedef struct thaw_update_totals {
    size_t parameters; /* elements */
    size_t gradient_bytes, state_bytes;
} thaw_update_totals;

thaw_update_totals thaw_update_list_totals(const thaw_update_list *list);

#endif
