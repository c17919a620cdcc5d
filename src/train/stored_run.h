/* A checkpoint that was read as a whole, and where its tensors go in a run. */
#ifndef THAW_TRAIN_STORED_RUN_H
#define THAW_TRAIN_STORED_RUN_H

#include "graph/model.h"
#include "io/safetensors.h"
#include "train/average.h"
#include "train/lines.h"

/* Where a tensor goes: into a parameter's values, its frozen slices, or a slot. No tensor: what the parameter has there
   goes. */
typedef struct thaw_stored_place {
    const thaw_stored_tensor *tensor;
    thaw_parameter *parameter;
    int part; /* the slot; negative: the values or the slices */
} thaw_stored_place;

typedef struct thaw_stored_run {
    thaw_context *context;
    const char *path;
    thaw_safetensors file;
    char *bytes;
    thaw_lines run, state;
    thaw_average *average;     /* that it holds; NULL: none */
    size_t used;               /* tensors that this run can use */
    thaw_stored_place *places; /* found before anything changes */
    size_t place_count, place_capacity;
} thaw_stored_run;

/* Fails for a checkpoint that no version like this one has written: THAW_BAD_FORMAT. */
thaw_status thaw_stored_damaged(const thaw_stored_run *from, const char *what);

/* Reads the averages, if `decay` is not 0. Errors: THAW_BAD_FORMAT, THAW_INVALID_ARGUMENT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_stored_find_averages(thaw_stored_run *from, thaw_parameter_set *set, double decay);

/* Finds the tensor "parameter[detail]" of values like the parameter's, which the run can use. Errors: THAW_BAD_FORMAT
   (there is none), THAW_INVALID_ARGUMENT (another shape), THAW_OUT_OF_MEMORY. */
thaw_status thaw_stored_find_values(thaw_stored_run *from, const thaw_parameter *parameter, const char *detail,
                                    const thaw_stored_tensor **tensor);

/* Finds where all tensors go, and makes memory that a parameter needs for them. Errors: THAW_INVALID_ARGUMENT (another
   run), THAW_OUT_OF_MEMORY. */
thaw_status thaw_stored_find_places(thaw_stored_run *from, const thaw_parameter_set *set);

/* Copies them there. */
void thaw_stored_fill(const thaw_stored_run *from);

#endif
