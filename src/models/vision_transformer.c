/* Vision transformers: Dosovitskiy et al. 2020, arXiv 2010.11929; DeiT, Touvron et al. 2020, arXiv 2012.12877; DINOv2,
   Oquab et al. 2023, arXiv 2304.07193. Names, layouts and initial values are timm's, or those of Hugging Face's
   transformers, which keeps queries, keys and values apart. */
#include <stdio.h>
#include <thaw/runtime.h>

#include "models/vision_transformer.h"

enum { EXPANSION = 4, LONGEST_NAME = 96 };

/* What files call the parts. Those of a block follow its number. */
typedef struct part_names {
    const char *patches, *token, *positions, *blocks;
    const char *norm1, *attention, *packed, *projections[3], *output; /* packed, or query, key and value */
    const char *norm2, *hidden, *activation, *hidden_output;
    const char *scales[2], *scale_parameters[2]; /* of LayerScale */
    const char *norm;
} part_names;

static const part_names timm = {
    .patches = "patch_embed.proj",
    .token = "cls_token",
    .positions = "pos_embed",
    .blocks = "blocks",
    .norm1 = "norm1",
    .attention = "attn",
    .packed = "attn.qkv",
    .output = "attn.proj",
    .norm2 = "norm2",
    .hidden = "mlp.fc1",
    .activation = "mlp.act",
    .hidden_output = "mlp.fc2",
    .scales = { "ls1", "ls2" },
    .scale_parameters = { "ls1.gamma", "ls2.gamma" },
    .norm = "norm",
};

static const part_names vit = {
    .patches = "vit.embeddings.patch_embeddings.projection",
    .token = "vit.embeddings.cls_token",
    .positions = "vit.embeddings.position_embeddings",
    .blocks = "vit.encoder.layer",
    .norm1 = "layernorm_before",
    .attention = "attention.attention",
    .projections = { "attention.attention.query", "attention.attention.key", "attention.attention.value" },
    .output = "attention.output.dense",
    .norm2 = "layernorm_after",
    .hidden = "intermediate.dense",
    .activation = "intermediate.activation",
    .hidden_output = "output.dense",
    .norm = "vit.layernorm",
};

static const part_names dinov2 = {
    .patches = "dinov2.embeddings.patch_embeddings.projection",
    .token = "dinov2.embeddings.cls_token",
    .positions = "dinov2.embeddings.position_embeddings",
    .blocks = "dinov2.encoder.layer",
    .norm1 = "norm1",
    .attention = "attention.attention",
    .projections = { "attention.attention.query", "attention.attention.key", "attention.attention.value" },
    .output = "attention.output.dense",
    .norm2 = "norm2",
    .hidden = "mlp.fc1",
    .activation = "mlp.activation",
    .hidden_output = "mlp.fc2",
    .scales = { "layer_scale1", "layer_scale2" },
    .scale_parameters = { "layer_scale1.lambda1", "layer_scale2.lambda1" },
    .norm = "dinov2.layernorm",
};

/* A block of a network. */
typedef struct block {
    const part_names *names;
    const thaw_vision_options *network;
    int64_t number;
    double drop_path; /* the rate of stochastic depth */
    bool only_token;  /* nothing reads the other tokens behind this block, the last one */
} block;

static const char *name_of(char name[LONGEST_NAME], const block *b, const char *layer)
{
    snprintf(name, LONGEST_NAME, "%s.%lld.%s", b->names->blocks, (long long)b->number, layer);
    return name;
}

static thaw_status append_norm(thaw_model *model, const char *name, const thaw_vision_options *v, thaw_node *node)
{
    return thaw_layer_norm(model, *node, &(thaw_layer_norm_options){ .name = name, .epsilon = v->epsilon }, node);
}

static thaw_status append_dense(thaw_model *model, const block *b, const char *layer, int64_t units, thaw_node *node)
{
    char name[LONGEST_NAME];
    return thaw_dense(model, *node,
                      &(thaw_dense_options){ .name = name_of(name, b, layer),
                                             .units = units,
                                             .initializer = THAW_INITIAL_TRANSFORMER,
                                             .bias_initializer = THAW_INITIAL_ZERO },
                      node);
}

/* ---------------------------------------------------------------- attention */

