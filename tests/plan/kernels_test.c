/* What layers are asked to prepare, and what their kernels are given when they run. */
#include <string.h>

#include "support/allocator.h"
#include "support/network.h"
#include "support/plans.h"

enum { WIDTH = 3, BATCH = 4, MOST = 16 };

/* What a layer was asked for, in the order of asking. */
typedef struct request {
    int64_t batch;
    bool training, input_gradient, parameter_gradient, save_memory;
    size_t inputs, parameters;
    thaw_shape input, output;
    thaw_activation activation;
} request;

static request requests[MOST];
static size_t request_count, packs, forwards, backwards, releases;
static thaw_stream random_seen;

enum { PACKED = 100, WORKSPACE = 52, SCRATCH = 36 };

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    cr_assert_lt(request_count, MOST);
    requests[request_count++] = (request){
        .batch = demand->batch,
        .training = demand->training,
        .input_gradient = demand->input_gradient[0],
        .parameter_gradient = demand->parameter_gradient[0],
        .save_memory = demand->capabilities->save_memory,
        .inputs = demand->input_count,
        .parameters = demand->parameter_count,
        .input = demand->inputs[0],
        .output = demand->output,
        .activation = demand->capabilities->epilogue.activation,
    };
    const thaw_status status = toy_scale.prepare(demand, needs);
    needs->packed_bytes = PACKED;
    needs->workspace_bytes = WORKSPACE;
    needs->scratch_bytes = SCRATCH;
    return status;
}

static void assert_memory(const void *memory, const char *what)
{
    cr_assert_not_null(memory, "no %s", what);
    cr_assert_eq((uintptr_t)memory % 64, 0, "%s at %p", what, memory);
}

static thaw_status pack(const thaw_layer_run *run)
{
    packs++;
    assert_memory(run->packed, "packed memory");
    memcpy(run->packed, run->parameters[0], sizeof(float));
    return THAW_OK;
}

/* Leaves its weight's copy in the workspace for backward, and dirt in scratch. */
static thaw_status forward(const thaw_layer_run *run)
{
    forwards++;
    assert_memory(run->workspace, "workspace");
    assert_memory(run->scratch, "scratch");
    cr_assert_eq(memcmp(run->packed, run->parameters[0], sizeof(float)), 0, "the packed copy is old");
    memset(run->workspace, 0, WORKSPACE);
    memcpy(run->workspace, run->packed, sizeof(float));
    memset(run->scratch, 0xFF, SCRATCH);
    random_seen = run->random;
    return toy_scale.forward(run);
}

static thaw_status backward(const thaw_layer_run *run)
{
    backwards++;
    const char zeros[WORKSPACE] = { 0 };
    const char *workspace = run->workspace;
    cr_assert_eq(memcmp(workspace, run->parameters[0], sizeof(float)), 0, "the workspace was written over");
    cr_assert_eq(memcmp(workspace + sizeof(float), zeros, WORKSPACE - sizeof(float)), 0);
    memset(run->scratch, 0xFF, SCRATCH);
    return toy_scale.backward(run);
}

static void release(thaw_context *context, void *state)
{
    releases++;
    thaw_release(context, state);
}

static const thaw_layer_module *recorder(void)
{
    static thaw_layer_module module;
    module = toy_scale;
    module.prepare = prepare;
    module.pack = pack;
    module.forward = forward;
    module.backward = backward;
    module.release = release;
    return &module;
}

/* input 0, a 1 (frozen), relu 2, b 3, dead 4, c 5 (frozen), loss 6; a, b, dead and c record. */
static thaw_model *make_model(thaw_context *context)
{
    thaw_model *model = toy_model(context, WIDTH);
    toy_append(model, recorder(), "a", 0, -1);
    toy_append(model, &toy_relu, NULL, 1, -1);
    toy_append(model, recorder(), "b", 2, -1);
    toy_append(model, recorder(), "dead", 2, -1);
    toy_append(model, recorder(), "c", 3, -1);
    toy_append(model, &toy_quadratic, "loss", 5, -1);
    support_optimize(model, "sgd:lr=0.5");
    assert_ok(context, thaw_model_freeze(model, "[ac]"));
    return model;
}

Test(kernels, are_prepared_as_the_plan_demands_and_no_others)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    const request expected[] = {
        { .training = false, .activation = THAW_ACTIVATION_RELU },
        { .training = true, .parameter_gradient = true },
        { .training = true, .input_gradient = true },
    };
    cr_assert_eq(request_count, 3, "a, b and c, but not dead: %zu", request_count);
    for (size_t i = 0; i < 3; i++) {
        const request *found = &requests[i];
        cr_assert_eq(found->batch, BATCH);
        cr_assert_eq(found->training, expected[i].training, "layer %zu", i);
        cr_assert_eq(found->input_gradient, expected[i].input_gradient, "layer %zu", i);
        cr_assert_eq(found->parameter_gradient, expected[i].parameter_gradient, "layer %zu", i);
        cr_assert_eq(found->activation, expected[i].activation, "layer %zu", i);
        cr_assert_eq(found->inputs, 1);
        cr_assert_eq(found->parameters, 1);
        cr_assert(thaw_shape_equal(&found->input, &(thaw_shape){ 1, { WIDTH } }));
        cr_assert(thaw_shape_equal(&found->output, &(thaw_shape){ 1, { WIDTH } }));
    }
    thaw_model_destroy(model);
    cr_assert_eq(releases, 3);
    thaw_context_destroy(context);
}

