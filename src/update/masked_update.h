/* Updates that leave some elements of a parameter as they are. */
#ifndef THAW_UPDATE_MASKED_UPDATE_H
#define THAW_UPDATE_MASKED_UPDATE_H

#include <thaw/optimizer_module.h>

/* Runs a module's update or perturb, or, where `sums` is not NULL, its sums, on the elements of a span that are not held. Held
   elements keep their value and their optimizer state to the bit, and count in no sum. Bit `first` of `held` is for the
   span's first element. */
void thaw_update_masked(const thaw_optimizer_module *module, const thaw_update *update, const uint64_t *held,
                        size_t first, double *sums);

#endif
