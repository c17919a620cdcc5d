/* Parameters and an update list like those of a network, without the network. */
#ifndef THAW_BENCH_UPDATE_MODEL_H
#define THAW_BENCH_UPDATE_MODEL_H

#include "params/parameter.h"
#include "update/update.h"

typedef struct bench_model {
    thaw_parameter_set set;
    thaw_update_list *list;
    size_t trained; /* elements */
} bench_model;

/* About `parameters` elements in `tensors` groups of one tensor each; every second one is frozen if requested. As in
   convolutional networks, the tensors of a large model are either long or have 512 elements. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status bench_model_create(thaw_context *context, size_t parameters, size_t tensors, thaw_optimizer *optimizer,
                               bool freeze_half, bench_model *model);
void bench_model_release(bench_model *model);

#endif
