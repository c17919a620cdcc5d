#include <math.h>

#include "support/golden.h"
#include "support/normalisation.h"

static const double epsilon = 1e-3;

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    int64_t batch;
    thaw_shape sample;
    int64_t groups;
    bool no_affine;
} problem;

static const problem problems[] = {
    { "vector", 3, { 1, { 6 } }, 2, false },
    { "one group", 2, { 3, { 3, 2, 5 } }, 1, false },
    { "each channel", 2, { 3, { 4, 3, 7 } }, 7, false },
    { "image", 1, { 3, { 5, 4, 18 } }, 3, false },
    { "plain", 2, { 2, { 3, 6 } }, 2, true },
    { NULL, 1, { 1, { 1 } }, 1, false },
    { NULL, 3, { 3, { 20, 30, 34 } }, 2, false },
    { NULL, 90, { 2, { 3, 20 } }, 5, false },
};

static layer open_layer(thaw_context *context, thaw_model **model, const problem *p, const layer_wish *wish)
{
    const thaw_group_norm_options options = { .groups = p->groups, .epsilon = epsilon, .no_affine = p->no_affine };
    thaw_node node = 0;
    *model = layer_model(context, p->sample.rank, p->sample.dims);
    assert_ok(context, thaw_group_norm(*model, node, &options, &node));
    layer_wish asked = *wish;
    asked.batch = p->batch;
    return layer_open(*model, &asked);
}

static void check(const problem *p, const layer_wish *wish, int threads)
{
    thaw_context *context = support_context(threads);
    thaw_model *model;
    layer l = open_layer(context, &model, p, wish);
    const size_t channels = (size_t)p->sample.dims[p->sample.rank - 1];
    const support_normalisation n = { (size_t)p->batch, thaw_shape_count(&p->sample) / channels, channels,
                                      (size_t)p->groups, epsilon };
    cr_assert_eq(l.needs.keeps_inputs, wish->input_gradients || wish->parameter_gradient[0]);
    support_check_normalisation(&l, &n);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(group_norm, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (unsigned how = 0; how < 8; how++) {
            layer_wish wish = { .training = how, .input_gradients = how & 1 };
            wish.parameter_gradient[0] = how & 2 && !problems[i].no_affine;
            wish.parameter_gradient[1] = how & 4 && !problems[i].no_affine;
            check(&problems[i], &wish, how & 1 ? 2 : 1);
        }
}

Test(group_norm, reads_and_writes_bfloat16)
{
    skip_without_bfloat16();
    for (size_t i = 0; i < THAW_COUNT(problems); i++) {
        layer_wish wish = { .bfloat16 = true };
        check(&problems[i], &wish, 1);
        wish.in_place = true;
        check(&problems[i], &wish, 2);
        wish = (layer_wish){ .bfloat16 = true, .training = true, .input_gradients = true };
        wish.parameter_gradient[0] = !problems[i].no_affine;
        wish.parameter_gradient[1] = !problems[i].no_affine;
        check(&problems[i], &wish, 2);
    }
}

Test(group_norm, runs_in_place)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i], &(layer_wish){ .in_place = true }, 2);
}

Test(group_norm, equals_pytorch)
{
    FILE *file = golden_open("group_norm.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(problems) && problems[i].name; i++) {
        thaw_model *model;
        layer_wish wish = { .training = true, .input_gradients = true };
        wish.parameter_gradient[0] = wish.parameter_gradient[1] = !problems[i].no_affine;
        layer l = open_layer(context, &model, &problems[i], &wish);
        layer_equals_golden(&l, file, problems[i].name, 1e-5);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

Test(group_norm, refuses_what_cannot_be)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 2, 3, 6 });
    thaw_node node = 0;
    const thaw_constant_options number = { .values = (const float[]){ 1 } };
    assert_fails(context, thaw_group_norm(model, 0, NULL, &node), THAW_INVALID_ARGUMENT, "groups is 0");
    assert_fails(context, thaw_group_norm(model, 0, &(thaw_group_norm_options){ .groups = 4 }, &node),
                 THAW_INVALID_ARGUMENT, "groups is 4, must divide 6 channels");
    assert_fails(context, thaw_group_norm(model, 0, &(thaw_group_norm_options){ .groups = -2 }, &node),
                 THAW_INVALID_ARGUMENT, "groups is -2");
    assert_fails(context, thaw_group_norm(model, 0, &(thaw_group_norm_options){ .groups = 2, .epsilon = NAN }, &node),
                 THAW_INVALID_ARGUMENT, "epsilon is");
    assert_ok(context, thaw_constant(model, &number, &node));
    assert_fails(context, thaw_group_norm(model, node, &(thaw_group_norm_options){ .groups = 1 }, &node),
                 THAW_SHAPE_MISMATCH, "the input is a number");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
