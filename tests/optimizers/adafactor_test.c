#include "params/suits.h"
#include "support/matrices.h"

Test(adafactor, equals_pytorch_after_20_steps)
{
    matrices_assert_golden("adafactor", 1e-5);
}

Test(adafactor, is_the_same_to_the_bit_for_any_number_of_threads)
{
    matrices_assert_threads_agree("adafactor:lr=0.1,weight_decay=0.1");
}

Test(adafactor, keeps_less_than_a_hundredth_of_adamws_state)
{
    thaw_context *context = support_context(1);
    thaw_parameter_set set = matrices_create(context, (const thaw_shape[]){ { 2, { 1536, 384 } } }, 1);
    parameters_optimize(&set, 0, 1, "adafactor");
    size_t floats = 0;
    for (size_t k = 0; k < thaw_parameter_slot_count(set.parameters[0]); k++) {
        const thaw_shape shape = thaw_parameter_slot_shape(set.parameters[0], k);
        floats += thaw_shape_count(&shape);
    }
    cr_assert_eq(floats, 1536 + 384);
    cr_assert_lt(floats * 100, 2 * set.parameters[0]->count);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}
