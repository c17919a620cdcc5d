/* Networks of text beside Hugging Face's: tests/golden/text_networks.py made the numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/layers.h>

#include "models/text_batch.h"
#include "support/formula.h"
#include "support/golden.h"
#include "support/network.h"

enum { MOST_OUTPUTS = TEXT_IDS * TEXT_VOCABULARY };

static const double TOLERANCE = 1e-4;

/* Opens the golden values at a network's case. */
static FILE *open_case(const char *name)
{
    FILE *file = golden_open("text_networks.txt");
    static char line[1 << 16];
    char wanted[64];
    snprintf(wanted, sizeof wanted, "case %s\n", name);
    while (fgets(line, sizeof line, file))
        if (strcmp(line, wanted) == 0)
            return file;
    cr_assert_fail("no case %s", name);
    return NULL;
}

static void assert_near(float found, float expected, double scale, const char *what, size_t index)
{
    cr_assert(fabs((double)(found - expected)) <= TOLERANCE * scale, "%s %zu: %.9g, must be %.9g", what, index,
              (double)found, (double)expected);
}

static double largest(const float *values, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

static void check_gradients(thaw_model *model, FILE *golden)
{
    float wanted;
    size_t found = 0;
    golden_read(golden, "gradients", &wanted, 1);
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++)
        found += thaw_parameter_gradient(thaw_model_parameter(model, i)) != NULL;
    cr_assert_eq(found, (size_t)wanted, "%zu gradients, must be %g", found, (double)wanted);
    for (size_t i = 0; i < found; i++) {
        char name[128] = "";
        double expected[2], norm, product;
        cr_assert_eq(fscanf(golden, "%127s %lf %lf\n", name, &expected[0], &expected[1]), 3, "gradient %zu", i);
        const thaw_parameter *parameter = thaw_model_find_parameter(model, name);
        cr_assert_not_null(parameter, "there is no parameter %s", name);
        cr_assert_not_null(thaw_parameter_gradient(parameter), "%s has no gradient", name);
        formula_measure(thaw_parameter_gradient(parameter), thaw_shape_count(thaw_parameter_shape(parameter)), &norm,
                        &product);
        const double allowed = TOLERANCE * fmax(expected[0], 0.1);
        cr_assert(fabs(norm - expected[0]) <= allowed && fabs(product - expected[1]) <= allowed,
                  "%s: norm %.9g, product %.9g, must be %.9g and %.9g", name, norm, product, expected[0], expected[1]);
    }
}

/* A step that updates nothing. */
static void check_step(thaw_model *model, const text_batch *batch, const thaw_tensor *targets, FILE *golden)
{
    const thaw_step_options options = { .gradients_only = true };
    float expected;
    thaw_step_result result;
    golden_read(golden, "loss", &expected, 1);
    assert_ok(thaw_model_context(model), thaw_step(model, batch->inputs, targets, &options, &result));
    assert_near((float)result.loss, expected, (double)expected, "loss", 0);
    check_gradients(model, golden);
}

static void check_classifier(const char *name)
{
    thaw_context *context = support_context(2);
    thaw_node node;
    thaw_model *model = text_network(context, name, "", &node);
    FILE *golden = open_case(name);
    float outputs[TEXT_SAMPLES * TEXT_CLASSES], expected[TEXT_SAMPLES * TEXT_CLASSES];
    text_batch batch;
    text_batch_fill(&batch);
    const thaw_tensor into = thaw_view_f32(outputs, 2, (int64_t[]){ TEXT_SAMPLES, TEXT_CLASSES });
    golden_read(golden, "outputs", expected, THAW_COUNT(expected));
    assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
    assert_ok(context, thaw_predict(model, batch.inputs, &into));
    for (size_t i = 0; i < THAW_COUNT(outputs); i++)
        assert_near(outputs[i], expected[i], largest(expected, THAW_COUNT(expected)), "output", i);
    check_step(model, &batch, &batch.targets, golden);
    fclose(golden);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(text_parity, bert)
{
    check_classifier("bert-base");
}

/* A mean over the tokens, L2, ReLU, another epsilon. */
Test(text_parity, minilm)
{
    check_classifier("minilm-l6");
}

Test(text_parity, distilbert)
{
    check_classifier("distilbert");
}

/* A later token changes nothing before it, so samples with lengths have the same outputs up to them. */
Test(text_parity, gpt2)
{
    thaw_context *context = support_context(2);
    thaw_node node;
    thaw_model *model = text_network(context, "gpt2", "", &node);
    FILE *golden = open_case("gpt2");
    static float outputs[MOST_OUTPUTS], expected[MOST_OUTPUTS], targets[MOST_OUTPUTS];
    const int64_t shape[] = { TEXT_SAMPLES, TEXT_LENGTH, TEXT_VOCABULARY };
    const thaw_tensor into = thaw_view_f32(outputs, 3, shape), wanted = thaw_view_f32(targets, 3, shape);
    const uint32_t key = formula_key("targets");
    text_batch batch;
    text_batch_fill(&batch);
    for (size_t i = 0; i < MOST_OUTPUTS; i++)
        targets[i] = (float)formula_uniform(key, i);
    golden_read(golden, "outputs", expected, MOST_OUTPUTS);
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    assert_ok(context, thaw_predict(model, batch.inputs, &into));
    for (size_t i = 0; i < MOST_OUTPUTS; i++)
        if ((int32_t)(i / TEXT_VOCABULARY % TEXT_LENGTH) < text_lengths[i / TEXT_VOCABULARY / TEXT_LENGTH])
            assert_near(outputs[i], expected[i], largest(expected, MOST_OUTPUTS), "output", i);
    for (size_t i = 0; i < TEXT_SAMPLES; i++)
        batch.lengths[i] = TEXT_LENGTH;
    check_step(model, &batch, &wanted, golden);
    fclose(golden);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
