/* The first half of a step with two passes: wrappers that perturb move the parameters to where the gradient is taken. */
#ifndef THAW_UPDATE_PERTURB_H
#define THAW_UPDATE_PERTURB_H

#include "update/update.h"

/* Whether a parameter of the list has such a wrapper. */
bool thaw_update_list_perturbs(const thaw_update_list *list);

/* Moves the parameters, by the gradients that they have. The same to the bit for any number of threads. */
void thaw_update_list_perturb(thaw_update_list *list);

/* Puts them back, to the bit. */
void thaw_update_list_restore(thaw_update_list *list);

#endif
