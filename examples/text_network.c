/* A network for texts of your own, for the command: embeddings, one block of attention, and their mean.

       cc -O3 -shared -fPIC text_network.c -o text_network.so $(pkg-config --cflags thaw)
       thaw train --model ./text_network.so --data 'text:reviews.tsv;label=1;text=2;tokenizer=MiniLM;split=0.1' \
                  --save mine.safetensors
       thaw predict --model ./text_network.so --load mine.safetensors --text 'a game of chess' */
#include <thaw/attention.h>
#include <thaw/network_module.h>
#include <thaw/transformer_layers.h>

enum { LENGTH, VOCABULARY, WIDTH, HEADS };

static const thaw_hyperparameter options[] = {
    [LENGTH] = { "length", 128, 1, 65536 }, /* that of the data, unless it is given */
    [VOCABULARY] = { "vocabulary", 30522, 1, 1 << 24 },
    [WIDTH] = { "width", 64, 1, 4096 },
    [HEADS] = { "heads", 4, 1, 64 },
};

/* x + attention(x) */
static thaw_status append_attention(thaw_model *model, const thaw_network_request *wanted, thaw_node lengths,
                                    thaw_node *node)
{
    const int64_t width = (int64_t)wanted->options[WIDTH];
    const thaw_attention_options attention = { .heads = (int64_t)wanted->options[HEADS], .lengths = &lengths };
    const thaw_node shortcut = *node;
    thaw_status status = thaw_dense(model, *node, &(thaw_dense_options){ .name = "qkv", .units = 3 * width }, node);
    if (status == THAW_OK)
        status = thaw_attention(model, node, 1, &attention, node);
    if (status == THAW_OK)
        status = thaw_dense(model, *node, &(thaw_dense_options){ .name = "proj", .units = width }, node);
    return status == THAW_OK ? thaw_add(model, *node, shortcut, NULL, node) : status;
}

static thaw_status build(thaw_model *model, thaw_node input, const thaw_network_request *wanted, thaw_node *output)
{
    const thaw_input_options ids = {
        .name = "token_ids", .dtype = THAW_I32, .shape = { 1, { (int64_t)wanted->options[LENGTH] } }, .sequence = true
    };
    const thaw_input_options count = { .name = "lengths", .dtype = THAW_I32, .lengths = true };
    const thaw_embedding_options embedding = { .name = "embedding",
                                               .rows = (int64_t)wanted->options[VOCABULARY],
                                               .width = (int64_t)wanted->options[WIDTH] };
    thaw_node lengths;
    (void)input;
    thaw_status status = thaw_named_input(model, &ids, output);
    if (status == THAW_OK)
        status = thaw_named_input(model, &count, &lengths);
    if (status == THAW_OK)
        status = thaw_embedding(model, *output, &embedding, output);
    if (status == THAW_OK)
        status = append_attention(model, wanted, lengths, output);
    if (status == THAW_OK)
        status = thaw_sequence_mean(model, *output,
                                    &(thaw_sequence_mean_options){ .name = "mean", .lengths = &lengths }, output);
    if (status == THAW_OK)
        status = thaw_dense(model, *output, &(thaw_dense_options){ .name = "head", .units = wanted->outputs }, output);
    return status;
}

/* Thaw looks for this name in a shared object. */
THAW_API extern const thaw_network_module thaw_module;

const thaw_network_module thaw_module = {
    THAW_NETWORK_MODULE_HEAD,
    .name = "text_network",
    .build = build,
    .options = options,
    .option_count = THAW_COUNT(options),
    .outputs = 2,
    .named_inputs = true,
};
