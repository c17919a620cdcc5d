/* DistilBERT: Sanh et al. 2019, arXiv 1910.01108. Names, layouts and initial values are those of Hugging Face's
   DistilBertForSequenceClassification. */
#include "models/text_encoder.h"

static const thaw_encoder_names names = {
    .words = "distilbert.embeddings.word_embeddings",
    .positions = "distilbert.embeddings.position_embeddings",
    .norm = "distilbert.embeddings.LayerNorm",
    .blocks = "distilbert.transformer.layer",
    .attention = "attention",
    .query = "attention.q_lin",
    .key = "attention.k_lin",
    .value = "attention.v_lin",
    .projection = "attention.out_lin",
    .attention_norm = "sa_layer_norm",
    .hidden = "ffn.lin1",
    .activation = "ffn.activation",
    .output = "ffn.lin2",
    .output_norm = "output_layer_norm",
};

/* The first token through a dense layer and ReLU. */
static thaw_status append_pooler(thaw_model *model, const thaw_text_options *options, thaw_node *node)
{
    thaw_status status = thaw_slice(model, *node, &(thaw_slice_options){ .count = 1, .squeeze = true }, node);
    if (status == THAW_OK)
        status = thaw_append_text_dense(model, "pre_classifier", options->width, false, node);
    return status == THAW_OK
               ? thaw_relu(model, *node, &(thaw_simple_options){ .name = "pre_classifier.activation" }, node)
               : status;
}

static thaw_status build(thaw_model *model, const thaw_network_options *network, thaw_node *node)
{
    const thaw_text_options *options = &network->text;
    thaw_text_inputs inputs;
    thaw_status status = thaw_append_encoder(model, &names, options, &inputs, node);
    if (status == THAW_OK)
        status = options->pooling == THAW_POOLING_TOKEN ? append_pooler(model, options, node)
                                                        : thaw_append_text_pooling(model, options, &inputs, node);
    return status == THAW_OK && options->normalises ? thaw_l2_normalise(model, *node, NULL, node) : status;
}

static const thaw_text_options defaults = {
    .layers = 6,
    .width = 768,
    .heads = 12,
    .vocabulary = 30522,
    .positions = 512,
    .epsilon = 1e-12,
    .hidden_dropout = 0.1,
    .attention_dropout = 0.1,
};

const thaw_network thaw_network_distilbert = {
    .entry = { .name = "distilbert",
               .description = "DistilBERT for classes of text, as Hugging Face's",
               .parameters = 66955010,
               .weights = "distilbert/distilbert-base-uncased",
               .classes = 2,
               .head = "classifier",
               .sample_shape = { 1, { 128 + 1 } },
               .text = true },
    .text = &defaults,
    .takes = THAW_TAKES_TEXT | THAW_TAKES_POOLING,
    .dropout = 0.2,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = build,
};
