#include "support/matrices.h"

Test(cautious, equals_the_paper_around_any_optimizer)
{
    matrices_assert_golden("cautious", 1e-5);
}

/* Every step of a parameter goes up: then nothing moves, and the bound of the mean keeps the scale finite. */
Test(cautious, stands_still_where_nothing_agrees)
{
    thaw_context *context = support_context(1);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 50 }, 1);
    parameters_optimize(&set, 0, 1, "cautious/sgd:lr=0.1,momentum=0.99");
    thaw_update_list *list = parameters_list(&set, 0, 1);
    for (size_t i = 0; i < 50; i++)
        set.parameters[0]->gradient[i] = 1;
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    const float before = set.parameters[0]->data[7];
    for (size_t i = 0; i < 50; i++)
        set.parameters[0]->gradient[i] = -0.1F;
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    cr_assert_eq(set.parameters[0]->data[7], before);
    cr_assert(!thaw_update_list_suspect(list));
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}
