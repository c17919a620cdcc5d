#include "train/packed_network.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "graph/model.h"
#include "params/keeping.h"
#include "support/network.h"

enum { SIDE = 6, SAMPLE = SIDE * SIDE * PACKED_CHANNELS };

const char *const packed_large[PACKED_LARGE] = { "conv1.weight", "conv2.weight", "dense.weight" };

static void convolve(thaw_model *model, const char *name, const char *norm, int64_t groups, thaw_node *node)
{
    const thaw_conv2d_options options = { .name = name,
                                          .filters = PACKED_FILTERS,
                                          .kernel = { 5, 5 },
                                          .same = true,
                                          .groups = groups,
                                          .no_bias = groups == 1 };
    thaw_context *context = thaw_model_context(model);
    assert_ok(context, thaw_conv2d(model, *node, &options, node));
    assert_ok(context, thaw_batch_norm(model, *node, &(thaw_batch_norm_options){ .name = norm }, node));
    assert_ok(context, thaw_relu(model, *node, NULL, node));
}

thaw_model *packed_build(thaw_context *context)
{
    thaw_model *model;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, PACKED_CHANNELS } }, &node));
    convolve(model, "conv1", "norm1", 1, &node);
    convolve(model, "conv2", "norm2", 2, &node);
    assert_ok(context, thaw_global_average_pool2d(model, node, NULL, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "dense", .units = 600 }, &node));
    assert_ok(context, thaw_relu(model, node, NULL, &node));
    assert_ok(context,
              thaw_dense(model, node, &(thaw_dense_options){ .name = "head", .units = PACKED_CLASSES }, &node));
    assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
    support_optimize(model, "sgd:lr=0.1,momentum=0.9");
    for (uint32_t i = 0; i < 2; i++) { /* scales of all signs and sizes */
        const char *const scales[] = { "norm1.weight", "norm2.weight" };
        support_fill(thaw_parameter_edit(thaw_model_find_parameter(model, scales[i])), PACKED_FILTERS, 70 + i);
    }
    assert_ok(context, thaw_model_freeze_before(model, "head"));
    return model;
}

void packed_destroy(thaw_model *model, thaw_model *other)
{
    thaw_context *context = thaw_model_context(model);
    thaw_model_destroy(model);
    thaw_model_destroy(other);
    thaw_context_destroy(context);
}

float packed_step(thaw_model *model, int64_t batch, uint32_t seed)
{
    float *samples = malloc((size_t)batch * SAMPLE * sizeof *samples);
    int32_t labels[64];
    support_fill(samples, (size_t)batch * SAMPLE, seed);
    for (int64_t i = 0; i < batch; i++)
        labels[i] = (int32_t)((i + seed) % PACKED_CLASSES);
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (int64_t[]){ batch, SIDE, SIDE, PACKED_CHANNELS }),
                      targets = thaw_view_i32(labels, 1, &batch);
    thaw_step_result result;
    assert_ok(thaw_model_context(model), thaw_step(model, &inputs, &targets, NULL, &result));
    free(samples);
    return (float)result.loss;
}

void packed_predict(thaw_model *model, int64_t batch, float *scores)
{
    float *samples = malloc((size_t)batch * SAMPLE * sizeof *samples);
    support_fill(samples, (size_t)batch * SAMPLE, 5);
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (int64_t[]){ batch, SIDE, SIDE, PACKED_CHANNELS }),
                      outputs = thaw_view_f32(scores, 2, (int64_t[]){ batch, PACKED_CLASSES });
    assert_ok(thaw_model_context(model), thaw_predict(model, &inputs, &outputs));
    free(samples);
}

size_t packed_resident_pages(const thaw_parameter *parameter)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t first = ((uintptr_t)parameter->data + page - 1) / page * page;
    const size_t count = ((uintptr_t)(parameter->data + parameter->count) / page * page - first) / page;
    unsigned char in_core[512];
    cr_assert(count > 0 && count <= sizeof in_core);
    cr_assert_eq(mincore((void *)first, count * page, in_core), 0);
    size_t resident = 0;
    for (size_t i = 0; i < count; i++)
        resident += in_core[i] & 1;
    return resident;
}

void packed_assert_same(const thaw_model *actual, const thaw_model *wanted)
{
    for (size_t i = 0; i < wanted->parameters.parameter_count; i++) {
        const thaw_parameter *a = actual->parameters.parameters[i], *b = wanted->parameters.parameters[i];
        float *values = malloc(2 * a->count * sizeof *values);
        thaw_parameter_read(a, 0, a->count, values);
        thaw_parameter_read(b, 0, b->count, values + a->count);
        cr_assert(memcmp(values, values + a->count, a->count * sizeof *values) == 0, "%s differs", a->name);
        free(values);
    }
}

void packed_assert_absent(thaw_model *model, bool absent)
{
    for (size_t i = 0; i < PACKED_LARGE; i++) {
        const thaw_parameter *parameter = thaw_model_find_parameter(model, packed_large[i]);
        cr_assert_eq(parameter->absent, absent, "%s", packed_large[i]);
        if (absent)
            cr_assert_eq(packed_resident_pages(parameter), 0, "%s: %zu pages", packed_large[i],
                         packed_resident_pages(parameter));
    }
}
