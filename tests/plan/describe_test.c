/* What a plan says of itself, against figures worked out by hand: a toy costs one FLOP a feature. */
#include <stdio.h>
#include <string.h>

#include "support/network.h"
#include "support/plans.h"

enum { WIDTH = 3, BATCH = 2, LAYER = WIDTH * BATCH };

/* input 0, a 1 (frozen), relu1 2, b 3, dead 4, c 5 (frozen), loss 6. */
static thaw_model *make_model(thaw_context *context)
{
    thaw_model *model = toy_model(context, WIDTH);
    toy_append(model, &toy_scale, "a", 0, -1);
    toy_append(model, &toy_relu, NULL, 1, -1);
    toy_append(model, &toy_scale, "b", 2, -1);
    toy_append(model, &toy_center, "dead", 2, -1);
    toy_append(model, &toy_scale, "c", 3, -1);
    toy_append(model, &toy_quadratic, "loss", 5, -1);
    support_optimize(model, "adam");
    assert_ok(context, thaw_model_freeze(model, "[ac]"));
    return model;
}

static const thaw_plan *plan_of(thaw_model *model, bool inference)
{
    const thaw_plan *plan;
    const thaw_plan_options options = { .batch = BATCH, .inference = inference };
    assert_ok(thaw_model_context(model), thaw_model_plan(model, &options, &plan));
    return plan;
}

static void assert_entry(const thaw_plan *plan, size_t index, const thaw_plan_entry *expected)
{
    thaw_plan_entry entry;
    assert_ok(plan->model->context, thaw_plan_entry_at(plan, index, &entry));
    cr_assert_str_eq(entry.name, expected->name);
    cr_assert_str_eq(entry.kind, expected->kind);
    cr_assert_eq(entry.region, expected->region, "region of %s", entry.name);
    cr_assert_str_eq(entry.kernel, expected->kernel, "kernel of %s: %s", entry.name, entry.kernel);
    cr_assert_eq(entry.fused_into != NULL, expected->fused_into != NULL, "%s", entry.name);
    cr_assert(!entry.fused_into || strcmp(entry.fused_into, expected->fused_into) == 0, "%s", entry.name);
    cr_assert_eq(entry.forward, expected->forward, "forward of %s", entry.name);
    cr_assert_eq(entry.input_gradient, expected->input_gradient, "input gradient of %s", entry.name);
    cr_assert_eq(entry.parameter_gradient, expected->parameter_gradient, "parameter gradient of %s", entry.name);
    cr_assert_eq(entry.cache_boundary, expected->cache_boundary, "boundary at %s", entry.name);
    cr_assert_eq(entry.output_bytes, expected->output_bytes, "%zu bytes of %s", entry.output_bytes, entry.name);
    cr_assert_eq(entry.workspace_bytes + entry.packed_bytes, 0);
    cr_assert_eq(entry.forward_flops, expected->forward_flops, "%g FLOP of %s", entry.forward_flops, entry.name);
    cr_assert_eq(entry.backward_flops, expected->backward_flops, "%g FLOP back of %s", entry.backward_flops,
                 entry.name);
}

