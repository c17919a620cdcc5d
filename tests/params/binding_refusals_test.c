/* What a parameter cannot be bound to: cycles, other shapes, other models, statistics, deep nesting. */
#include <math.h>
#include <string.h>

#include "params/chain.h"
#include "support/holder.h"

Test(binding_refusals, cycles_are_refused, .init = chain_begin, .fini = chain_end)
{
    thaw_expression *first = chain_bound("first.weight"), *second = chain_bound("second.weight"), *sum;
    assert_fails(chain_context, thaw_parameter_bind(chain_model, chain_find("first.weight"), first),
                 THAW_INVALID_ARGUMENT, "cycle");
    assert_ok(chain_context, thaw_expression_add(first, chain_stored("third.weight"), &sum));
    assert_fails(chain_context, thaw_parameter_bind(chain_model, chain_find("first.weight"), sum),
                 THAW_INVALID_ARGUMENT, "cycle");
    assert_ok(chain_context, thaw_parameter_bind(chain_model, chain_find("second.weight"), sum));
    assert_fails(chain_context, thaw_parameter_bind(chain_model, chain_find("first.weight"), second),
                 THAW_INVALID_ARGUMENT, "cycle");
    assert_ok(chain_context, thaw_parameter_bind(chain_model, chain_find("third.weight"), second));
    assert_fails(chain_context,
                 thaw_parameter_bind(chain_model, chain_find("first.weight"), chain_bound("third.weight")),
                 THAW_INVALID_ARGUMENT, "cycle");
    cr_assert_null(thaw_parameter_binding(chain_find("first.weight")));
    chain_check_quotients("first.weight");
    assert_ok(chain_context, thaw_parameter_bind(chain_model, chain_find("second.weight"), NULL));
    assert_ok(chain_context, thaw_parameter_bind(chain_model, chain_find("first.weight"), second));
    chain_check_quotients("second.weight");
}

Test(binding_refusals, refuses_what_does_not_fit, .init = chain_begin, .fini = chain_end)
{
    thaw_expression *e, *slice;
    thaw_expression *weight = chain_stored("first.weight");
    assert_fails(chain_context, thaw_parameter_bind(chain_model, chain_find("first.bias"), weight), THAW_SHAPE_MISMATCH,
                 "[6, 6]");
    assert_ok(chain_context, thaw_expression_slice(weight, 0, 0, 4, &slice));
    assert_fails(chain_context, thaw_expression_add(slice, weight, &e), THAW_SHAPE_MISMATCH, "[4, 6] and [6, 6]");
    cr_assert_null(e);
    assert_fails(chain_context, thaw_expression_multiply(weight, slice, &e), THAW_SHAPE_MISMATCH, "do not broadcast");
    assert_fails(chain_context, thaw_expression_slice(weight, 0, 2, 7, &e), THAW_INVALID_ARGUMENT, "2 to 7");
    assert_fails(chain_context, thaw_expression_slice(weight, 0, -1, 2, &e), THAW_INVALID_ARGUMENT, "-1 to 2");
    assert_fails(chain_context, thaw_expression_slice(weight, 2, 0, 1, &e), THAW_INVALID_ARGUMENT, "axis is 2");
    assert_fails(chain_context, thaw_expression_concatenate((thaw_expression *[]){ weight, slice }, 2, 1, &e),
                 THAW_SHAPE_MISMATCH, "axis 1");
    assert_fails(chain_context, thaw_expression_concatenate((thaw_expression *[]){ weight }, 1, 3, &e),
                 THAW_INVALID_ARGUMENT, "axis is 3");
    cr_assert_eq(thaw_expression_concatenate(NULL, 0, 0, &e), THAW_INVALID_ARGUMENT);
    assert_fails(chain_context, thaw_expression_product(slice, slice, &e), THAW_SHAPE_MISMATCH, "cannot be multiplied");
    assert_fails(chain_context, thaw_expression_low_rank(weight, slice, slice, 1, &e), THAW_SHAPE_MISMATCH, "low-rank");
    assert_fails(chain_context, thaw_expression_weight_norm(weight, weight, &e), THAW_SHAPE_MISMATCH, "magnitude");
    assert_fails(chain_context, thaw_expression_scale(weight, INFINITY, &e), THAW_INVALID_ARGUMENT, "inf");
    assert_fails(chain_context, thaw_expression_add(weight, NULL, &e), THAW_INVALID_ARGUMENT, "missing");
    cr_assert_eq(thaw_expression_add(NULL, NULL, &e), THAW_INVALID_ARGUMENT);
    assert_fails(chain_context,
                 thaw_expression_constant(chain_model, &(thaw_tensor){ THAW_F32, { 1, { 1 } }, (float[]){ NAN } }, &e),
                 THAW_INVALID_ARGUMENT, "nan");
    chain_gradients();
}

Test(binding_refusals, refuses_other_models, .init = chain_begin, .fini = chain_end)
{
    thaw_model *own = chain_model;
    thaw_expression *mine = chain_stored("first.weight"), *other, *sum;
    chain_build();
    other = chain_stored("first.weight");
    assert_fails(chain_context, thaw_expression_add(mine, other, &sum), THAW_INVALID_ARGUMENT, "another model");
    assert_fails(chain_context, thaw_parameter_bind(chain_model, chain_find("second.weight"), mine),
                 THAW_INVALID_ARGUMENT, "another model");
    assert_fails(chain_context, thaw_expression_of(own, chain_find("first.weight"), &sum), THAW_INVALID_ARGUMENT,
                 "belongs to another model");
    thaw_model_destroy(own);
}

Test(binding_refusals, statistics_are_neither_bound_nor_read)
{
    chain_context = support_context(1);
    chain_model = support_holder(chain_context);
    thaw_expression *e;
    assert_fails(chain_context, thaw_expression_of(chain_model, chain_find("first.mean"), &e), THAW_INVALID_ARGUMENT,
                 "statistic");
    assert_fails(chain_context, thaw_expression_bound(chain_model, chain_find("first.mean"), &e), THAW_INVALID_ARGUMENT,
                 "statistic");
    assert_fails(chain_context, thaw_parameter_bind(chain_model, chain_find("second.mean"), chain_stored("first.bias")),
                 THAW_INVALID_ARGUMENT, "second.mean: a statistic");
    thaw_trainability found;
    assert_ok(chain_context, thaw_model_trainability(chain_model, "first", &found));
    cr_assert_eq(found, THAW_TRAINABLE);
    assert_fails(chain_context, thaw_mask(chain_model, "*.mean", NULL), THAW_NOT_FOUND, "no weight");
    assert_fails(chain_context, thaw_freeze_slice(chain_model, "*.mean", 0, 0, 1), THAW_NOT_FOUND,
                 "no parameter that trains");
    chain_end();
}

Test(binding_refusals, refuses_deep_nesting, .init = chain_begin, .fini = chain_end)
{
    thaw_expression *e = chain_stored("first.weight");
    thaw_status status = THAW_OK;
    int depth = 0;
    for (; status == THAW_OK && depth < 1000; depth++) {
        thaw_expression *before = e;
        status = thaw_expression_scale(before, 1, &e);
        if (status == THAW_OK)
            assert_ok(chain_context, thaw_parameter_bind(chain_model, chain_find("first.weight"), e));
    }
    cr_assert_eq(status, THAW_INVALID_ARGUMENT);
    cr_assert(strstr(thaw_context_message(chain_context), "at most") != NULL);
    cr_assert(depth > 50 && depth < 100, "%d", depth);
    chain_check_quotients("first.weight");
}
