/* Steps and predictions of models with named inputs. */
#include <math.h>
#include <string.h>

#include "support/allocator.h"
#include "support/golden.h"
#include "support/network.h"
#include "train/named_network.h"

enum { STEPS = 30, BATCHES = 10, SAMPLES = 5 };

Test(named_inputs, train_as_in_pytorch)
{
    double expected[STEPS];
    golden_losses("named_inputs.txt", "both", expected, STEPS);
    thaw_context *context = support_context(2);
    thaw_model *model = named_network(context, "sgd:lr=0.1,momentum=0.9");
    for (uint32_t step = 0; step < STEPS; step++) {
        named_batch batch;
        thaw_step_result result;
        named_batch_fill(&batch, 4 + step % 3, step % BATCHES);
        assert_ok(context, thaw_step(model, batch.inputs, &batch.targets, NULL, &result));
        cr_assert(fabs(result.loss - expected[step]) <= 1e-5 * expected[step], "step %u: loss %.9g, PyTorch's %.9g",
                  step + 1, result.loss, expected[step]);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- beside a network of one input ---- */

enum { FIRST = 3, SECOND = 4, ALL = FIRST + SECOND };

/* Two inputs that are concatenated are the input of a network that has one. */
static thaw_model *build_twin(thaw_context *context, bool named)
{
    thaw_model *model = NULL;
    thaw_node x[2];
    assert_ok(context, thaw_model_create(context, &model));
    if (named) {
        assert_ok(context, thaw_named_input(model, &(thaw_input_options){ .shape = { 1, { FIRST } } }, &x[0]));
        assert_ok(context, thaw_named_input(model, &(thaw_input_options){ .shape = { 1, { SECOND } } }, &x[1]));
        assert_ok(context, thaw_concatenate(model, x, 2, NULL, &x[0]));
    } else {
        assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { ALL } }, &x[0]));
    }
    assert_ok(context, thaw_dense(model, x[0], &(thaw_dense_options){ .name = "one", .units = 6 }, &x[0]));
    assert_ok(context, thaw_relu(model, x[0], NULL, &x[0]));
    assert_ok(context, thaw_dense(model, x[0], &(thaw_dense_options){ .name = "two", .units = 3 }, &x[0]));
    assert_ok(context, thaw_mse(model, x[0], NULL, &x[0]));
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        support_fill(thaw_parameter_edit(parameter), thaw_shape_count(thaw_parameter_shape(parameter)),
                     (uint32_t)i + 1);
    }
    support_optimize(model, "adam:lr=1e-2");
    return model;
}

typedef struct twin_batch {
    float all[SAMPLES * ALL], first[SAMPLES * FIRST], second[SAMPLES * SECOND], targets[SAMPLES * 3];
} twin_batch;

static void fill_twin(twin_batch *b, uint32_t seed)
{
    support_fill(b->all, THAW_COUNT(b->all), seed);
    support_fill(b->targets, THAW_COUNT(b->targets), seed + 1);
    for (size_t i = 0; i < SAMPLES; i++) {
        memcpy(b->first + i * FIRST, b->all + i * ALL, FIRST * sizeof(float));
        memcpy(b->second + i * SECOND, b->all + i * ALL + FIRST, SECOND * sizeof(float));
    }
}

Test(named_inputs, give_the_bits_of_a_network_with_one_input)
{
    thaw_context *context = support_context(2);
    thaw_model *models[2] = { build_twin(context, false), build_twin(context, true) };
    for (uint32_t step = 0; step < 12; step++) {
        twin_batch b;
        fill_twin(&b, 10 * step);
        const thaw_tensor all = thaw_view_f32(b.all, 2, (int64_t[]){ SAMPLES, ALL });
        const thaw_tensor parts[2] = { thaw_view_f32(b.first, 2, (int64_t[]){ SAMPLES, FIRST }),
                                       thaw_view_f32(b.second, 2, (int64_t[]){ SAMPLES, SECOND }) };
        const thaw_tensor targets = thaw_view_f32(b.targets, 2, (int64_t[]){ SAMPLES, 3 });
        const thaw_step_options options = { .shards = 1 + step % 2 };
        assert_ok(context, thaw_step(models[0], &all, &targets, &options, NULL));
        assert_ok(context, thaw_step(models[1], parts, &targets, &options, NULL));
        float out[2][SAMPLES * 3];
        for (size_t m = 0; m < 2; m++) {
            const thaw_tensor outputs = thaw_view_f32(out[m], 2, (int64_t[]){ SAMPLES, 3 });
            assert_ok(context, thaw_predict(models[m], m ? parts : &all, &outputs));
        }
        cr_assert_arr_eq(out[0], out[1], sizeof out[0], "step %u", step);
    }
    size_t counts[2];
    float *weights[2] = { support_weights(models[0], &counts[0]), support_weights(models[1], &counts[1]) };
    cr_assert_eq(counts[0], counts[1]);
    cr_assert_arr_eq(weights[0], weights[1], counts[0] * sizeof(float));
    for (size_t m = 0; m < 2; m++) {
        free(weights[m]);
        thaw_model_destroy(models[m]);
    }
    thaw_context_destroy(context);
}

/* ---- what is refused ---- */

