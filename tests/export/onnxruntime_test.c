/* What ONNX Runtime makes of exported networks. Skipped where Python has no onnxruntime: pip install onnx onnxruntime.
   */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/networks.h"
#include "support/assorted_network.h"
#include "support/files.h"
#include "support/layer_kinds.h"
#include "support/random_network.h"
#include "train/named_network.h"

enum { SAMPLES = 3, RANDOM_NETWORKS = 200, CLASSES = 10 };

static bool has_onnxruntime(void)
{
    return system("python3 -c 'import numpy, onnx, onnxruntime' 2>/dev/null") == 0;
}

#define SKIP_WITHOUT_ONNXRUNTIME()                     \
    do {                                               \
        if (!has_onnxruntime())                        \
            cr_skip_test("Python has no onnxruntime"); \
    } while (0)

/* ---------------------------------------------------------------- files */

/* Writes a batch of samples; images with their channels first. */
static void write_batch(const char *path, const float *values, size_t samples, const thaw_shape *sample)
{
    const size_t count = thaw_shape_count(sample), channels = sample->rank == 3 ? (size_t)sample->dims[2] : 1;
    const size_t places = count / channels;
    float *ordered = malloc(samples * count * sizeof *ordered);
    for (size_t n = 0; n < samples; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t i = 0; i < places; i++)
                ordered[n * count + c * places + i] = values[n * count + i * channels + c];
    support_write_file(path, ordered, samples * count * sizeof *ordered);
    free(ordered);
}

static const char *file_path(char path[SUPPORT_PATH_BYTES], const char *folder, const char *name, const char *kind)
{
    char file[128];
    snprintf(file, sizeof file, "%s.%s", name, kind);
    return support_path(path, folder, file);
}

/* Writes NAME.onnx, NAME.input and NAME.output, what Thaw computes. */
static void write_network(const char *folder, const char *name, thaw_model *model, const float *inputs, size_t samples)
{
    thaw_context *context = thaw_model_context(model);
    char path[SUPPORT_PATH_BYTES];
    const thaw_shape *sample = thaw_model_node_shape(model, 0);
    const thaw_shape *result = thaw_model_node_shape(model, thaw_model_output(model));
    thaw_tensor given = { .dtype = THAW_F32,
                          .shape = { sample->rank + 1, { (int64_t)samples } },
                          .data = (float *)(uintptr_t)inputs };
    thaw_tensor computed = { .dtype = THAW_F32, .shape = { result->rank + 1, { (int64_t)samples } } };
    memcpy(given.shape.dims + 1, sample->dims, sizeof(int64_t) * (size_t)sample->rank);
    memcpy(computed.shape.dims + 1, result->dims, sizeof(int64_t) * (size_t)result->rank);
    computed.data = malloc(samples * thaw_shape_count(result) * sizeof(float));
    assert_ok(context, thaw_export_onnx(model, file_path(path, folder, name, "onnx"), NULL));
    assert_ok(context, thaw_predict(model, &given, &computed));
    write_batch(file_path(path, folder, name, "input"), inputs, samples, sample);
    write_batch(file_path(path, folder, name, "output"), computed.data, samples, result);
    free(computed.data);
}

/* The script fails if a network's outputs differ, and prints the largest difference. */
static void compare(const char *folder, size_t count)
{
    char command[SUPPORT_PATH_BYTES * 3];
    const char *root = getenv("THAW_SOURCE_ROOT");
    cr_assert_not_null(root, "THAW_SOURCE_ROOT is not set: run the tests through meson");
    snprintf(command, sizeof command, "python3 %s/tests/export/compare.py %s %zu >&2", root, folder, count);
    cr_assert_eq(system(command), 0);
    support_remove_tree(folder);
}

static float *make_samples(const thaw_model *model, size_t samples, bool ids)
{
    const size_t count = samples * thaw_shape_count(thaw_model_node_shape(model, 0));
    float *values = malloc(count * sizeof *values);
    support_fill(values, count, 3);
    for (size_t i = 0; ids && i < count; i++)
        values[i] = floorf((values[i] + 1) / 2 * EXPORTED_IDS);
    return values;
}

/* ---------------------------------------------------------------- tests */

