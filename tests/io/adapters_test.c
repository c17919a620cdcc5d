/* Adapters in files: saved beside their weights, with what is needed to compute with them. */
#include <string.h>

#include "io/safetensors.h"
#include "support/files.h"
#include "support/support.h"

enum { CLASSES = 3, INPUTS = 784 };

static thaw_context *context;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    context = support_context(1);
    support_make_directory(directory);
    support_path(path, directory, "file.safetensors");
}

static void end(void)
{
    support_remove_directory(directory);
    thaw_context_destroy(context);
}

TestSuite(noted_adapters, .init = begin, .fini = end);

static thaw_model *build(void)
{
    thaw_model *model;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, "transfer-cnn", CLASSES));
    return model;
}

static void predict(thaw_model *model, float logits[CLASSES])
{
    float samples[INPUTS];
    support_fill(samples, INPUTS, 7);
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (int64_t[]){ 1, 28, 28, 1 });
    const thaw_tensor outputs = thaw_view_f32(logits, 2, (int64_t[]){ 1, CLASSES });
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
}

/* Adapters that change the outputs: lora_B is zero at first. */
static void adapt(thaw_model *model, const char *pattern, int64_t rank, double alpha)
{
    assert_ok(context, thaw_lora(model, pattern, rank, alpha));
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        if (strstr(thaw_parameter_name(parameter), ".lora_B"))
            support_fill(thaw_parameter_edit(parameter), thaw_shape_count(thaw_parameter_shape(parameter)),
                         (uint32_t)i);
    }
}

Test(noted_adapters, compute_the_same_when_read_back)
{
    float plain[CLASSES], adapted[CLASSES], loaded[CLASSES];
    thaw_model *model = build();
    predict(model, plain);
    adapt(model, "dense*", 3, 0.7);
    adapt(model, "conv2", 2, -5);
    predict(model, adapted);
    cr_assert_neq(memcmp(plain, adapted, sizeof plain), 0);
    assert_ok(context, thaw_weights_save(model, path));
    thaw_model_destroy(model);

    model = build();
    assert_ok(context, thaw_weights_add_adapters(model, path, NULL));
    assert_ok(context, thaw_weights_add_adapters(model, path, NULL)); /* it has them all now */
    assert_ok(context, thaw_weights_load(model, path, NULL, NULL));
    predict(model, loaded);
    for (int i = 0; i < CLASSES; i++)
        cr_assert_eq(loaded[i], adapted[i], "%d: %g, wanted %g", i, (double)loaded[i], (double)adapted[i]);
    cr_assert(!thaw_parameter_trainable(thaw_model_find_parameter(model, "conv2.weight")));
    cr_assert(thaw_parameter_trainable(thaw_model_find_parameter(model, "conv1.weight")));
    thaw_model_destroy(model);
}

Test(noted_adapters, stay_away_from_excepted_weights)
{
    thaw_model *model = build();
    adapt(model, "dense*|conv2", 2, 2);
    assert_ok(context, thaw_weights_save(model, path));
    thaw_model_destroy(model);
    model = build();
    assert_ok(context, thaw_weights_add_adapters(model, path, "dense2|conv2.weight"));
    cr_assert_not_null(thaw_model_find_parameter(model, "dense1.weight.lora_A"));
    cr_assert_null(thaw_model_find_parameter(model, "dense2.weight.lora_A"));
    cr_assert_null(thaw_model_find_parameter(model, "conv2.weight.lora_A"));
    assert_fails(context, thaw_weights_add_adapters(model, path, "["), THAW_INVALID_ARGUMENT, "pattern");
    thaw_model_destroy(model);
}

Test(noted_adapters, of_a_hostile_file_are_errors)
{
    static const struct {
        const char *note;
        thaw_status status;
    } cases[] = {
        { "[\"dense1.weight\"]", THAW_BAD_FORMAT },
        { "[\"dense1.weight:rank=0,alpha=1\"]", THAW_BAD_FORMAT },
        { "[\"dense1.weight:rank=1.5,alpha=1\"]", THAW_BAD_FORMAT },
        { "[\"dense1.weight:rank=1,alpha=nan\"]", THAW_BAD_FORMAT },
        { "[\"dense1.weight:rank=1\"]", THAW_BAD_FORMAT },
        { "[\"dense1.weight:alpha=1,rank=1\"]", THAW_BAD_FORMAT },
        { "[\"dense1.weight:rank=1e30,alpha=1\"]", THAW_BAD_FORMAT },
        { "dense1", THAW_BAD_FORMAT },
        { "[\"dense1.weight:rank=1000,alpha=1\"]", THAW_INVALID_ARGUMENT },
        { "[\"dense1.bias:rank=1,alpha=1\"]", THAW_NOT_FOUND },
        { "[\"absent.weight:rank=1,alpha=1\"]", THAW_OK },
        { "[]", THAW_OK },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_model *model = build();
        const thaw_named_text note = { "thaw.adapters", cases[i].note };
        assert_ok(context, thaw_safetensors_write(context, path, NULL, 0, &note, 1, NULL));
        const size_t before = thaw_model_parameter_count(model);
        const thaw_status status = thaw_weights_add_adapters(model, path, NULL);
        cr_assert_eq(status, cases[i].status, "%s: %s: %s", cases[i].note, thaw_status_name(status),
                     thaw_context_message(context));
        cr_assert_eq(thaw_model_parameter_count(model), before);
        thaw_model_destroy(model);
    }
}