Test(describe, rows_say_what_runs)
{
    const size_t bytes = LAYER * sizeof(float);
    const thaw_plan_entry expected[] = {
        { .name = "input", .kind = "input", .kernel = "" },
        { .name = "a",
          .kind = "scale",
          .kernel = "toy",
          .forward = true,
          .output_bytes = bytes,
          .forward_flops = LAYER },
        { .name = "relu1",
          .kind = "relu",
          .kernel = "",
          .fused_into = "a",
          .cache_boundary = true,
          .forward_flops = LAYER },
        { .name = "b",
          .kind = "scale",
          .region = THAW_REGION_LIVE,
          .kernel = "toy",
          .forward = true,
          .parameter_gradient = true,
          .output_bytes = bytes,
          .forward_flops = LAYER,
          .backward_flops = LAYER },
        { .name = "dead", .kind = "center", .kernel = "" },
        { .name = "c",
          .kind = "scale",
          .region = THAW_REGION_FROZEN,
          .kernel = "toy",
          .forward = true,
          .input_gradient = true,
          .output_bytes = bytes,
          .forward_flops = LAYER,
          .backward_flops = LAYER },
        { .name = "loss",
          .kind = "quadratic",
          .region = THAW_REGION_LIVE,
          .kernel = "toy",
          .forward = true,
          .input_gradient = true,
          .output_bytes = sizeof(float),
          .forward_flops = LAYER,
          .backward_flops = LAYER },
    };
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    const thaw_plan *plan = plan_of(model, false);
    cr_assert_eq(thaw_plan_entry_count(plan), THAW_COUNT(expected));
    for (size_t i = 0; i < THAW_COUNT(expected); i++)
        assert_entry(plan, i, &expected[i]);
    thaw_plan_entry entry;
    assert_fails(context, thaw_plan_entry_at(plan, 7, &entry), THAW_INVALID_ARGUMENT, "entry is 7, the plan has 7");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(describe, totals_add_up)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    const thaw_plan_totals totals = thaw_plan_totals_of(plan_of(model, false));
    cr_assert_eq(totals.trainable_parameters, 1, "b alone: dead has no gradient");
    cr_assert_eq(totals.parameter_bytes, (4 + 3) * sizeof(float));
    cr_assert_eq(totals.gradient_bytes, sizeof(float));
    cr_assert_eq(totals.optimizer_state_bytes, 2 * sizeof(float));
    cr_assert_eq(totals.forward_kernels, 4, "a, b, c, loss");
    cr_assert_eq(totals.backward_kernels, 3, "b, c, loss");
    cr_assert_eq(totals.fused_kernels, 1, "relu1");
    cr_assert_eq(totals.fused_bytes, 2 * LAYER * sizeof(float));
    cr_assert_eq(totals.packed_bytes, 0);
    cr_assert(totals.activation_bytes >= 3 * 64 && totals.activation_bytes <= 6 * 64, "%zu", totals.activation_bytes);
    cr_assert_eq(totals.flops, (5 + 3) * LAYER, "%g", totals.flops);
    cr_assert_eq(totals.cached_flops, (3 + 3) * LAYER, "%g", totals.cached_flops);
    cr_assert_eq(totals.cached_bytes_per_sample, WIDTH * sizeof(float));
    /* Forward 5, parameters of a, b and c, inputs of all but a. */
    cr_assert_eq(totals.unfrozen_flops, (5 + 3 + 4) * LAYER, "%g", totals.unfrozen_flops);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(describe, totals_of_inference_have_no_backward_part)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    const thaw_plan_totals totals = thaw_plan_totals_of(plan_of(model, true));
    cr_assert_eq(totals.trainable_parameters, 0);
    cr_assert_eq(totals.backward_kernels, 0);
    cr_assert_eq(totals.forward_kernels, 4);
    cr_assert_eq(totals.flops, 5 * LAYER);
    cr_assert_eq(totals.cached_bytes_per_sample, 0);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* With nothing frozen both counts are of the same thing, branches without parameters and statistics included. */
Test(describe, unfrozen_work_is_the_work_of_a_network_that_trains_whole)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, WIDTH);
    toy_append(model, &toy_scale, "left", 0, -1);    /* 1 */
    toy_append(model, &toy_curve, "right", 0, -1);   /* 2: no gradient passes here */
    toy_append(model, &toy_sum, NULL, 1, 2);         /* 3 */
    toy_append(model, &toy_center, "center", 3, -1); /* 4 */
    toy_append(model, &toy_curve, NULL, 0, -1);      /* 5 */
    toy_append(model, &toy_product, NULL, 4, 5);     /* 6 */
    toy_append(model, &toy_quadratic, NULL, 6, -1);  /* 7 */
    support_optimize(model, "sgd");
    thaw_plan_totals totals = thaw_plan_totals_of(plan_of(model, false));
    const double whole = (7 + 2 + 4) * LAYER;
    cr_assert_eq(totals.flops, whole, "%g, wanted %g", totals.flops, whole);
    cr_assert_eq(totals.unfrozen_flops, whole, "%g, wanted %g", totals.unfrozen_flops, whole);
    assert_ok(context, thaw_model_freeze(model, "left"));
    totals = thaw_plan_totals_of(plan_of(model, false));
    cr_assert_eq(totals.flops, (7 + 1 + 2) * LAYER, "%g", totals.flops);
    cr_assert_eq(totals.unfrozen_flops, whole, "%g, wanted %g", totals.unfrozen_flops, whole);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- as text ---- */