/* NAME.ids and NAME.numbers are the inputs; ids are written as floats. */
Test(onnxruntime, gives_the_outputs_of_named_inputs)
{
    SKIP_WITHOUT_ONNXRUNTIME();
    char folder[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    float ids[SAMPLES * NAMED_LENGTH], outputs[SAMPLES * NAMED_CLASSES];
    named_batch batch;
    support_make_directory(folder);
    thaw_context *context = support_context(2);
    thaw_model *model = named_network(context, "sgd:lr=0.1");
    named_batch_fill(&batch, SAMPLES, 1);
    for (size_t i = 0; i < SAMPLES * NAMED_LENGTH; i++)
        ids[i] = (float)batch.ids[i];
    const thaw_tensor computed = thaw_view_f32(outputs, 2, (int64_t[]){ SAMPLES, NAMED_CLASSES });
    assert_ok(context, thaw_predict(model, batch.inputs, &computed));
    assert_ok(context, thaw_export_onnx(model, file_path(path, folder, "named", "onnx"), NULL));
    support_write_file(file_path(path, folder, "named", "ids"), ids, sizeof ids);
    support_write_file(file_path(path, folder, "named", "numbers"), batch.numbers,
                       SAMPLES * NAMED_NUMBERS * sizeof(float));
    support_write_file(file_path(path, folder, "named", "output"), outputs, sizeof outputs);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    compare(folder, 1);
}

Test(onnxruntime, gives_the_outputs_of_every_option_of_a_layer)
{
    SKIP_WITHOUT_ONNXRUNTIME();
    char folder[SUPPORT_PATH_BYTES];
    support_make_directory(folder);
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < exported_network_count(); i++) {
        thaw_model *model = exported_network_build(context, i);
        float *inputs = make_samples(model, SAMPLES, exported_network_at(i)->ids);
        write_network(folder, exported_network_at(i)->name, model, inputs, SAMPLES);
        free(inputs);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
    compare(folder, exported_network_count());
}

/* Every kind of layer, low-rank changes, masks and scales. Half precision would differ from what is exported. */
Test(onnxruntime, gives_the_outputs_of_random_networks, .timeout = 300)
{
    SKIP_WITHOUT_ONNXRUNTIME();
    char folder[SUPPORT_PATH_BYTES];
    layer_kinds kinds = { .count = 0 };
    support_make_directory(folder);
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < RANDOM_NETWORKS; i++) {
        char name[32];
        assorted_network network = assorted_open(context, i);
        snprintf(name, sizeof name, "random%zu", i);
        assert_ok(context, thaw_model_set_precision(network.model, &(thaw_precision){ .all = THAW_F32 }));
        random_parameters(network.model);
        write_network(folder, name, network.model, network.inputs.data, ASSORTED_SAMPLES);
        layer_kinds_add(&kinds, network.model);
        assorted_close(&network);
    }
    thaw_context_destroy(context);
    layer_kinds_assert_all(&kinds);
    compare(folder, RANDOM_NETWORKS);
}

/* At a size that each network takes: VGG's pooling only goes with few, and DINOv2 has patches of 14. */
static void build_small(thaw_model *model, const thaw_zoo_entry *entry)
{
    char text[64];
    const int size = strncmp(entry->name, "vgg", 3) == 0 ? 32 : strncmp(entry->name, "dinov2", 6) == 0 ? 56 : 64;
    const int64_t side = entry->sample_shape.dims[0];
    if (side <= 64)
        snprintf(text, sizeof text, "%s", entry->name);
    else
        snprintf(text, sizeof text, "%s:size=%d", entry->name, size);
    assert_ok(thaw_model_context(model), thaw_zoo_build(model, text, CLASSES));
    random_parameters(model);
}

Test(onnxruntime, gives_the_outputs_of_the_zoo, .timeout = 300)
{
    SKIP_WITHOUT_ONNXRUNTIME();
    thaw_context *context = support_context(2);
    const thaw_zoo_entry *entry;
    for (size_t i = 0; (entry = thaw_zoo_entry_at(i)); i++) {
        if (entry->text)
            continue;
        char folder[SUPPORT_PATH_BYTES];
        thaw_model *model;
        support_make_directory(folder);
        assert_ok(context, thaw_model_create(context, &model));
        build_small(model, entry);
        float *inputs = make_samples(model, SAMPLES, false);
        write_network(folder, entry->name, model, inputs, SAMPLES);
        free(inputs);
        thaw_model_destroy(model);
        compare(folder, 1);
    }
    thaw_context_destroy(context);
}
