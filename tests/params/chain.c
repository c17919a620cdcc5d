#include "params/chain.h"

#include <string.h>

#include "support/network.h"

enum { BATCH = 4 };

thaw_context *chain_context;
thaw_model *chain_model;
static float samples[BATCH * CHAIN_WIDTH], targets[BATCH * CHAIN_WIDTH];

void chain_build(void)
{
    static const char *const names[] = { "first", "second", "third" };
    thaw_node x;
    assert_ok(chain_context, thaw_model_create(chain_context, &chain_model));
    assert_ok(chain_context, thaw_input(chain_model, &(thaw_shape){ 1, { CHAIN_WIDTH } }, &x));
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        assert_ok(chain_context,
                  thaw_dense(chain_model, x, &(thaw_dense_options){ .units = CHAIN_WIDTH, .name = names[i] }, &x));
        assert_ok(chain_context, thaw_tanh(chain_model, x, NULL, &x));
    }
    assert_ok(chain_context, thaw_mse(chain_model, x, NULL, &x));
    support_optimize(chain_model, "sgd:lr=0.1,momentum=0.9,weight_decay=0.01");
    support_fill(samples, THAW_COUNT(samples), 3);
    support_fill(targets, THAW_COUNT(targets), 4);
}

void chain_begin(void)
{
    chain_context = support_context(2);
    chain_build();
}

void chain_end(void)
{
    thaw_model_destroy(chain_model);
    thaw_context_destroy(chain_context);
}

thaw_parameter *chain_find(const char *name)
{
    thaw_parameter *found = thaw_model_find_parameter(chain_model, name);
    cr_assert_not_null(found, "%s", name);
    return found;
}

thaw_expression *chain_stored(const char *name)
{
    thaw_expression *expression;
    assert_ok(chain_context, thaw_expression_of(chain_model, chain_find(name), &expression));
    return expression;
}

thaw_expression *chain_bound(const char *name)
{
    thaw_expression *expression;
    assert_ok(chain_context, thaw_expression_bound(chain_model, chain_find(name), &expression));
    return expression;
}

thaw_status chain_try_step(const thaw_step_options *options, thaw_step_result *result)
{
    const thaw_tensor in = thaw_view_f32(samples, 2, (int64_t[]){ BATCH, CHAIN_WIDTH });
    const thaw_tensor out = thaw_view_f32(targets, 2, (int64_t[]){ BATCH, CHAIN_WIDTH });
    return thaw_step(chain_model, &in, &out, options, result);
}

double chain_gradients(void)
{
    thaw_step_result result;
    assert_ok(chain_context, chain_try_step(&(thaw_step_options){ .gradients_only = true }, &result));
    return result.loss;
}

void chain_check_quotients(const char *name)
{
    thaw_parameter *parameter = chain_find(name);
    chain_gradients();
    float expected[CHAIN_WIDTH * CHAIN_WIDTH], found[CHAIN_WIDTH * CHAIN_WIDTH];
    const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
    memcpy(found, thaw_parameter_gradient(parameter), count * sizeof *found);
    for (size_t i = 0; i < count; i++) {
        const float step = 0.005F, before = thaw_parameter_data(parameter)[i];
        thaw_parameter_edit(parameter)[i] = before + step;
        const double above = chain_gradients();
        thaw_parameter_edit(parameter)[i] = before - step;
        const double below = chain_gradients();
        thaw_parameter_edit(parameter)[i] = before;
        expected[i] = (float)((above - below) / (2 * (double)step));
    }
    assert_close(found, expected, count, 1e-4, name);
}
