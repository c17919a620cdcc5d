/* GPT-2: Radford et al. 2019, "Language models are unsupervised multitask learners". Names and layouts are those of
   Hugging Face's GPT2LMHeadModel: files have the dense weights transposed, and the head is the table of tokens. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <thaw/combine.h>
#include <thaw/runtime.h>

#include "models/text.h"
#include "params/parameter.h"

/* A block of the network. */
typedef struct block {
    const thaw_text_options *options;
    const thaw_text_inputs *inputs;
    int64_t number;
} block;

static char *name_of(char name[THAW_LONGEST_TEXT_NAME], const block *b, const char *layer)
{
    snprintf(name, THAW_LONGEST_TEXT_NAME, "transformer.h.%lld.%s", (long long)b->number, layer);
    return name;
}

static thaw_status append_dense(thaw_model *model, const block *b, const char *layer, int64_t units, thaw_node *node)
{
    char name[THAW_LONGEST_TEXT_NAME];
    return thaw_append_text_dense(model, name_of(name, b, layer), units, true, node);
}

/* Each of the 2 * layers residual branches adds its share to the variance of the sum, so the last weights of a branch
   start with a standard deviation of 0.02 / sqrt(2 * layers) (section 2.3). */
static void scale_weight(thaw_model *model, const block *b, const char *layer)
{
    char name[THAW_LONGEST_TEXT_NAME + sizeof ".weight"];
    strcat(name_of(name, b, layer), ".weight");
    thaw_parameter_scale_initial(thaw_model_context(model), thaw_model_find_parameter(model, name),
                                 1 / sqrt(2 * (double)b->options->layers));
}

/* A dense layer and dropout end a residual branch, which is added. */
static thaw_status append_end(thaw_model *model, const block *b, const char *layer, thaw_node shortcut, thaw_node *node)
{
    thaw_status status = append_dense(model, b, layer, b->options->width, node);
    if (status == THAW_OK)
        scale_weight(model, b, layer);
    if (status == THAW_OK)
        status = thaw_append_text_dropout(model, b->options, node);
    return status == THAW_OK ? thaw_add(model, shortcut, *node, NULL, node) : status;
}

static thaw_status append_attention(thaw_model *model, const block *b, thaw_node *node)
{
    char name[THAW_LONGEST_TEXT_NAME];
    const thaw_attention_options options = {
        .name = name_of(name, b, "attn"),
        .heads = b->options->heads,
        .causal = true,
        .lengths = &b->inputs->lengths,
        .dropout = b->options->attention_dropout,
    };
    const thaw_node shortcut = *node;
    char norm[THAW_LONGEST_TEXT_NAME];
    thaw_status status = thaw_append_text_norm(model, name_of(norm, b, "ln_1"), b->options, node);
    if (status == THAW_OK)
        status = append_dense(model, b, "attn.c_attn", 3 * b->options->width, node);
    if (status == THAW_OK)
        status = thaw_attention(model, node, 1, &options, node);
    return status == THAW_OK ? append_end(model, b, "attn.c_proj", shortcut, node) : status;
}

static thaw_status append_mlp(thaw_model *model, const block *b, thaw_node *node)
{
    char name[THAW_LONGEST_TEXT_NAME];
    const int64_t hidden = b->options->hidden ? b->options->hidden : 4 * b->options->width;
    const thaw_node shortcut = *node;
    thaw_status status = thaw_append_text_norm(model, name_of(name, b, "ln_2"), b->options, node);
    if (status == THAW_OK)
        status = append_dense(model, b, "mlp.c_fc", hidden, node);
    if (status == THAW_OK)
        status = thaw_append_text_activation(model, name_of(name, b, "mlp.act"), b->options, node);
    return status == THAW_OK ? append_end(model, b, "mlp.c_proj", shortcut, node) : status;
}

/* The head multiplies by the table of tokens, which both train. */
static thaw_status append_tied_head(thaw_model *model, const thaw_network_options *network, thaw_node *node)
{
    const thaw_dense_options head = {
        .name = "lm_head", .units = network->text.vocabulary, .no_bias = true, .initializer = THAW_INITIAL_ZERO
    };
    thaw_expression *table;
    if (network->classes != network->text.vocabulary)
        return thaw_fail(thaw_model_context(model), THAW_INVALID_ARGUMENT,
                         "gpt2: there are %lld outputs, must be the vocabulary, %lld", (long long)network->classes,
                         (long long)network->text.vocabulary);
    thaw_status status = thaw_dense(model, *node, &head, node);
    if (status == THAW_OK)
        status = thaw_expression_of(model, thaw_model_find_parameter(model, "transformer.wte.weight"), &table);
    return status == THAW_OK ? thaw_parameter_bind(model, thaw_model_find_parameter(model, "lm_head.weight"), table)
                             : status;
}

static thaw_status build(thaw_model *model, const thaw_network_options *network, thaw_node *node)
{
    const thaw_text_options *options = &network->text;
    thaw_text_inputs inputs;
    thaw_status status = thaw_append_text_inputs(model, options, false, &inputs);
    if (status == THAW_OK) {
        *node = inputs.ids;
        status = thaw_append_table(model, "transformer.wte", options->vocabulary, options, false, node);
    }
    if (status == THAW_OK)
        status = thaw_append_places(model, "transformer.wpe", options, node);
    if (status == THAW_OK)
        status = thaw_append_text_dropout(model, options, node);
    for (int64_t i = 0; i < options->layers && status == THAW_OK; i++) {
        const block next = { options, &inputs, i };
        status = append_attention(model, &next, node);
        if (status == THAW_OK)
            status = append_mlp(model, &next, node);
    }
    if (status == THAW_OK)
        status = thaw_append_text_norm(model, "transformer.ln_f", options, node);
    return status == THAW_OK && network->head != THAW_HEAD_NONE ? append_tied_head(model, network, node) : status;
}

static const thaw_text_options defaults = {
    .layers = 12,
    .width = 768,
    .heads = 12,
    .vocabulary = 50257,
    .positions = 1024,
    .epsilon = 1e-5,
    .hidden_dropout = 0.1,
    .attention_dropout = 0.1,
    .activation = THAW_TEXT_GELU_TANH,
};

const thaw_network thaw_network_gpt2 = {
    .entry = { .name = "gpt2",
               .description = "GPT-2 124M, the next token of text, as Hugging Face's",
               .parameters = 124439808,
               .weights = "openai-community/gpt2",
               .classes = 50257,
               .head = "lm_head",
               .sample_shape = { 1, { 128 + 1 } },
               .text = true },
    .text = &defaults,
    .predicts_tokens = true,
    .takes = THAW_TAKES_TEXT | THAW_TAKES_NO_HEAD,
    .build = build,
};