/* Four numbers frozen beside one that trains, then three beside two; in training and in evaluation. */
Test(kernels, save_memory_where_frozen_weights_take_most_of_the_memory)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, WIDTH);
    for (thaw_node i = 0; i < 5; i++)
        toy_append(model, recorder(), (const char *[]){ "a", "b", "c", "d", "e" }[i], i, -1);
    toy_append(model, &toy_quadratic, "loss", 5, -1);
    support_optimize(model, "sgd:lr=0.5");
    for (int frozen = 4; frozen >= 3; frozen--) {
        assert_ok(context, thaw_model_freeze_before(model, frozen == 4 ? "e" : "d"));
        for (int inference = 0; inference < 2; inference++) {
            const thaw_plan *plan;
            request_count = 0;
            assert_ok(context,
                      thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH, .inference = inference }, &plan));
            cr_assert_eq(request_count, 5);
            for (size_t i = 0; i < request_count; i++)
                cr_assert_eq(requests[i].save_memory, frozen == 4, "%d frozen, layer %zu", frozen, i);
        }
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(kernels, run_once_a_step_where_they_are_wanted)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    for (size_t step = 1; step <= 3; step++) {
        assert_ok(context, toy_step(model, BATCH, 1, NULL));
        cr_assert_eq(forwards, 3 * step, "%zu forward", forwards);
        cr_assert_eq(backwards, 2 * step, "%zu backward: b and c", backwards);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void predict(thaw_model *model)
{
    const int64_t dims[] = { BATCH, WIDTH };
    const float samples[BATCH * WIDTH] = { 1, 2, 3 };
    float outputs[BATCH * WIDTH];
    const thaw_tensor inputs = thaw_view_f32(samples, 2, dims), written = thaw_view_f32(outputs, 2, dims);
    assert_ok(thaw_model_context(model), thaw_predict(model, &inputs, &written));
}

Test(kernels, pack_frozen_parameters_once_and_others_when_they_have_changed)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    assert_ok(context, toy_step(model, BATCH, 1, NULL));
    cr_assert_eq(packs, 3);
    assert_ok(context, toy_step(model, BATCH, 2, NULL));
    cr_assert_eq(packs, 4, "b has changed");
    predict(model);
    cr_assert_eq(packs, 7, "a plan of its own");
    predict(model);
    cr_assert_eq(packs, 7);
    thaw_parameter_edit(thaw_model_find_parameter(model, "a.factor"))[0] = 0.5F;
    predict(model);
    cr_assert_eq(packs, 8);
    assert_ok(context, toy_step(model, BATCH, 3, NULL));
    cr_assert_eq(packs, 10, "a was edited, b has changed");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(kernels, are_given_random_numbers_of_their_own_for_each_step)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    assert_ok(context, thaw_model_unfreeze(model, "c"));
    for (uint64_t step = 0; step < 3; step++) {
        assert_ok(context, toy_step(model, BATCH, 1, NULL));
        cr_assert_eq(random_seen.seed, thaw_context_seed(context));
        cr_assert_eq(random_seen.node, 5, "the last to run");
        cr_assert_eq(random_seen.step, step);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- failures ---- */

static size_t preparations;

static thaw_status refuse_second(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    return ++preparations % 2 ? toy_scale.prepare(demand, needs)
                              : thaw_fail(demand->context, THAW_UNSUPPORTED, "not on this machine");
}

static thaw_status refuse_to_run(const thaw_layer_run *run)
{
    return thaw_fail(run->context, THAW_INTERNAL, "the kernel failed");
}

static void assert_step_fails(thaw_layer_module module, thaw_status status, const char *text)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = toy_model(context, WIDTH);
    toy_append(model, &toy_scale, "below", 0, -1);
    toy_append(model, &module, "a", 1, -1);
    toy_append(model, &module, "b", 2, -1);
    toy_append(model, &toy_quadratic, "loss", 3, -1);
    support_optimize(model, "sgd:lr=0.5");
    const float before = toy_value(model, "below.factor");
    for (int i = 0; i < 2; i++) {
        assert_fails(context, toy_step(model, BATCH, 1, NULL), status, text);
        cr_assert_eq(toy_value(model, "below.factor"), before, "nothing was updated");
        cr_assert_eq(model->steps, 0);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0, "%zu blocks leaked", allocator.live);
}

Test(kernels, that_fail_fail_the_step_and_leave_the_model)
{
    thaw_layer_module module = toy_scale;
    module.prepare = refuse_second;
    assert_step_fails(module, THAW_UNSUPPORTED, "not on this machine");
    module = toy_scale;
    module.forward = refuse_to_run;
    assert_step_fails(module, THAW_INTERNAL, "the kernel failed");
    module = toy_scale;
    module.backward = refuse_to_run;
    assert_step_fails(module, THAW_INTERNAL, "the kernel failed");
    module = toy_scale;
    module.prepare = prepare;
    module.pack = refuse_to_run;
    assert_step_fails(module, THAW_INTERNAL, "the kernel failed");
}