Test(named_inputs, are_named_where_a_batch_does_not_fit)
{
    thaw_context *context = support_context(1);
    thaw_model *model = named_network(context, "sgd:lr=0.1");
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    const thaw_tensor ids = batch.inputs[0], numbers = batch.inputs[1];
    assert_fails(context, thaw_step(model, NULL, &batch.targets, NULL, NULL), THAW_INVALID_ARGUMENT, "missing");
    batch.inputs[0] = numbers;
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_INVALID_ARGUMENT,
                 "ids must be int32 numbers");
    batch.inputs[0] = ids;
    batch.inputs[1] = ids;
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_INVALID_ARGUMENT,
                 "numbers must be floats");
    batch.inputs[1] = thaw_view_f32(batch.numbers, 2, (int64_t[]){ SAMPLES, NAMED_NUMBERS - 1 });
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_SHAPE_MISMATCH,
                 "numbers have shape [5, 2]");
    batch.inputs[1] = thaw_view_f32(batch.numbers, 2, (int64_t[]){ SAMPLES - 1, NAMED_NUMBERS });
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_SHAPE_MISMATCH,
                 "numbers has 4 samples, but ids has 5");
    batch.inputs[1] = numbers;
    batch.ids[NAMED_LENGTH + 2] = (1 << 24) + 1;
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_INVALID_ARGUMENT,
                 "ids: value 2 of sample 1 is 16777217");
    batch.ids[NAMED_LENGTH + 2] = NAMED_ROWS;
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_INVALID_ARGUMENT,
                 "value 2 of ids of sample 1 of the batch is 13, must be from 0 to 12: table has 13 rows");
    batch.ids[NAMED_LENGTH + 2] = -1;
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_INVALID_ARGUMENT,
                 "value 2 of ids of sample 1 of the batch is -1, must be from 0 to 12");
    float scores[SAMPLES * NAMED_CLASSES];
    const thaw_tensor outputs = thaw_view_f32(scores, 2, (int64_t[]){ SAMPLES, NAMED_CLASSES });
    assert_fails(context, thaw_predict(model, batch.inputs, &outputs), THAW_INVALID_ARGUMENT,
                 "value 2 of ids of sample 1 of the batch is -1, must be from 0 to 12");
    batch.ids[NAMED_LENGTH + 2] = 0;
    batch.numbers[2 * NAMED_NUMBERS + 1] = NAN;
    assert_fails(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL), THAW_NOT_FINITE,
                 "value 1 of numbers of sample 2 of the batch is nan");
    batch.numbers[2 * NAMED_NUMBERS + 1] = 0;
    assert_ok(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A list is a batch of an input of one number. */
Test(named_inputs, of_one_number_may_be_a_list)
{
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    thaw_node x[2];
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_named_input(model, &(thaw_input_options){ .name = "a", .dtype = THAW_I32 }, &x[0]));
    assert_ok(context, thaw_named_input(model, &(thaw_input_options){ .name = "b" }, &x[1]));
    assert_ok(context, thaw_subtract(model, x[0], x[1], NULL, &x[0]));
    const int32_t a[3] = { 5, -7, 1 << 24 };
    const float b[3] = { 0.5F, 2, 1 };
    float difference[3];
    const int64_t count = 3;
    const thaw_tensor inputs[] = { thaw_view_i32(a, 1, &count), thaw_view_f32(b, 1, &count) };
    const thaw_tensor outputs = thaw_view_f32(difference, 2, (int64_t[]){ 3, 1 });
    assert_ok(context, thaw_predict(model, inputs, &outputs));
    cr_assert_arr_eq(difference, ((float[]){ 4.5F, -9, 16777215 }), sizeof difference);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- freezing and memory ---- */

Test(named_inputs, freeze_and_keep_their_bytes)
{
    thaw_context *context = support_context(2);
    thaw_model *model = named_network(context, "adam:lr=1e-2");
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 3);
    assert_ok(context, thaw_model_freeze(model, "table|reader"));
    size_t count;
    float *before = support_weights(model, &count);
    assert_ok(context, thaw_step(model, batch.inputs, &batch.targets, NULL, NULL));
    float *after = support_weights(model, &count);
    const size_t frozen = NAMED_ROWS * 6 + 16 * 6 + 16 * 4 + 16 + 16;
    cr_assert_arr_eq(before, after, frozen * sizeof(float));
    cr_assert(memcmp(before + frozen, after + frozen, (count - frozen) * sizeof(float)) != 0);
    free(before);
    free(after);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_status build_and_step(thaw_context *context, thaw_model **model)
{
    named_batch batch;
    named_batch_fill(&batch, SAMPLES, 1);
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_model_create(context, model);
    if (status == THAW_OK)
        status = named_network_build(*model);
    if (status == THAW_OK)
        status = thaw_optimizer_create(context, "sgd:lr=0.1", &optimizer);
    if (status == THAW_OK)
        status = thaw_select_optimizer(*model, "*", optimizer);
    if (status == THAW_OK)
        status = thaw_step(*model, batch.inputs, &batch.targets, NULL, NULL);
    thaw_optimizer_destroy(optimizer);
    return status;
}

Test(named_inputs, survive_each_failing_allocation)
{
    support_allocator allocator = { 0 };
    size_t failures = 0;
    for (size_t at = 1;; at++) {
        allocator = (support_allocator){ 0 };
        thaw_context *context = support_context_on(&allocator);
        allocator.calls = 0;
        allocator.fail_at = at;
        thaw_model *model = NULL;
        const thaw_status status = build_and_step(context, &model);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
        cr_assert_eq(allocator.live, 0, "%zu blocks leaked at allocation %zu", allocator.live, at);
        if (status == THAW_OK)
            break;
        cr_assert_eq(status, THAW_OUT_OF_MEMORY, "allocation %zu: %s", at, thaw_status_name(status));
        failures++;
    }
    cr_assert_gt(failures, 20);
}
