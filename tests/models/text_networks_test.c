/* What the options of networks of text mean, and what influences their outputs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/layers.h>
#include <thaw/zoo.h>

#include "models/text_batch.h"
#include "support/network.h"

static const char *const names[] = { "bert-base", "minilm-l6", "distilbert", "gpt2" };

static void assert_refused(const char *description, size_t outputs, thaw_status status, const char *message)
{
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_fails(context, thaw_zoo_network(model, description, outputs, &node), status, message);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(text_networks, refuse_what_they_are_not_made_of)
{
    assert_refused("bert-base:layers=1,length=600", 2, THAW_INVALID_ARGUMENT,
                   "length is 600, must be at most 512, the positions");
    assert_refused("bert-base:layers=0", 2, THAW_INVALID_ARGUMENT,
                   "\"layers=0\", must be a whole number from 1 to 65536");
    assert_refused("bert-base:vocabulary=20000000", 2, THAW_INVALID_ARGUMENT,
                   "must be a whole number from 1 to 16777216");
    assert_refused("bert-base:layers=1,width=16,heads=3,vocabulary=9", 2, THAW_SHAPE_MISMATCH, "multiple of 3");
    assert_refused("minilm-l6:pooling=meen", 2, THAW_NOT_FOUND, "did you mean \"mean\"");
    assert_refused("minilm-l6:normalise=maybe", 2, THAW_NOT_FOUND, "normalise");
    assert_refused("minilm-l6:activation=tanh", 2, THAW_NOT_FOUND, "activation");
    assert_refused("minilm-l6:hidden-dropout=1", 2, THAW_INVALID_ARGUMENT, "must be at least 0 and below 1");
    assert_refused("distilbert:types=2", 2, THAW_NOT_FOUND, "option of distilbert");
    assert_refused("distilbert:size=2", 2, THAW_NOT_FOUND, "option of distilbert");
    assert_refused("gpt2:head=linear", 0, THAW_NOT_FOUND, "head");
    assert_refused("gpt2:dropout=0.5", 0, THAW_NOT_FOUND, "option of gpt2");
    assert_refused("gpt2:layers=1,width=8,heads=2,vocabulary=9", 10, THAW_INVALID_ARGUMENT,
                   "there are 10 outputs, must be the vocabulary, 9");
    assert_refused("resnet18:layers=2", 2, THAW_NOT_FOUND, "option of resnet18");
}

static const thaw_shape *shape_of(thaw_model *model, const char *name)
{
    thaw_summary_entry row;
    for (size_t i = 0; i < thaw_model_node_count(model); i++) {
        assert_ok(thaw_model_context(model), thaw_model_summary_entry(model, i, &row));
        if (strcmp(row.name, name) == 0)
            return thaw_model_node_shape(model, (thaw_node)i);
    }
    cr_assert_fail("there is no node %s", name);
    return NULL;
}

Test(text_networks, compute_the_first_token_alone_in_the_last_block)
{
    thaw_context *context = support_context(1);
    thaw_node node;
    thaw_model *model = text_network(context, "bert-base", "", &node);
    cr_assert_eq(shape_of(model, "bert.encoder.layer.1.intermediate.dense")->dims[0], TEXT_LENGTH);
    cr_assert_eq(shape_of(model, "bert.encoder.layer.2.attention.self.query")->dims[0], 1);
    cr_assert_eq(shape_of(model, "bert.encoder.layer.2.attention.self.key")->dims[0], TEXT_LENGTH);
    cr_assert_eq(shape_of(model, "bert.encoder.layer.2.intermediate.dense")->dims[0], 1);
    thaw_model_destroy(model);
    model = text_network(context, "minilm-l6", "", &node);
    cr_assert_eq(shape_of(model, "bert.encoder.layer.1.intermediate.dense")->dims[0], TEXT_LENGTH);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(text_networks, end_with_their_features_without_a_head)
{
    const struct {
        const char *description;
        thaw_shape features;
    } cases[] = {
        { "bert-base:layers=1,width=8,heads=2,vocabulary=9,head=none", { 1, { 8 } } },
        { "minilm-l6:layers=1,width=8,heads=2,vocabulary=9,head=none,normalise=yes", { 1, { 8 } } },
        { "distilbert:layers=1,width=8,heads=2,vocabulary=9,head=none,pooling=mean", { 1, { 8 } } },
        { "distilbert:layers=1,width=8,heads=2,vocabulary=9,head=none,pooling=cls", { 1, { 8 } } },
        { "gpt2:layers=1,width=8,heads=2,vocabulary=9,head=none,positions=50", { 2, { 50, 8 } } },
        { "gpt2:layers=1,width=8,heads=2,vocabulary=9", { 2, { 128, 9 } } },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_model *model = NULL;
        thaw_node node;
        assert_ok(context, thaw_model_create(context, &model));
        assert_ok(context, thaw_zoo_network(model, cases[i].description, 0, &node));
        cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &cases[i].features), "%s", cases[i].description);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

/* ---- what influences the outputs ---- */