/* Asserts that the line that begins with `name` holds the words, in this order. */
static void assert_line(const char *text, const char *name, const char *const *words, size_t count)
{
    const char *line = text;
    const size_t length = strlen(name);
    while (line && !(strncmp(line, name, length) == 0 && line[length] == ' '))
        line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL;
    cr_assert_not_null(line, "no line of %s in\n%s", name, text);
    char copy[256];
    snprintf(copy, sizeof copy, "%.*s", (int)strcspn(line, "\n"), line);
    const char *rest = copy + length;
    for (size_t i = 0; i < count; i++) {
        rest = strstr(rest, words[i]);
        cr_assert_not_null(rest, "\"%s\" lacks \"%s\"", copy, words[i]);
        rest += strlen(words[i]);
    }
}

#define ASSERT_LINE(text, name, ...) \
    assert_line(text, name, (const char *const[]){ __VA_ARGS__ }, THAW_COUNT(((const char *const[]){ __VA_ARGS__ })))

Test(describe, text_shows_each_layer_and_the_totals)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    const thaw_plan *plan = plan_of(model, false);
    char *text, totals[128];
    assert_ok(context, thaw_plan_describe(plan, &text));
    ASSERT_LINE(text, "input", "input", "prefix", " - ");
    ASSERT_LINE(text, "a", "scale", "prefix", "toy", " - ", "0.0");
    ASSERT_LINE(text, "relu1", "relu", "prefix", "in a", "<- cached here");
    ASSERT_LINE(text, "b", "scale", "live", "trainable", "toy", "weights");
    ASSERT_LINE(text, "dead", "center", "not computed");
    ASSERT_LINE(text, "c", "scale", "frozen", "frozen", "toy", "input");
    ASSERT_LINE(text, "loss", "quadratic", "live", "toy", "input");
    cr_assert_null(strstr(strstr(text, "cached here") + 1, "cached here"), "one cut:\n%s", text);
    cr_assert_not_null(strstr(text, "4 forward kernels, 3 with a backward pass; batch 2\n"), "%s", text);
    cr_assert_not_null(strstr(text,
                              "1 layers are part of another's kernel, which saves 48 bytes of reads and writes\n"),
                       "%s", text);
    cr_assert_not_null(strstr(text, "trained parameters 1, gradients 4 bytes, optimizer state 8 bytes\n"), "%s", text);
    snprintf(totals, sizeof totals, "activations %zu bytes", thaw_plan_totals_of(plan).activation_bytes);
    cr_assert_not_null(strstr(text, totals), "%s", text);
    cr_assert_not_null(strstr(text, "from the feature cache (12 bytes a sample)\n"), "%s", text);
    thaw_text_destroy(context, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(describe, text_of_inference_has_no_regions_and_no_cut)
{
    thaw_context *context = support_context(1);
    thaw_model *model = make_model(context);
    char *text;
    assert_ok(context, thaw_plan_describe(plan_of(model, true), &text));
    cr_assert_null(strstr(text, "cached here"));
    cr_assert_null(strstr(text, "prefix"));
    cr_assert_not_null(strstr(text, "4 forward kernels, 0 with a backward pass; batch 2\n"), "%s", text);
    thaw_text_destroy(context, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(describe, text_fits_names_of_any_length)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, WIDTH);
    char long_name[128], *text;
    memset(long_name, 'n', sizeof long_name);
    long_name[127] = '\0';
    toy_append(model, &toy_scale, long_name, 0, -1);
    toy_append(model, &toy_relu, NULL, 1, -1);
    assert_ok(context, thaw_plan_describe(plan_of(model, true), &text));
    cr_assert_not_null(strstr(text, long_name));
    cr_assert_not_null(strstr(text, "in nnnnnnnn"));
    thaw_text_destroy(context, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_plan_totals totals_with(thaw_context *context, const char *description, thaw_model **model)
{
    thaw_optimizer *optimizer;
    const thaw_plan *plan;
    assert_ok(context, thaw_model_create(context, model));
    assert_ok(context, thaw_zoo_build(*model, "mlp-500", 10));
    assert_ok(context, thaw_optimizer_create(context, description, &optimizer));
    assert_ok(context, thaw_select_optimizer(*model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    assert_ok(context, thaw_model_plan(*model, &(thaw_plan_options){ .batch = 2 }, &plan));
    return thaw_plan_totals_of(plan);
}

/* Weights [500, 784] and [10, 500], and their biases. */
Test(describe, state_and_operations_of_matrices_are_counted)
{
    static const struct {
        const char *description;
        size_t floats;
        double flops;
    } cases[] = {
        { "adamw", 2 * (500 * 784 + 500 + 10 * 500 + 10), 0 },
        { "adamw:state=8bit", 2 * ((392000 + 4 * 1532) / 4 + 500 + (5056 + 4 * 20) / 4 + 10), 0 },
        { "sgd:momentum=0.9,state=bf16", 500 * 784 / 2 + 500 + 10 * 500 / 2 + 10, 0 },
        { "muon", 500 * 784 + 10 * 500 + 2 * (500 + 10),
          5 * (500. * 500 * 784 + 500. * 500 * 500 + 2. * 500 * 500 * 784) +
              5 * (10. * 10 * 500 + 10. * 10 * 10 + 2. * 10 * 10 * 500) },
        { "adafactor", (500 + 784) + (1 + 500) + (10 + 500) + (1 + 10), 0 },
        { "soap:max_precond_dim=500,precondition_frequency=1",
          2 * (500 * 784 + 500 + 10 * 500 + 10) + 2 * (500 * 500 + 10 * 10 + 500 * 500),
          7. * (500. * 500 * 784 + 10 * 10 * 500 + 500 * 10 * 500) + 8. * (2 * 500. * 500 * 500 + 10 * 10 * 10) },
        { "shampoo:max_preconditioner_dim=500", 500 * 784 + 10 * 500 + 2 * (500 * 500 + 10 * 10 + 500 * 500 + 500 + 10),
          3. * (500. * 500 * 784 + 10 * 10 * 500 + 500 * 10 * 500) + 11. * (2 * 500. * 500 * 500 + 10 * 10 * 10) },
        { "lookahead/adamw", 3 * (500 * 784 + 500 + 10 * 500 + 10), 0 },
        { "cautious/adamw", 3 * (500 * 784 + 500 + 10 * 500 + 10), 0 },
        { "sam/adamw", 3 * (500 * 784 + 500 + 10 * 500 + 10), 0 },
        { "prodigy", 4 * (500 * 784 + 500 + 10 * 500 + 10) + 4 * 3, 0 },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_context *context = support_context(1);
        thaw_model *model;
        const thaw_plan_totals totals = totals_with(context, cases[i].description, &model);
        cr_assert_eq(totals.optimizer_state_bytes, cases[i].floats * sizeof(float), "%s: %zu", cases[i].description,
                     totals.optimizer_state_bytes);
        cr_assert_eq(totals.update_flops, cases[i].flops, "%s: %g", cases[i].description, totals.update_flops);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}
