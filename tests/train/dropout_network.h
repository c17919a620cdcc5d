/* Three dense layers, named body, middle and head, with one dropout among them. */
#ifndef THAW_TESTS_TRAIN_DROPOUT_NETWORK_H
#define THAW_TESTS_TRAIN_DROPOUT_NETWORK_H

#include "support/support.h"

enum { DROPOUT_BATCH = 16, DROPOUT_FEATURES = 40, DROPOUT_CLASSES = 3 };

/* Where the dropout is: of the input, below "middle", or below "head". */
typedef enum dropout_place { DROPS_INPUT, DROPS_LOW, DROPS_HIGH } dropout_place;

/* body, relu, middle, relu, head. `keep`: the dropout drops when it is frozen, too. */
thaw_model *dropout_model(thaw_context *context, dropout_place where, bool keep);

/* A step on always the same samples, of which it takes `count`, at most DROPOUT_BATCH. */
thaw_status dropout_step(thaw_model *model, int64_t count, bool gradients_only, thaw_step_result *result);

#endif
