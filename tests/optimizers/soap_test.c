#include "support/matrices.h"

Test(soap, equals_its_algorithm_after_20_steps)
{
    matrices_assert_separated_golden("soap", 1e-5);
}

Test(soap, is_the_same_to_the_bit_for_any_number_of_threads)
{
    matrices_assert_threads_agree("soap:lr=0.05,precondition_frequency=1");
    matrices_assert_threads_agree("soap:lr=0.05,max_precond_dim=200,normalize_grads=1");
}

Test(soap, keeps_squares_of_the_sides_that_it_turns)
{
    static const struct {
        const char *description;
        bool left, right;
    } cases[] = { { "soap", true, true },
                  { "soap:max_precond_dim=5", true, false },
                  { "soap:max_precond_dim=4", false, false } };
    const thaw_shape shapes[] = { { 2, { 5, 12 } }, { 1, { 12 } }, { 2, { 1, 5 } } };
    for (size_t c = 0; c < THAW_COUNT(cases); c++) {
        thaw_context *context = support_context(1);
        thaw_parameter_set set = matrices_create(context, shapes, THAW_COUNT(shapes));
        parameters_optimize(&set, 0, THAW_COUNT(shapes), cases[c].description);
        thaw_update_list *list = parameters_list(&set, 0, THAW_COUNT(shapes));
        for (size_t i = 0; i < THAW_COUNT(shapes); i++) {
            cr_assert_not_null(thaw_parameter_state(set.parameters[i], "exp_avg_sq"));
            cr_assert_eq(thaw_parameter_state(set.parameters[i], "GG_left") != NULL, i == 0 && cases[c].left);
            cr_assert_eq(thaw_parameter_state(set.parameters[i], "Q_right") != NULL, i == 0 && cases[c].right);
        }
        thaw_update_list_release(list);
        thaw_set_release(&set);
        thaw_context_destroy(context);
    }
}

Test(soap, refuses_settings_that_mean_nothing)
{
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer;
    assert_fails(context, thaw_optimizer_create(context, "soap:precondition_frequency=1.5", &optimizer),
                 THAW_INVALID_ARGUMENT, "precondition_frequency must be whole");
    assert_fails(context, thaw_optimizer_create(context, "soap:normalize_grads=0.5", &optimizer), THAW_INVALID_ARGUMENT,
                 "normalize_grads must be 0 or 1");
    assert_fails(context, thaw_optimizer_create(context, "soap:correct_bias=0.5", &optimizer), THAW_INVALID_ARGUMENT,
                 "correct_bias must be 0 or 1");
    thaw_context_destroy(context);
}