static thaw_status append_token(thaw_model *model, thaw_node tokens, bool squeeze, thaw_node *node)
{
    return thaw_slice(model, tokens, &(thaw_slice_options){ .count = 1, .squeeze = squeeze }, node);
}

static thaw_status append_columns(thaw_model *model, thaw_node qkv, int64_t width, int part, thaw_node *node)
{
    return thaw_slice(model, qkv, &(thaw_slice_options){ .axis = -1, .begin = part * width, .count = width }, node);
}

/* Queries, keys and values from one dense layer. The class token's query alone is cut out with those it reads. */
static thaw_status append_packed(thaw_model *model, const block *b, thaw_node input, thaw_node parts[3], size_t *count)
{
    const int64_t width = b->network->width;
    thaw_node qkv = input;
    thaw_status status = append_dense(model, b, b->names->packed, 3 * width, &qkv);
    *count = b->only_token ? 3 : 1;
    parts[0] = qkv;
    if (status != THAW_OK || !b->only_token)
        return status;
    status = append_token(model, qkv, false, &parts[0]);
    if (status == THAW_OK)
        status = append_columns(model, parts[0], width, 0, &parts[0]);
    for (int part = 1; part < 3 && status == THAW_OK; part++)
        status = append_columns(model, qkv, width, part, &parts[part]);
    return status;
}

/* From three. */
static thaw_status append_separate(thaw_model *model, const block *b, thaw_node input, thaw_node parts[3],
                                   size_t *count)
{
    thaw_status status = THAW_OK;
    *count = 3;
    parts[0] = parts[1] = parts[2] = input;
    if (b->only_token)
        status = append_token(model, input, false, &parts[0]);
    for (int part = 0; part < 3 && status == THAW_OK; part++)
        status = append_dense(model, b, b->names->projections[part], b->network->width, &parts[part]);
    return status;
}

static thaw_status append_attention(thaw_model *model, const block *b, thaw_node *node)
{
    char name[LONGEST_NAME];
    thaw_node parts[3];
    size_t count;
    const thaw_attention_options options = { .name = name_of(name, b, b->names->attention),
                                             .heads = b->network->heads };
    thaw_status status = (b->names->packed ? append_packed : append_separate)(model, b, *node, parts, &count);
    if (status == THAW_OK)
        status = thaw_attention(model, parts, count, &options, node);
    return status == THAW_OK ? append_dense(model, b, b->names->output, b->network->width, node) : status;
}

/* ---------------------------------------------------------------- blocks */

static thaw_status append_mlp(thaw_model *model, const block *b, thaw_node *node)
{
    char name[LONGEST_NAME];
    const thaw_vision_options *v = b->network;
    thaw_status status = append_dense(model, b, b->names->hidden, v->hidden ? v->hidden : EXPANSION * v->width, node);
    if (status == THAW_OK)
        status =
            thaw_gelu(model, *node, &(thaw_simple_options){ .name = name_of(name, b, b->names->activation) }, node);
    return status == THAW_OK ? append_dense(model, b, b->names->hidden_output, v->width, node) : status;
}

static thaw_status append_scale(thaw_model *model, const block *b, int branch, thaw_node *node)
{
    char name[LONGEST_NAME], parameter[LONGEST_NAME];
    const thaw_layer_scale_options options = { .name = name_of(name, b, b->names->scales[branch]),
                                               .parameter = name_of(parameter, b, b->names->scale_parameters[branch]),
                                               .initial = b->network->scale };
    return thaw_layer_scale(model, *node, &options, node);
}

/* Ends a residual branch, and adds it. */
static thaw_status append_sum(thaw_model *model, const block *b, int branch, thaw_node shortcut, thaw_node *node)
{
    thaw_status status = b->network->scale > 0 ? append_scale(model, b, branch, node) : THAW_OK;
    if (status == THAW_OK && b->drop_path > 0)
        status = thaw_stochastic_depth(model, *node, &(thaw_stochastic_depth_options){ .rate = b->drop_path }, node);
    return status == THAW_OK ? thaw_add(model, shortcut, *node, NULL, node) : status;
}

