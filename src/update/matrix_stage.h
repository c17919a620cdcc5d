/* The matrix stage of a run: modules that see whole parameters (thaw/matrix_stage.h), in one parallel region. */
#ifndef THAW_UPDATE_MATRIX_STAGE_H
#define THAW_UPDATE_MATRIX_STAGE_H

#include "update/update_list.h"

/* Allocates what the stage needs, if a module has it. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_matrix_stage_create(thaw_update_list *list);

/* Makes room for the values of a parameter some of whose elements are held. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_matrix_stage_keep(thaw_update_list *list, size_t index);

void thaw_matrix_stage_release(thaw_update_list *list);

/* Updates the parameters whose modules have a matrix stage, after the rules are filled. */
void thaw_matrix_stage_run(thaw_update_list *list);

#endif
