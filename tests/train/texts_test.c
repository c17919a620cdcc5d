/* Texts from a file to a trained network. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/runtime.h>
#include <thaw/thaw.h>

#include "data/dataset.h"
#include "data/texts_fixture.h"
#include "support/network.h"

enum { LENGTH = 64, CLASSES = 2, ROWS = 300 };

static thaw_context *context;
static thaw_dataset *data;

/* What is good is a, what is bad is b, whatever else a text has; a few are long. */
static void begin(void)
{
    static char text[ROWS * 400];
    size_t length = 0;
    texts_begin();
    for (int i = 0; i < ROWS; i++) {
        length += (size_t)sprintf(text + length, "%c\t%s", i % 3 ? 'a' : 'b', i % 3 ? "good" : "bad");
        for (int k = 0; k < (i * i) % 41; k++)
            length += (size_t)sprintf(text + length, k % 2 ? " food" : " very");
        text[length++] = '\n';
    }
    text[length] = '\0';
    texts_write("a.tsv", text);
    context = support_context(2);
    assert_ok(context, thaw_dataset_open(context, texts_describe("text:$/a.tsv;label=1;text=2;tokenizer=$;length=64"),
                                         &data, NULL));
}

static void end(void)
{
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
    texts_end();
}

TestSuite(texts, .init = begin, .fini = end);

/* The mean of embeddings, and a dense layer. Of the fields, it takes two, in another order. */
static thaw_model *make_model(int64_t rows, int64_t length)
{
    thaw_model *model;
    thaw_node lengths, node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context,
              thaw_named_input(model, &(thaw_input_options){ .name = "lengths", .dtype = THAW_I32, .lengths = true },
                               &lengths));
    assert_ok(context, thaw_named_input(model,
                                        &(thaw_input_options){ .name = "token_ids",
                                                               .dtype = THAW_I32,
                                                               .shape = { 1, { length } },
                                                               .sequence = true },
                                        &node));
    assert_ok(context, thaw_embedding(model, node, &(thaw_embedding_options){ .rows = rows, .width = 8 }, &node));
    assert_ok(context, thaw_sequence_mean(model, node, &(thaw_sequence_mean_options){ .lengths = &lengths }, &node));
    assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .units = CLASSES }, &node));
    assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
    support_optimize(model, "adam:lr=1e-1");
    return model;
}

Test(texts, train_a_classifier)
{
    thaw_model *model = make_model(TOKENS, LENGTH);
    thaw_epoch_result last;
    const thaw_fit_options options = { .epochs = 4, .batch = 16, .test = data };
    assert_ok(context, thaw_fit(model, data, &options, &last));
    cr_assert_eq(last.test_accuracy, 1, "%g", last.test_accuracy);
    thaw_model_destroy(model);
}

/* Sorted by length, in whichever batches: the mean over all samples, each alone. */
Test(texts, are_evaluated_as_each_sample_alone)
{
    static const int64_t batches[] = { 1, 7, 128, 300 };
    thaw_model *model = make_model(TOKENS, LENGTH);
    double total = 0;
    size_t right = 0;
    for (size_t i = 0; i < ROWS; i++) {
        float row[LENGTH + 1 + LENGTH], outputs[CLASSES];
        int32_t ids[LENGTH], label;
        assert_ok(context, thaw_dataset_read(data, &i, 1, row, &label));
        for (size_t k = 0; k < LENGTH; k++)
            ids[k] = (int32_t)row[k];
        const int32_t count = (int32_t)row[LENGTH];
        const thaw_tensor inputs[] = { thaw_view_i32(&(int32_t){ count }, 1, (int64_t[]){ 1 }),
                                       thaw_view_i32(ids, 2, (int64_t[]){ 1, LENGTH }) };
        const thaw_tensor answer = thaw_view_f32(outputs, 2, (int64_t[]){ 1, CLASSES });
        assert_ok(context, thaw_predict(model, inputs, &answer));
        total += log(1 + exp((double)outputs[!label] - (double)outputs[label]));
        right += outputs[label] > outputs[!label];
    }
    for (size_t i = 0; i < THAW_COUNT(batches); i++) {
        thaw_evaluation found;
        assert_ok(context, thaw_evaluate(model, data, batches[i], &found));
        cr_assert_eq(found.samples, ROWS);
        cr_assert_float_eq(found.loss, total / ROWS, 1e-5, "%.9g, wanted %.9g", found.loss, total / ROWS);
        cr_assert_float_eq(found.accuracy, (double)right / ROWS, 1e-12);
    }
    thaw_model_destroy(model);
}

Test(texts, of_another_length_or_vocabulary_are_refused)
{
    thaw_evaluation found;
    thaw_model *model = make_model(TOKENS, 32);
    assert_fails(context, thaw_evaluate(model, data, 8, &found), THAW_SHAPE_MISMATCH,
                 "texts have 64 tokens (length=64), but the model's input \"token_ids\" has 32: length=32 is right");
    thaw_model_destroy(model);
    model = make_model(TOKENS - 1, LENGTH);
    assert_fails(context, thaw_evaluate(model, data, 8, &found), THAW_SHAPE_MISMATCH,
                 "has 8 tokens, but embedding1 only 7: it is not the model's tokenizer");
    thaw_model_destroy(model);
    model = make_model(TOKENS + 3, LENGTH); /* rows that no token has do no harm */
    assert_ok(context, thaw_evaluate(model, data, 8, &found));
    thaw_model_destroy(model);
}