Test(text_networks, ignore_what_is_behind_a_length)
{
    static float outputs[2][TEXT_IDS * TEXT_VOCABULARY];
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        thaw_node node;
        thaw_model *model = text_network(context, names[i], "", &node);
        text_batch batch;
        text_batch_fill(&batch);
        memset(outputs, 0, sizeof outputs);
        text_predict(model, &batch, outputs[0]);
        for (int32_t k = 0; k < TEXT_IDS; k++)
            if (k % TEXT_LENGTH >= text_lengths[k / TEXT_LENGTH]) {
                batch.ids[k] = (batch.ids[k] + 5) % TEXT_VOCABULARY;
                batch.types[k] = 1 - batch.types[k];
            }
        text_predict(model, &batch, outputs[1]);
        const size_t width = (size_t)thaw_model_node_shape(model, node)->dims[1];
        for (size_t k = 0; k < THAW_COUNT(outputs[0]); k++) {
            const bool token = thaw_model_node_shape(model, node)->rank == 2;
            const size_t place = token ? k / width % TEXT_LENGTH : 0, sample = token ? k / width / TEXT_LENGTH : 0;
            if (!token || (int32_t)place < text_lengths[sample])
                cr_assert(outputs[0][k] == outputs[1][k], "%s: output %zu", names[i], k);
        }
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

Test(text_networks, have_no_gradient_behind_a_length)
{
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < 3; i++) {
        const thaw_step_options only_gradients = { .gradients_only = true };
        float *gradients[2] = { NULL };
        size_t count = 0;
        thaw_node node;
        thaw_model *model = text_network(context, names[i], "", &node);
        text_batch batch;
        text_batch_fill(&batch);
        assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
        const thaw_parameter *table = thaw_model_parameter(model, 0);
        for (int round = 0; round < 2; round++) {
            for (int32_t k = 0; k < TEXT_IDS; k++)
                if (k % TEXT_LENGTH >= text_lengths[k / TEXT_LENGTH])
                    batch.ids[k] = round ? 3 : 17;
            assert_ok(context, thaw_step(model, batch.inputs, &batch.targets, &only_gradients, NULL));
            count = thaw_shape_count(thaw_parameter_shape(table));
            gradients[round] =
                memcpy(malloc(count * sizeof(float)), thaw_parameter_gradient(table), count * sizeof(float));
        }
        assert_close(gradients[0], gradients[1], count, 1e-7, names[i]);
        free(gradients[0]);
        free(gradients[1]);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

Test(text_networks, take_no_token_types_for_zeros)
{
    float outputs[3][TEXT_SAMPLES * TEXT_CLASSES];
    thaw_context *context = support_context(2);
    thaw_node node;
    thaw_model *model = text_network(context, "bert-base", "", &node);
    text_batch batch;
    text_batch_fill(&batch);
    text_predict(model, &batch, outputs[0]);
    batch.inputs[2] = (thaw_tensor){ 0 };
    text_predict(model, &batch, outputs[1]);
    memset(batch.types, 0, sizeof batch.types);
    batch.inputs[2] = thaw_view_i32(batch.types, 2, (int64_t[]){ TEXT_SAMPLES, TEXT_LENGTH });
    text_predict(model, &batch, outputs[2]);
    cr_assert_arr_eq(outputs[1], outputs[2], sizeof outputs[1]);
    cr_assert_arr_neq(outputs[0], outputs[2], sizeof outputs[1]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A data set without them, by names and by order. */
Test(text_networks, train_on_data_without_token_types)
{
    const char *const fields[] = { "lengths", "token_ids", "token_types" };
    const struct {
        const char *const *names;
        size_t count;
        int order[3];
    } cases[] = { { fields, 3, { 1, 0, 2 } }, { fields, 2, { 1, 0 } }, { NULL, 2, { 0, 1 } } };
    double losses[3];
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_context *context = support_context(2);
        thaw_node node;
        thaw_model *model = text_network(context, "bert-base", "", &node);
        thaw_dataset *data = NULL;
        thaw_evaluation result;
        text_batch batch;
        text_batch_fill(&batch);
        memset(batch.types, 0, sizeof batch.types);
        thaw_tensor inputs[3];
        for (size_t k = 0; k < cases[i].count; k++)
            inputs[k] = batch.inputs[cases[i].order[k]];
        assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
        assert_ok(context, thaw_dataset_from_fields(context, inputs, cases[i].names, cases[i].count, &batch.targets,
                                                    TEXT_CLASSES, &data));
        assert_ok(context, thaw_evaluate(model, data, TEXT_SAMPLES, &result));
        losses[i] = result.loss;
        cr_assert_eq(losses[i], losses[0], "case %zu: %.9g, must be %.9g", i, losses[i], losses[0]);
        thaw_dataset_destroy(data);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

/* ---- initial values ---- */

static double deviation(thaw_model *model, const char *name)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)thaw_parameter_data(parameter)[i] * (double)thaw_parameter_data(parameter)[i];
    return sqrt(sum / (double)count);
}

/* Residual branches of GPT-2 end in weights of 0.02 / sqrt(2 * layers), when they are made and when they are reset. */
Test(text_networks, of_gpt2_begin_with_small_residuals)
{
    const struct {
        const char *name;
        double wanted;
    } cases[] = { { "transformer.h.1.attn.c_proj.weight", 0.02 / sqrt(8) },
                  { "transformer.h.3.mlp.c_proj.weight", 0.02 / sqrt(8) },
                  { "transformer.h.3.mlp.c_fc.weight", 0.02 },
                  { "transformer.wte.weight", 0.02 } };
    thaw_context *context = support_context(2);
    thaw_model *model = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, "gpt2:layers=4,width=128,heads=4,vocabulary=200,positions=50", 0));
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < THAW_COUNT(cases); i++) {
            const double found = deviation(model, cases[i].name);
            cr_assert(fabs(found / cases[i].wanted - 1) < 0.04, "%s: %g, not %g", cases[i].name, found,
                      cases[i].wanted);
        }
        assert_ok(context, thaw_model_reset(model, "transformer.h.*"));
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
