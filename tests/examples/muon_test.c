#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/matrices.h"

static const thaw_shape shapes[] = { { 2, { 30, 77 } }, { 2, { 77, 30 } }, { 1, { 100 } }, { 4, { 8, 3, 3, 3 } } };
enum { COUNT = THAW_COUNT(shapes), STEPS = 5 };

static thaw_parameter_set train(thaw_context *context, const char *description)
{
    thaw_parameter_set set = matrices_create(context, shapes, COUNT);
    parameters_optimize(&set, 0, COUNT, description);
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    for (uint32_t step = 0; step < STEPS; step++) {
        parameters_fill_gradients(&set, 1000 * step);
        assert_ok(context, thaw_update_list_run(list, 1, 1));
    }
    thaw_update_list_release(list);
    return set;
}

Test(muon, as_a_shared_object_equals_the_built_in_one)
{
    thaw_context *context = support_context(2);
    char description[1024];
    snprintf(description, sizeof description, "%s/muon.so:lr=0.1,weight_decay=0.1", getenv("THAW_EXAMPLES"));
    thaw_parameter_set own = train(context, description);
    thaw_parameter_set built_in = train(context, "muon:lr=0.1,weight_decay=0.1");
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(memcmp(own.parameters[i]->data, built_in.parameters[i]->data,
                            own.parameters[i]->count * sizeof(float)),
                     0, "parameter %zu", i);
    thaw_set_release(&own);
    thaw_set_release(&built_in);
    thaw_context_destroy(context);
}
