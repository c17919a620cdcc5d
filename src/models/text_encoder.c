#include "models/text_encoder.h"

#include <stdio.h>

/* A block of an encoder. */
typedef struct block {
    const thaw_encoder_names *names;
    const thaw_text_options *options;
    const thaw_text_inputs *inputs;
    int64_t number;
    bool first_only; /* computes the first token alone */
} block;

static const char *name_of(char name[THAW_LONGEST_TEXT_NAME], const block *b, const char *layer)
{
    snprintf(name, THAW_LONGEST_TEXT_NAME, "%s.%lld.%s", b->names->blocks, (long long)b->number, layer);
    return name;
}

static thaw_status append_dense(thaw_model *model, const block *b, const char *layer, int64_t units, thaw_node *node)
{
    char name[THAW_LONGEST_TEXT_NAME];
    return thaw_append_text_dense(model, name_of(name, b, layer), units, false, node);
}

static thaw_status append_first(thaw_model *model, thaw_node *node)
{
    return thaw_slice(model, *node, &(thaw_slice_options){ .count = 1 }, node);
}

/* Keys and values of the whole sequence. Queries behind its length have nothing to compute. */
static thaw_status append_attention(thaw_model *model, const block *b, thaw_node first, thaw_node *node)
{
    char name[THAW_LONGEST_TEXT_NAME];
    const char *const layers[3] = { b->names->query, b->names->key, b->names->value };
    const thaw_attention_options options = {
        .name = name_of(name, b, b->names->attention),
        .heads = b->options->heads,
        .lengths = &b->inputs->lengths,
        .query_lengths = b->first_only ? NULL : &b->inputs->lengths,
        .dropout = b->options->attention_dropout,
    };
    thaw_node parts[3] = { first, *node, *node };
    thaw_status status = THAW_OK;
    for (int i = 0; i < 3 && status == THAW_OK; i++)
        status = append_dense(model, b, layers[i], b->options->width, &parts[i]);
    return status == THAW_OK ? thaw_attention(model, parts, 3, &options, node) : status;
}

/* The end of half a block: a dense layer, dropout, the sum with what the half began with, and normalisation. */
static thaw_status append_end(thaw_model *model, const block *b, const char *dense, const char *norm,
                              thaw_node shortcut, thaw_node *node)
{
    char name[THAW_LONGEST_TEXT_NAME];
    thaw_status status = append_dense(model, b, dense, b->options->width, node);
    if (status == THAW_OK)
        status = thaw_append_text_dropout(model, b->options, node);
    if (status == THAW_OK)
        status = thaw_add(model, shortcut, *node, NULL, node);
    return status == THAW_OK ? thaw_append_text_norm(model, name_of(name, b, norm), b->options, node) : status;
}

static thaw_status append_block(thaw_model *model, const block *b, thaw_node *node)
{
    char name[THAW_LONGEST_TEXT_NAME];
    const int64_t hidden = b->options->hidden ? b->options->hidden : 4 * b->options->width;
    thaw_node shortcut = *node;
    thaw_status status = b->first_only ? append_first(model, &shortcut) : THAW_OK;
    if (status == THAW_OK)
        status = append_attention(model, b, shortcut, node);
    if (status == THAW_OK)
        status = append_end(model, b, b->names->projection, b->names->attention_norm, shortcut, node);
    shortcut = *node;
    if (status == THAW_OK)
        status = append_dense(model, b, b->names->hidden, hidden, node);
    if (status == THAW_OK)
        status = thaw_append_text_activation(model, name_of(name, b, b->names->activation), b->options, node);
    return status == THAW_OK ? append_end(model, b, b->names->output, b->names->output_norm, shortcut, node) : status;
}

/* Id 0 is [PAD], whose vector is 0 at first and does not train, as elsewhere. */
static thaw_status append_embeddings(thaw_model *model, const thaw_encoder_names *names,
                                     const thaw_text_options *options, const thaw_text_inputs *inputs, thaw_node *node)
{
    thaw_node types = inputs->types;
    *node = inputs->ids;
    thaw_status status = thaw_append_table(model, names->words, options->vocabulary, options, true, node);
    if (status == THAW_OK)
        status = thaw_append_places(model, names->positions, options, node);
    if (status == THAW_OK && inputs->has_types)
        status = thaw_append_table(model, names->types, options->types, options, false, &types);
    if (status == THAW_OK && inputs->has_types)
        status = thaw_add(model, *node, types, NULL, node);
    if (status == THAW_OK)
        status = thaw_append_text_norm(model, names->norm, options, node);
    return status == THAW_OK ? thaw_append_text_dropout(model, options, node) : status;
}

thaw_status thaw_append_encoder(thaw_model *model, const thaw_encoder_names *names, const thaw_text_options *options,
                                thaw_text_inputs *inputs, thaw_node *node)
{
    const bool first_only = options->pooling != THAW_POOLING_MEAN;
    thaw_status status = thaw_append_text_inputs(model, options, names->types && options->types, inputs);
    if (status == THAW_OK)
        status = append_embeddings(model, names, options, inputs, node);
    for (int64_t i = 0; i < options->layers && status == THAW_OK; i++) {
        const block next = { names, options, inputs, i, first_only && i == options->layers - 1 };
        status = append_block(model, &next, node);
    }
    return status;
}
