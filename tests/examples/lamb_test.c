#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/parameters.h"

static const size_t sizes[] = { 1, 77, 4096, 10001 };
enum { COUNT = THAW_COUNT(sizes), STEPS = 5 };

static thaw_parameter_set train(thaw_context *context, const char *description)
{
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    parameters_optimize(&set, 0, COUNT, description);
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    for (uint32_t step = 0; step < STEPS; step++) {
        parameters_fill_gradients(&set, 1000 * step);
        assert_ok(context, thaw_update_list_run(list, 1, 1));
    }
    thaw_update_list_release(list);
    return set;
}

Test(lamb, as_a_shared_object_equals_the_built_in_one)
{
    thaw_context *context = support_context(2);
    char description[1024];
    snprintf(description, sizeof description, "%s/lamb.so:lr=0.1,weight_decay=0.1", getenv("THAW_EXAMPLES"));
    thaw_parameter_set own = train(context, description);
    thaw_parameter_set built_in = train(context, "lamb:lr=0.1,weight_decay=0.1");
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(memcmp(own.parameters[i]->data, built_in.parameters[i]->data, sizes[i] * sizeof(float)), 0,
                     "size %zu", sizes[i]);
    thaw_set_release(&own);
    thaw_set_release(&built_in);
    thaw_context_destroy(context);
}
