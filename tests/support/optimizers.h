/* What every optimizer module must do, tested through thaw/optimizer_module.h. */
#ifndef THAW_TESTS_OPTIMIZERS_H
#define THAW_TESTS_OPTIMIZERS_H

#include "support/support.h"

/* Arrays that an optimizer works on. */
typedef struct optimizer_arrays {
    size_t count;
    float *parameter, *gradient;
    float *slot[THAW_MAX_SLOTS]; /* NULL where unused */
} optimizer_arrays;

/* Arrays for `optimizer`, parameters and gradients filled, slots zero. */
optimizer_arrays support_arrays_create(const thaw_optimizer *optimizer, size_t count);
void support_arrays_destroy(optimizer_arrays *arrays);

/* Updates elements [begin, end) as step number `step`, with the arithmetic of `module`, which may be another build of
   the optimizer's own. */
void support_update(const thaw_optimizer *optimizer, const thaw_optimizer_module *module, optimizer_arrays *arrays,
                    uint64_t step, size_t begin, size_t end);

/* Runs every case of tests/golden/<name>.txt (see optimizers.py there): 100 steps, parameters and slots within
   1e-6. */
void support_assert_equals_pytorch(const char *name);

/* Asserts that all cuts into spans, all alignments and all builds for this CPU give the same bits, for lengths that
   leave every tail from 0 to 127, over three steps. */
void support_assert_spans_agree(const char *description);

#endif
