/* Networks by description: what the options mean, and what backbones are made of. */
#include <string.h>
#include <thaw/layers.h>
#include <thaw/zoo.h>

#include "support/support.h"

static thaw_model *build(thaw_context *context, const char *description, size_t classes)
{
    thaw_model *model = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, description, classes));
    return model;
}

/* Totals at 1000 classes as published: torchvision's `_meta["num_params"]`, and timm's models; DINOv2 has no classes.
   Hugging Face's networks of text have two classes, GPT-2 none. Statistics are two a channel of batch normalisation. */
Test(zoo, backbones_have_the_published_number_of_parameters)
{
    const struct {
        const char *name;
        size_t parameters, statistics;
    } cases[] = {
        { "resnet18", 11689512, 9600 },
        { "resnet34", 21797672, 17024 },
        { "resnet50", 25557032, 53120 },
        { "vgg16", 138357544, 0 },
        { "vgg16-bn", 138365992, 8448 },
        { "mobilenet-v2", 3504872, 34112 },
        { "mobilenetv2-100", 3504872, 34112 },
        { "efficientnet-lite0", 4652008, 42016 },
        { "vit-tiny", 5717416, 0 },
        { "vit-small", 22050664, 0 },
        { "vit-base", 86567656, 0 },
        { "deit-small", 22050664, 0 },
        { "dinov2-small", 22056192 + 385000, 0 },
        { "vit", 86567656, 0 },
        { "convnext-tiny", 28589128, 0 },
        { "bert-base", 109482240 + 2 * 769, 0 },
        { "minilm-l6", 22713216 + 2 * 385, 0 },
        { "distilbert", 66362880 + 768 * 769 + 2 * 769, 0 },
        { "gpt2", 124439808, 0 },
    };
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_model *model = NULL;
        thaw_node node;
        assert_ok(context, thaw_model_create(context, &model));
        assert_ok(context, thaw_zoo_network(model, cases[i].name, 0, &node));
        const thaw_summary_totals totals = thaw_model_summary_totals(model);
        cr_assert_eq(totals.total_parameters, cases[i].parameters, "%s: %zu", cases[i].name, totals.total_parameters);
        cr_assert_eq(totals.trainable_parameters, cases[i].parameters);
        cr_assert_eq(totals.non_trainable_parameters, 0);
        cr_assert_eq(totals.statistics, cases[i].statistics, "%s: %zu", cases[i].name, totals.statistics);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

Test(zoo, a_size_changes_the_input_and_no_parameter)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context, "resnet18:size=64", 5);
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, 0), &(thaw_shape){ 3, { 64, 64, 3 } }));
    cr_assert(thaw_shape_equal(thaw_parameter_shape(thaw_model_find_parameter(model, "fc.weight")),
                               &(thaw_shape){ 2, { 5, 512 } }));
    cr_assert_eq(thaw_model_summary_totals(model).total_parameters, 11689512 - 995 * 513);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(zoo, transformers_take_multiples_of_their_patches)
{
    thaw_context *context = support_context(2);
    thaw_model *model = build(context, "dinov2-small:size=42", 5);
    cr_assert(thaw_shape_equal(thaw_parameter_shape(thaw_model_find_parameter(model, "pos_embed")),
                               &(thaw_shape){ 3, { 1, 10, 384 } }));
    thaw_model_destroy(model);
    assert_ok(context, thaw_model_create(context, &model));
    assert_fails(context, thaw_zoo_build(model, "vit-tiny:size=100", 2), THAW_SHAPE_MISMATCH,
                 "size is 100, must be a multiple of 16");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static bool has_kind(thaw_model *model, const char *kind)
{
    thaw_summary_entry row;
    for (size_t i = 0; i < thaw_model_node_count(model); i++) {
        assert_ok(thaw_model_context(model), thaw_model_summary_entry(model, i, &row));
        if (strcmp(row.kind, kind) == 0)
            return true;
    }
    return false;
}

Test(zoo, dropout_is_torchvisions_or_what_was_asked_for)
{
    const struct {
        const char *description;
        bool drops;
    } cases[] = {
        { "mobilenet-v2", true },        { "mobilenet-v2:size=64,dropout=0", false },
        { "efficientnet-lite0", false }, { "efficientnet-lite0:dropout=0.2,size=96", true },
        { "resnet18", false },           { "resnet18:dropout=0.2,size=64", true },
        { "mlp-500:dropout=0.2", true }, { "vit-tiny:size=32", false },
    };
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_model *model = build(context, cases[i].description, 2);
        cr_assert_eq(has_kind(model, "dropout"), cases[i].drops, "%s", cases[i].description);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

Test(zoo, stochastic_depth_is_only_what_was_asked_for)
{
    static const char *const cases[][2] = { { "vit-tiny:size=32", "vit-tiny:size=32,drop-path=0.1" },
                                            { "convnext-tiny:size=32", "convnext-tiny:drop-path=0.1,size=32" } };
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        for (int drops = 0; drops < 2; drops++) {
            thaw_model *model = build(context, cases[i][drops], 2);
            cr_assert_eq(has_kind(model, "stochastic_depth"), drops, "%s", cases[i][drops]);
            thaw_model_destroy(model);
        }
    thaw_context_destroy(context);
}

/* torchvision pools to 7x7 whatever comes; Thaw where every window is of one size. */
Test(zoo, vgg_says_when_it_cannot_pool_to_7x7)
{
    thaw_context *context = support_context(2);
    thaw_model *model = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    assert_fails(context, thaw_zoo_build(model, "vgg16:size=96", 2), THAW_SHAPE_MISMATCH,
                 "features of 3x3 cannot be pooled to 7x7");
    thaw_model_destroy(model);
    assert_ok(context, thaw_model_create(context, &model));
    assert_fails(context, thaw_zoo_build(model, "vgg16:size=16", 2), THAW_SHAPE_MISMATCH, "max_pool2d");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(zoo, refuses_what_it_does_not_know)
{
    const struct {
        const char *description;
        thaw_status status;
        const char *message;
    } cases[] = {
        { "resnet", THAW_NOT_FOUND, "unknown model \"resnet\", did you mean \"resnet18\"?; known: transfer-cnn" },
        { "", THAW_NOT_FOUND, "unknown model \"\"" },
        { "resnet18:", THAW_INVALID_ARGUMENT, "resnet18: \"\", must be NAME=VALUE" },
        { "resnet18:size", THAW_INVALID_ARGUMENT, "resnet18: \"size\", must be NAME=VALUE" },
        { "resnet18:size=64,", THAW_INVALID_ARGUMENT, "resnet18: \"\", must be NAME=VALUE" },
        { "resnet18:sise=64", THAW_NOT_FOUND, "did you mean \"size\"?" },
        { "resnet18:size=64,size=64", THAW_INVALID_ARGUMENT, "resnet18: size is given twice" },
        { "resnet18:size=0", THAW_INVALID_ARGUMENT, "\"size=0\", must be a whole number from 1" },
        { "resnet18:size=64.5", THAW_INVALID_ARGUMENT, "\"size=64.5\", must be a whole number from 1" },
        { "resnet18:size=1e30", THAW_INVALID_ARGUMENT, "\"size=1e30\", must be a whole number from 1" },
        { "resnet18:size=nan", THAW_INVALID_ARGUMENT, "\"size=nan\", must be a whole number from 1" },
        { "resnet18:dropout=1", THAW_INVALID_ARGUMENT, "resnet18: \"dropout=1\", must be at least 0 and below 1" },
        { "resnet18:dropout=-0.1", THAW_INVALID_ARGUMENT, "\"dropout=-0.1\", must be at least 0" },
    };
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        assert_fails(context, thaw_zoo_check(context, cases[i].description), cases[i].status, cases[i].message);
        assert_fails(context, thaw_zoo_build(model, cases[i].description, 0), cases[i].status, cases[i].message);
        cr_assert_eq(thaw_model_node_count(model), 0);
    }
    assert_ok(context, thaw_zoo_check(context, "transfer-cnn:size=20"));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(zoo, refuses_a_model_that_has_layers_and_more_classes_than_there_can_be)
{
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    assert_fails(context, thaw_zoo_build(model, "mlp-500", (size_t)1 << 40), THAW_INVALID_ARGUMENT, "too many");
    assert_ok(context, thaw_zoo_build(model, "mlp-500", 3));
    assert_fails(context, thaw_zoo_build(model, "mlp-500", 3), THAW_INVALID_ARGUMENT, "the model must be empty");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
