/* A network of two inputs: words as ids, and a number. It trains on a data set of two fields, and predicts from two
   tensors. The task: does the word 3 come more often than the number says?
       cc two_inputs.c $(pkg-config --cflags --libs thaw) && ./a.out */
#include <stdio.h>
#include <stdlib.h>
#include <thaw/thaw.h>

enum { SAMPLES = 8192, TESTED = 1024, WORDS = 8, VOCABULARY = 6, COUNTED = 3 };

/* The first call that fails ends the program with its message. */
static void check(const thaw_context *context, thaw_status status)
{
    if (status == THAW_OK)
        return;
    fprintf(stderr, "%s: %s\n", thaw_status_name(status), thaw_context_message(context));
    exit(EXIT_FAILURE);
}

typedef struct sentences {
    int32_t words[SAMPLES][WORDS], labels[SAMPLES];
    float number[SAMPLES];
} sentences;

static void make_sentences(sentences *made)
{
    for (int i = 0; i < SAMPLES; i++) {
        int count = 0;
        for (int k = 0; k < WORDS; k++) {
            made->words[i][k] = rand() % 3 ? rand() % VOCABULARY : COUNTED;
            count += made->words[i][k] == COUNTED;
        }
        made->number[i] = (float)(rand() % WORDS);
        made->labels[i] = (float)count > made->number[i];
    }
}

static void build(thaw_context *context, thaw_model *model)
{
    const thaw_input_options words = { .name = "words", .dtype = THAW_I32, .shape = { 1, { WORDS } } };
    const thaw_input_options number = { .name = "number" }; /* of floats, one a sample */
    const thaw_embedding_options table = { .name = "table", .rows = VOCABULARY, .width = 8 };
    const thaw_recurrent_options reader = { .name = "reader", .units = 16, .last_only = true };
    thaw_node x[2];
    check(context, thaw_named_input(model, &words, &x[0]));
    check(context, thaw_named_input(model, &number, &x[1]));
    check(context, thaw_embedding(model, x[0], &table, &x[0]));
    check(context, thaw_gru(model, x[0], &reader, &x[0]));
    check(context, thaw_concatenate(model, x, 2, NULL, &x[0]));
    check(context, thaw_dense(model, x[0], &(thaw_dense_options){ .name = "mix", .units = 16 }, &x[0]));
    check(context, thaw_relu(model, x[0], NULL, &x[0]));
    check(context, thaw_dense(model, x[0], &(thaw_dense_options){ .name = "head", .units = 2 }, &x[0]));
    check(context, thaw_softmax_cross_entropy(model, x[0], NULL, &x[0]));
}

/* Fields are matched with the model's inputs by name, so their order does not matter. */
static void train(thaw_context *context, thaw_model *model, const sentences *from)
{
    static const char *const names[] = { "number", "words" };
    const thaw_tensor fields[] = {
        thaw_view_f32(from->number, 1, (int64_t[]){ SAMPLES }),
        thaw_view_i32(from->words[0], 2, (int64_t[]){ SAMPLES, WORDS }),
    };
    const thaw_tensor labels = thaw_view_i32(from->labels, 1, (int64_t[]){ SAMPLES });
    thaw_dataset *data = NULL;
    thaw_optimizer *adam = NULL;
    thaw_epoch_result last;
    check(context, thaw_dataset_from_fields(context, fields, names, 2, &labels, 2, &data));
    check(context, thaw_optimizer_create(context, "adam:lr=1e-2", &adam));
    check(context, thaw_select_optimizer(model, "*", adam));
    thaw_optimizer_destroy(adam);
    check(context, thaw_fit(model, data, &(thaw_fit_options){ .epochs = 6, .batch = 64 }, &last));
    thaw_dataset_destroy(data);
    printf("%.1f %% of the training data are right in epoch %d\n", 100 * last.accuracy, last.epoch);
}

/* Tensors are in the order of the inputs' declarations. */
static double test(thaw_context *context, thaw_model *model, const sentences *with)
{
    static float logits[TESTED][2];
    const thaw_tensor inputs[] = {
        thaw_view_i32(with->words[0], 2, (int64_t[]){ TESTED, WORDS }),
        thaw_view_f32(with->number, 1, (int64_t[]){ TESTED }),
    };
    const thaw_tensor outputs = thaw_view_f32(logits[0], 2, (int64_t[]){ TESTED, 2 });
    int right = 0;
    check(context, thaw_predict(model, inputs, &outputs));
    for (int i = 0; i < TESTED; i++)
        right += (logits[i][1] > logits[i][0]) == (with->labels[i] == 1);
    return (double)right / TESTED;
}

int main(void)
{
    static sentences seen, unseen;
    thaw_context *context = NULL;
    thaw_model *model = NULL;
    make_sentences(&seen);
    make_sentences(&unseen);
    if (thaw_context_create(&(thaw_context_options){ .seed = 1 }, &context) != THAW_OK)
        return EXIT_FAILURE;
    check(context, thaw_model_create(context, &model));
    build(context, model);
    train(context, model, &seen);
    const double accuracy = test(context, model, &unseen);
    printf("%.1f %% of others are right\n", 100 * accuracy);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return accuracy > 0.9 ? EXIT_SUCCESS : EXIT_FAILURE;
}