static thaw_status append_block(thaw_model *model, const block *b, thaw_node *node)
{
    char name[LONGEST_NAME];
    thaw_node shortcut = *node;
    thaw_status status = append_norm(model, name_of(name, b, b->names->norm1), b->network, node);
    if (status == THAW_OK)
        status = append_attention(model, b, node);
    if (status == THAW_OK && b->only_token)
        status = append_token(model, shortcut, false, &shortcut);
    if (status == THAW_OK)
        status = append_sum(model, b, 0, shortcut, node);
    shortcut = *node;
    if (status == THAW_OK)
        status = append_norm(model, name_of(name, b, b->names->norm2), b->network, node);
    if (status == THAW_OK)
        status = append_mlp(model, b, node);
    return status == THAW_OK ? append_sum(model, b, 1, shortcut, node) : status;
}

/* ---------------------------------------------------------------- the network */

/* Patches as a sequence, behind the class token. */
static thaw_status append_tokens(thaw_model *model, const part_names *names, const thaw_vision_options *v, int64_t side,
                                 thaw_node *node)
{
    thaw_status status = thaw_conv2d(model, *node,
                                     &(thaw_conv2d_options){ .name = names->patches,
                                                             .filters = v->width,
                                                             .kernel = { v->patch, v->patch },
                                                             .stride = { v->patch, v->patch } },
                                     node);
    if (status == THAW_OK)
        status = thaw_reshape(model, *node, &(thaw_reshape_options){ .shape = { 2, { -1, v->width } } }, node);
    if (status == THAW_OK)
        status = thaw_prepend_tokens(model, *node,
                                     &(thaw_prepend_tokens_options){ .name = names->token,
                                                                     .parameter = names->token,
                                                                     .leading = true,
                                                                     .initializer = THAW_INITIAL_ZERO },
                                     node);
    const thaw_positions_options positions = {
        .name = names->positions, .parameter = names->positions, .leading = true, .grid = { 1, side, side }
    };
    return status == THAW_OK ? thaw_positions(model, *node, &positions, node) : status;
}

/* The features of tokens: the class token, with `pairs` beside the mean of the patches. */
static thaw_status append_features(thaw_model *model, bool pairs, thaw_node *node)
{
    thaw_node parts[2];
    if (!pairs)
        return thaw_reshape(model, *node, &(thaw_reshape_options){ .shape = { 1, { -1 } } }, node);
    thaw_status status = append_token(model, *node, true, &parts[0]);
    if (status == THAW_OK)
        status = thaw_slice(model, *node, &(thaw_slice_options){ .begin = 1 }, &parts[1]);
    if (status == THAW_OK)
        status = thaw_sequence_mean(model, parts[1], NULL, &parts[1]);
    return status == THAW_OK ? thaw_concatenate(model, parts, 2, NULL, node) : status;
}

static thaw_status check(thaw_model *model, const thaw_vision_options *v, int64_t size)
{
    thaw_context *context = thaw_model_context(model);
    if (size % v->patch)
        return thaw_fail(context, THAW_SHAPE_MISMATCH, "vision transformer: size is %lld, must be a multiple of %lld",
                         (long long)size, (long long)v->patch);
    if (v->width % v->heads)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "vision transformer: width is %lld, must be a multiple of heads, %lld", (long long)v->width,
                         (long long)v->heads);
    return THAW_OK;
}

/* Stochastic depth grows from block to block, as in timm. */
static thaw_status build(thaw_model *model, const part_names *names, bool pairs, const thaw_network_options *options,
                         thaw_node *node)
{
    const thaw_vision_options *v = &options->vision;
    const int64_t size = thaw_model_node_shape(model, *node)->dims[0], last = v->layers - 1;
    thaw_status status = check(model, v, size);
    if (status == THAW_OK)
        status = append_tokens(model, names, v, size / v->patch, node);
    for (int64_t i = 0; i <= last && status == THAW_OK; i++) {
        const double drop_path = last ? options->drop_path * (double)i / (double)last : 0;
        status = append_block(model, &(block){ names, v, i, drop_path, i == last && !pairs }, node);
    }
    if (status == THAW_OK)
        status = append_norm(model, names->norm, v, node);
    return status == THAW_OK ? append_features(model, pairs, node) : status;
}

thaw_status thaw_build_timm_vision(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    return build(model, &timm, false, options, node);
}

thaw_status thaw_build_vit(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    return build(model, &vit, false, options, node);
}

thaw_status thaw_build_dinov2(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    return build(model, &dinov2, true, options, node);
}
