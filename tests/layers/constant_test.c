/* Constants, and what is made of them alone: the same for all samples, outside of the cache, untouched by what runs
   after them. */
#include <math.h>
#include <string.h>

#include "plan/store.h"
#include "support/allocator.h"
#include "support/network.h"
#include "support/plans.h"
#include "support/toy_network.h"

enum { WIDTH = 3, SAMPLES = 12 };

static const float values[WIDTH] = { 0.5F, -2, 3 };

static thaw_node append_constant(thaw_model *model, const char *name)
{
    thaw_node node;
    const thaw_constant_options options = { .name = name, .shape = { 1, { WIDTH } }, .values = values };
    assert_ok(thaw_model_context(model), thaw_constant(model, &options, &node));
    return node;
}

/* ---- refusals ---- */

Test(constant, refuses_what_is_no_tensor)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = toy_model(context, WIDTH);
    const float odd[] = { 1, -INFINITY };
    const thaw_constant_options refused[] = {
        { .shape = { 1, { 2 } } },
        { .shape = { 1, { 0 } }, .values = values },
        { .shape = { 7, { 1, 1, 1, 1, 1, 1 } }, .values = values },
        { .shape = { -1, { 1 } }, .values = values },
        { .shape = { 3, { INT64_MAX, INT64_MAX, 2 } }, .values = values },
        { .shape = { 1, { 2 } }, .values = odd },
    };
    static const char *const texts[] = { "must have values", "at least 1", "at least 1",
                                         "at least 1",       "at least 1", "value 1 is -inf" };
    const size_t live = allocator.live;
    for (size_t i = 0; i < THAW_COUNT(refused); i++) {
        thaw_node node = 77;
        assert_fails(context, thaw_constant(model, &refused[i], &node), THAW_INVALID_ARGUMENT, texts[i]);
        cr_assert_eq(node, 77);
    }
    cr_assert_eq(allocator.live, live, "nothing is left behind");
    thaw_model_destroy(model);
    assert_ok(context, thaw_model_create(context, &model));
    thaw_node node;
    assert_fails(context, thaw_constant(model, &(thaw_constant_options){ .shape = { 0 }, .values = values }, &node),
                 THAW_INVALID_ARGUMENT, "no input yet");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}

/* ---- values ---- */

