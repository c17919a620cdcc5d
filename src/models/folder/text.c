/* Networks of text by transformers' configurations. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "io/json_file.h"
#include "models/folder/folder.h"

/* What the configurations say in words of their own. */
typedef struct keys {
    const char *layers, *width, *heads, *hidden, *activation, *dropout, *attention_dropout;
} keys;

typedef struct sizes {
    int64_t layers, width, heads, hidden, vocabulary, positions;
    double dropout, attention_dropout;
    size_t activation;
} sizes;

static const char *const gelu_first[] = { "gelu", "gelu_new", "gelu_pytorch_tanh", "relu", NULL };
static const char *const gelu_options[] = { "gelu", "gelu_tanh", "gelu_tanh", "relu" };
static const char *const tanh_first[] = { "gelu_new", "gelu_pytorch_tanh", "gelu", "relu", NULL };
static const char *const tanh_options[] = { "gelu_tanh", "gelu_tanh", "gelu", "relu" };

static thaw_status read_sizes(const thaw_config *c, const keys *k, const char *positions, sizes *s)
{
    enum { LARGEST = THAW_CONFIG_LARGEST_SIZE };
    const bool is_hidden_optional = strcmp(k->hidden, "n_inner") == 0;
    thaw_status status = thaw_config_size(c, k->layers, 0, LARGEST, &s->layers);
    if (status == THAW_OK)
        status = thaw_config_size(c, k->width, 0, LARGEST, &s->width);
    if (status == THAW_OK)
        status = thaw_config_size(c, k->heads, 0, LARGEST, &s->heads);
    if (status == THAW_OK)
        status = thaw_config_size(c, k->hidden, is_hidden_optional ? 4 * s->width : 0, LARGEST, &s->hidden);
    if (status == THAW_OK)
        status = thaw_config_size(c, "vocab_size", 0, THAW_CONFIG_MOST_ROWS, &s->vocabulary);
    if (status == THAW_OK)
        status = thaw_config_size(c, positions, 0, LARGEST, &s->positions);
    if (status == THAW_OK)
        status = thaw_config_rate(c, k->dropout, 0.1, &s->dropout);
    if (status == THAW_OK)
        status = thaw_config_rate(c, k->attention_dropout, 0.1, &s->attention_dropout);
    if (status == THAW_OK && s->width % s->heads)
        status = thaw_fail(c->context, THAW_INVALID_ARGUMENT, "%s: %s is %lld, must be a multiple of %s, %lld", c->path,
                           k->width, (long long)s->width, k->heads, (long long)s->heads);
    return status;
}

static void append(thaw_text *into, const char *name, const sizes *s, const char *activation)
{
    thaw_text_append(into,
                     "%s:layers=%lld,width=%lld,heads=%lld,hidden=%lld,vocabulary=%lld,positions=%lld,activation=%s,"
                     "hidden-dropout=%.9g,attention-dropout=%.9g",
                     name, (long long)s->layers, (long long)s->width, (long long)s->heads, (long long)s->hidden,
                     (long long)s->vocabulary, (long long)s->positions, activation, s->dropout, s->attention_dropout);
}

static thaw_status describe_bert(const thaw_config *c, const char *folder, thaw_text *into)
{
    static const keys names = { "num_hidden_layers",           "hidden_size", "num_attention_heads",
                                "intermediate_size",           "hidden_act",  "hidden_dropout_prob",
                                "attention_probs_dropout_prob" };
    sizes s = { 0 };
    int64_t types = 0;
    double epsilon = 0, dropout = 0;
    thaw_status status = thaw_config_demand_truth(c, "is_decoder", false, false);
    if (status == THAW_OK)
        status = thaw_config_demand_word(c, "position_embedding_type", "absolute");
    if (status == THAW_OK)
        status = thaw_config_word(c, names.activation, gelu_first, &s.activation);
    if (status == THAW_OK)
        status = read_sizes(c, &names, "max_position_embeddings", &s);
    if (status == THAW_OK)
        status = thaw_config_size(c, "type_vocab_size", 2, THAW_CONFIG_LARGEST_SIZE, &types);
    if (status == THAW_OK)
        status = thaw_config_rate(c, "layer_norm_eps", 1e-12, &epsilon);
    if (status == THAW_OK)
        status = thaw_config_rate(c, "classifier_dropout", s.dropout, &dropout);
    if (status != THAW_OK)
        return status;
    append(into, "bert-base", &s, gelu_options[s.activation]);
    thaw_text_append(into, ",types=%lld,epsilon=%.9g,dropout=%.9g", (long long)types, epsilon, dropout);
    return thaw_folder_append_sentence(c, folder, true, into);
}

