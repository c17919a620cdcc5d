/* BERT: Devlin et al. 2018, arXiv 1810.04805; MiniLM: Wang et al. 2020, arXiv 2002.10957. Names, layouts and initial
   values are those of Hugging Face's BertForSequenceClassification. */
#include "models/text_encoder.h"

static const thaw_encoder_names names = {
    .words = "bert.embeddings.word_embeddings",
    .positions = "bert.embeddings.position_embeddings",
    .types = "bert.embeddings.token_type_embeddings",
    .norm = "bert.embeddings.LayerNorm",
    .blocks = "bert.encoder.layer",
    .attention = "attention.self",
    .query = "attention.self.query",
    .key = "attention.self.key",
    .value = "attention.self.value",
    .projection = "attention.output.dense",
    .attention_norm = "attention.output.LayerNorm",
    .hidden = "intermediate.dense",
    .activation = "intermediate.activation",
    .output = "output.dense",
    .output_norm = "output.LayerNorm",
};

/* The first token through a dense layer and tanh. */
static thaw_status append_pooler(thaw_model *model, const thaw_text_options *options, thaw_node *node)
{
    thaw_status status = thaw_slice(model, *node, &(thaw_slice_options){ .count = 1, .squeeze = true }, node);
    if (status == THAW_OK)
        status = thaw_append_text_dense(model, "bert.pooler.dense", options->width, false, node);
    return status == THAW_OK ? thaw_tanh(model, *node, &(thaw_simple_options){ .name = "bert.pooler.activation" }, node)
                             : status;
}

/* Other ways of pooling leave the pooler without a use. Its parameters stay, so that files keep them. */
static thaw_status build(thaw_model *model, const thaw_network_options *network, thaw_node *node)
{
    const thaw_text_options *options = &network->text;
    thaw_text_inputs inputs;
    thaw_node pooled;
    thaw_status status = thaw_append_encoder(model, &names, options, &inputs, node);
    pooled = *node;
    if (status == THAW_OK)
        status = append_pooler(model, options, &pooled);
    if (status == THAW_OK && options->pooling != THAW_POOLING_TOKEN)
        status = thaw_append_text_pooling(model, options, &inputs, node);
    else
        *node = pooled;
    return status == THAW_OK && options->normalises ? thaw_l2_normalise(model, *node, NULL, node) : status;
}

static const thaw_text_options base = {
    .layers = 12,
    .width = 768,
    .heads = 12,
    .vocabulary = 30522,
    .positions = 512,
    .types = 2,
    .epsilon = 1e-12,
    .hidden_dropout = 0.1,
    .attention_dropout = 0.1,
};

static const thaw_text_options minilm = {
    .layers = 6,
    .width = 384,
    .heads = 12,
    .vocabulary = 30522,
    .positions = 512,
    .types = 2,
    .epsilon = 1e-12,
    .hidden_dropout = 0.1,
    .attention_dropout = 0.1,
    .pooling = THAW_POOLING_MEAN,
};

enum { TAKES = THAW_TAKES_TEXT | THAW_TAKES_POOLING | THAW_TAKES_TYPES };

const thaw_network thaw_network_bert_base = {
    .entry = { .name = "bert-base",
               .description = "BERT-Base for classes of text, as Hugging Face's",
               .parameters = 109483778,
               .weights = "google-bert/bert-base-uncased",
               .classes = 2,
               .head = "classifier",
               .sample_shape = { 1, { 128 + 1 + 128 } },
               .text = true },
    .text = &base,
    .takes = TAKES,
    .dropout = 0.1,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = build,
};

const thaw_network thaw_network_minilm_l6 = {
    .entry = { .name = "minilm-l6",
               .description = "MiniLM-L6 with a mean over the tokens, as sentence-transformers'",
               .parameters = 22713986,
               .weights = "sentence-transformers/all-MiniLM-L6-v2",
               .classes = 2,
               .head = "classifier",
               .sample_shape = { 1, { 128 + 1 + 128 } },
               .text = true },
    .text = &minilm,
    .takes = TAKES,
    .dropout = 0.1,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = build,
};