Test(constant, is_a_copy_and_the_same_for_every_sample)
{
    thaw_context *context = support_context(2);
    thaw_model *model = toy_model(context, WIDTH);
    float mine[WIDTH], outputs[SAMPLES * WIDTH], inputs[SAMPLES * WIDTH] = { 0 };
    thaw_node node;
    memcpy(mine, values, sizeof mine);
    assert_ok(context,
              thaw_constant(model, &(thaw_constant_options){ .shape = { 1, { WIDTH } }, .values = mine }, &node));
    memset(mine, 0, sizeof mine);
    for (int64_t batch = 1; batch <= SAMPLES; batch += 3) {
        const thaw_tensor in = thaw_view_f32(inputs, 2, (const int64_t[]){ batch, WIDTH });
        const thaw_tensor out = thaw_view_f32(outputs, 2, (const int64_t[]){ batch, WIDTH });
        assert_ok(context, thaw_predict(model, &in, &out));
        for (size_t i = 0; i < (size_t)batch * WIDTH; i++)
            cr_assert(outputs[i] == values[i % WIDTH]);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* What a network of constants, over which layers would like to write, computes; twice, so that a constant that was
   overwritten shows. */
Test(constant, survives_layers_that_run_in_place)
{
    thaw_context *context = support_context(2);
    thaw_model *model = toy_model(context, WIDTH);
    const thaw_node constant = append_constant(model, "constant");
    const thaw_node pass = toy_append(model, &toy_pass, NULL, constant, -1);
    const thaw_node curve = toy_append(model, &toy_curve, NULL, pass, -1);
    const thaw_node again = toy_append(model, &toy_curve, NULL, curve, -1);
    const thaw_node sum = toy_append(model, &toy_sum, NULL, constant, 0);
    const thaw_node all = toy_append(model, &toy_sum, NULL, sum, again);
    toy_append(model, &toy_sum, NULL, all, curve);
    float inputs[2 * WIDTH], outputs[2 * WIDTH];
    for (uint32_t run = 0; run < 3; run++) {
        support_fill(inputs, 2 * WIDTH, run);
        const thaw_tensor in = thaw_view_f32(inputs, 2, (const int64_t[]){ 2, WIDTH });
        const thaw_tensor out = thaw_view_f32(outputs, 2, (const int64_t[]){ 2, WIDTH });
        assert_ok(context, thaw_predict(model, &in, &out));
        for (size_t i = 0; i < 2 * WIDTH; i++) {
            const float bent = tanhf(values[i % WIDTH]);
            const float expected = values[i % WIDTH] + inputs[i] + tanhf(bent) + bent;
            assert_close(&outputs[i], &expected, 1, 1e-6, "output");
        }
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- plans ---- */

static bool is_constant(const thaw_plan *plan, thaw_node node)
{
    return plan->nodes[node].constant;
}

static bool is_boundary(const thaw_plan *plan, thaw_node node)
{
    return plan->nodes[node].boundary;
}

/* input 0, constant 1, a (frozen, of the constant) 2, curve 3, b (frozen, of the input) 4, product 5, c (trains) 6, sum
   of it and the curve 7, sum of it and the constant 8, d (trains, of the constant) 9, sum 10, loss 11. */
static thaw_model *network(thaw_context *context)
{
    thaw_model *model = toy_model(context, WIDTH);
    append_constant(model, "constant");
    toy_append(model, &toy_scale, "a", 1, -1);
    toy_append(model, &toy_curve, NULL, 2, -1);
    toy_append(model, &toy_scale, "b", 0, -1);
    toy_append(model, &toy_product, NULL, 4, 2);
    toy_append(model, &toy_scale, "c", 5, -1);
    toy_append(model, &toy_sum, NULL, 6, 3);
    toy_append(model, &toy_sum, NULL, 7, 1);
    toy_append(model, &toy_scale, "d", 1, -1);
    toy_append(model, &toy_sum, NULL, 8, 9);
    toy_append(model, &toy_quadratic, "loss", 10, -1);
    assert_ok(context, thaw_model_freeze(model, "a|b"));
    return model;
}

Test(constant, is_planned_before_all_samples_and_never_cached)
{
    thaw_context *context = support_context(2);
    thaw_model *model = network(context);
    thaw_plan *plan;
    assert_ok(context, thaw_plan_find(model, 5, true, &plan));
    assert_nodes(plan, is_constant, "011100000000", "constant");
    assert_nodes(plan, is_boundary, "000001000000", "boundaries");
    cr_assert_eq(plan->constant_count, 3);
    cr_assert_eq(thaw_plan_cache_bytes(plan), WIDTH * sizeof(float), "the product alone");
    for (thaw_node node = 1; node < 6; node++)
        cr_assert_not(thaw_plan_runs_backward(plan, node), "node %d", node);
    thaw_plan_entry entry;
    assert_ok(context, thaw_plan_entry_at(plan, 1, &entry));
    cr_assert(!entry.forward && !entry.cache_boundary);
    cr_assert_eq(entry.output_bytes, 0);
    cr_assert_eq(entry.packed_bytes, 5 * sizeof values);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A prefix of constants alone hands nothing to a cache. */
Test(constant, makes_no_prefix_that_is_worth_caching)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, WIDTH);
    append_constant(model, NULL);
    toy_append(model, &toy_scale, "frozen", 1, -1);
    toy_append(model, &toy_scale, "live", 0, -1);
    toy_append(model, &toy_sum, NULL, 3, 2);
    toy_append(model, &toy_quadratic, NULL, 4, -1);
    assert_ok(context, thaw_model_freeze(model, "frozen"));
    thaw_plan *plan;
    assert_ok(context, thaw_plan_find(model, 2, true, &plan));
    cr_assert_eq(thaw_plan_cache_bytes(plan), 0);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- training ---- */

Test(constant, gradients_beside_it_are_right)
{
    thaw_context *context = support_context(2);
    thaw_model *model = network(context);
    support_optimize(model, "sgd:lr=0.01");
    float data[2 * 4 * WIDTH];
    support_fill(data, 2 * 4 * WIDTH, 3);
    const thaw_tensor in = thaw_view_f32(data, 2, (const int64_t[]){ 4, WIDTH });
    const thaw_tensor target = thaw_view_f32(data + 4 * WIDTH, 2, (const int64_t[]){ 4, WIDTH });
    for (int step = 0; step < 3; step++) {
        const double a = (double)toy_value(model, "a.factor"), b = (double)toy_value(model, "b.factor"),
                     c = (double)toy_value(model, "c.factor"), d = (double)toy_value(model, "d.factor");
        double dc = 0, dd = 0;
        for (size_t i = 0; i < 4 * WIDTH; i++) {
            const double k = (double)values[i % WIDTH], product = b * (double)data[i] * a * k;
            const double error = c * product + tanh(a * k) + k + d * k - (double)data[4 * WIDTH + i];
            dc += error * product / 4;
            dd += error * k / 4;
        }
        assert_ok(context, thaw_step(model, &in, &target, NULL, NULL));
        const float expected[] = { (float)dc, (float)dd };
        assert_close(thaw_parameter_gradient(thaw_model_find_parameter(model, "c.factor")), &expected[0], 1, 1e-5,
                     "dc");
        assert_close(thaw_parameter_gradient(thaw_model_find_parameter(model, "d.factor")), &expected[1], 1, 1e-5,
                     "dd");
        cr_assert(toy_value(model, "a.factor") == (float)a && toy_value(model, "b.factor") == (float)b);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A batch that no layer looks at. */
Test(constant, trains_what_reads_it_alone)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, WIDTH);
    append_constant(model, NULL);
    toy_append(model, &toy_scale, "factor", 1, -1);
    toy_append(model, &toy_quadratic, NULL, 2, -1);
    support_optimize(model, "sgd:lr=0.1");
    const float before = toy_value(model, "factor.factor");
    assert_ok(context, toy_step(model, 4, 1, NULL));
    cr_assert_neq(toy_value(model, "factor.factor"), before);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_dataset *make_data(thaw_context *context, float *samples, float *targets)
{
    support_fill(samples, SAMPLES * WIDTH, 1);
    support_fill(targets, SAMPLES * WIDTH, 2);
    const thaw_tensor in = thaw_view_f32(samples, 2, (const int64_t[]){ SAMPLES, WIDTH });
    const thaw_tensor out = thaw_view_f32(targets, 2, (const int64_t[]){ SAMPLES, WIDTH });
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_from_arrays(context, &in, &out, 0, &dataset));
    return dataset;
}

static float fit(size_t cache_bytes, bool *cached, size_t *bytes)
{
    float samples[SAMPLES * WIDTH], targets[SAMPLES * WIDTH];
    thaw_context *context = support_context(2);
    thaw_model *model = network(context);
    support_optimize(model, "adam:lr=0.01");
    thaw_dataset *dataset = make_data(context, samples, targets);
    const thaw_fit_options options = { .epochs = 4, .batch = 5, .cache_bytes = cache_bytes };
    thaw_epoch_result epoch_result;
    assert_ok(context, thaw_fit(model, dataset, &options, &epoch_result));
    *cached = epoch_result.cached;
    *bytes = epoch_result.cache_bytes;
    const float result = toy_value(model, "c.factor") + 3 * toy_value(model, "d.factor");
    thaw_dataset_destroy(dataset);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return result;
}

Test(constant, leaves_cached_epochs_as_they_are)
{
    bool cached;
    size_t bytes;
    const float plain = fit(0, &cached, &bytes);
    cr_assert_not(cached);
    const float kept = fit(1 << 20, &cached, &bytes);
    cr_assert(cached);
    cr_assert_eq(bytes, SAMPLES * (WIDTH + WIDTH) * sizeof(float), "the product and the targets: %zu", bytes);
    cr_assert(plain == kept, "%.9g with the cache, %.9g without", (double)kept, (double)plain);
}