static thaw_status describe_distilbert(const thaw_config *c, const char *folder, thaw_text *into)
{
    static const keys names = {
        "n_layers", "dim", "n_heads", "hidden_dim", "activation", "dropout", "attention_dropout"
    };
    sizes s = { 0 };
    double dropout = 0;
    thaw_status status = thaw_config_word(c, names.activation, gelu_first, &s.activation);
    if (status == THAW_OK)
        status = read_sizes(c, &names, "max_position_embeddings", &s);
    if (status == THAW_OK)
        status = thaw_config_rate(c, "seq_classif_dropout", 0.2, &dropout);
    if (status != THAW_OK)
        return status;
    append(into, "distilbert", &s, gelu_options[s.activation]);
    thaw_text_append(into, ",dropout=%.9g", dropout);
    return thaw_folder_append_sentence(c, folder, true, into);
}

static thaw_status describe_gpt2(const thaw_config *c, const char *folder, thaw_text *into)
{
    static const keys names = { "n_layer",     "n_embd",    "n_head", "n_inner", "activation_function",
                                "resid_pdrop", "attn_pdrop" };
    sizes s = { 0 };
    double epsilon = 0;
    thaw_status status = thaw_config_word(c, names.activation, tanh_first, &s.activation);
    if (status == THAW_OK)
        status = thaw_config_demand_truth(c, "scale_attn_weights", true, true);
    if (status == THAW_OK)
        status = thaw_config_demand_truth(c, "scale_attn_by_inverse_layer_idx", false, false);
    if (status == THAW_OK)
        status = thaw_config_demand_truth(c, "add_cross_attention", false, false);
    if (status == THAW_OK)
        status = thaw_config_demand_truth(c, "tie_word_embeddings", true, true);
    if (status == THAW_OK)
        status = read_sizes(c, &names, "n_positions", &s);
    if (status == THAW_OK)
        status = thaw_config_demand_number(c, "embd_pdrop", s.dropout, 0.1);
    if (status == THAW_OK)
        status = thaw_config_rate(c, "layer_norm_epsilon", 1e-5, &epsilon);
    if (status != THAW_OK)
        return status;
    append(into, "gpt2", &s, tanh_options[s.activation]);
    thaw_text_append(into, ",epsilon=%.9g", epsilon);
    return thaw_folder_append_sentence(c, folder, false, into);
}

/* ---- the most tokens of a text ---- */

static thaw_status read_length(const thaw_config *config, int64_t positions, size_t *length)
{
    int64_t most = positions;
    if (!json_is_object(config->root))
        return thaw_fail(config->context, THAW_BAD_FORMAT, "%s: must be an object", config->path);
    const thaw_status status = thaw_config_size(config, "max_seq_length", positions, THAW_CONFIG_MOST_ROWS, &most);
    *length = (size_t)(most < positions ? most : positions);
    return status;
}

thaw_status thaw_folder_find_length(thaw_model_folder *folder)
{
    static const char name[] = "sentence_bert_config.json", option[] = "positions=";
    char *path;
    json_t *root = NULL;
    const char *found = strstr(thaw_model_folder_description(folder), option);
    folder->length = found ? strtoul(found + strlen(option), NULL, 10) : 0;
    if (!folder->length || !thaw_folder_has(folder->path, name))
        return THAW_OK;
    thaw_status status = thaw_folder_path(folder->context, folder->path, name, &path);
    if (status != THAW_OK)
        return status;
    status = thaw_json_read(folder->context, path, &root);
    if (status == THAW_OK)
        status = read_length(&(thaw_config){ folder->context, path, root }, (int64_t)folder->length, &folder->length);
    json_decref(root);
    thaw_release(folder->context, path);
    return status;
}

const thaw_folder_family thaw_folder_bert = {
    .type = "bert",
    .prefix = "bert.",
    .fresh = "bert.pooler.*",
    .ignored = "cls.*|bert.embeddings.position_ids",
    .text = true,
    .describe = describe_bert,
};

const thaw_folder_family thaw_folder_distilbert = {
    .type = "distilbert",
    .prefix = "distilbert.",
    .fresh = "pre_classifier.*",
    .ignored = "vocab_*|qa_outputs.*|distilbert.embeddings.position_ids",
    .text = true,
    .describe = describe_distilbert,
};

const thaw_folder_family thaw_folder_gpt2 = {
    .type = "gpt2",
    .prefix = "transformer.",
    .ignored = "transformer.h.*.attn.bias|transformer.h.*.attn.masked_bias",
    .text = true,
    .describe = describe_gpt2,
};
