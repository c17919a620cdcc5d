/* How files have the weights of networks of text. */
#include <stdlib.h>
#include <string.h>
#include <thaw/weights.h>
#include <thaw/zoo.h>

#include "io/safetensors.h"
#include "models/text_batch.h"
#include "support/files.h"

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(path, directory, "weights.safetensors");
}

static void end(void)
{
    support_remove_directory(directory);
}

/* As Hugging Face has GPT-2's: [inputs, outputs], and no head. */
Test(text_files, have_transposed_weights_in_files, .init = begin, .fini = end)
{
    static float outputs[2][TEXT_IDS * TEXT_VOCABULARY];
    thaw_context *context = support_context(2);
    thaw_node node;
    thaw_model *model = text_network(context, "gpt2", "", &node), *other = text_network(context, "gpt2", "", &node);
    thaw_safetensors file;
    text_batch batch;
    text_batch_fill(&batch);
    assert_ok(context, thaw_weights_save(model, path));
    assert_ok(context, thaw_safetensors_open(context, path, &file));
    cr_assert_null(thaw_safetensors_find(&file, "lm_head.weight"));
    const thaw_stored_tensor *stored = thaw_safetensors_find(&file, "transformer.h.1.attn.c_attn.weight");
    cr_assert(thaw_shape_equal(&stored->shape, &(thaw_shape){ 2, { 16, 48 } }));
    float values[16 * 48];
    assert_ok(context, thaw_safetensors_read(&file, stored, values));
    thaw_safetensors_close(&file);
    const float *own = thaw_parameter_data(thaw_model_find_parameter(model, "transformer.h.1.attn.c_attn.weight"));
    for (int i = 0; i < 16; i++)
        for (int o = 0; o < 48; o++)
            cr_assert_eq(values[i * 48 + o], own[o * 16 + i], "input %d, output %d", i, o);
    for (size_t i = 0; i < thaw_model_parameter_count(other); i++)
        assert_ok(context, thaw_model_reset(other, thaw_parameter_name(thaw_model_parameter(other, i))));
    assert_ok(context, thaw_weights_load(other, path, NULL, NULL));
    text_predict(model, &batch, outputs[0]);
    text_predict(other, &batch, outputs[1]);
    cr_assert_arr_eq(outputs[0], outputs[1], sizeof outputs[0]);
    thaw_model_destroy(model);
    thaw_model_destroy(other);
    thaw_context_destroy(context);
}

/* A bare BertModel's file has neither the names' beginning nor a classifier, but may have positions' numbers. */
Test(text_files, load_files_of_bare_models, .init = begin, .fini = end)
{
    enum { WIDTH = 8 };
    const char description[] = "bert-base:layers=1,width=8,heads=2,hidden=12,vocabulary=9,positions=10,head=none";
    const thaw_load_options options = { .renamings = &(thaw_renaming){ "", "bert." }, .renaming_count = 1 };
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_network(model, description, 0, &node));
    const size_t count = thaw_model_parameter_count(model);
    thaw_named_tensor *tensors = calloc(count + 1, sizeof *tensors);
    for (size_t i = 0; i < count; i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        cr_assert_eq(strncmp(thaw_parameter_name(parameter), "bert.", 5), 0);
        tensors[i] = (thaw_named_tensor){ .name = thaw_parameter_name(parameter) + 5,
                                          .shape = *thaw_parameter_shape(parameter),
                                          .data = thaw_parameter_data(parameter) };
    }
    float numbers[10] = { 0 };
    tensors[count] = (thaw_named_tensor){ "embeddings.position_ids", { 2, { 1, 10 } }, numbers, THAW_F32 };
    assert_ok(context, thaw_safetensors_write(context, path, tensors, count + 1, NULL, 0, NULL));
    assert_fails(context, thaw_weights_load(model, path, NULL, NULL), THAW_NOT_FOUND, "missing from the file");
    assert_ok(context, thaw_weights_load(model, path, &options, NULL));
    free(tensors);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
