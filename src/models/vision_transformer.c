/* Vision transformers: Dosovitskiy et al. 2020, arXiv 2010.11929; DeiT, Touvron et al. 2020, arXiv 2012.12877; DINOv2,
   Oquab et al. 2023, arXiv 2304.07193. Names, layouts and initial values are timm's. */
#include <stdio.h>
#include <thaw/runtime.h>

#include "models/zoo.h"

enum { BLOCKS = 12, EXPANSION = 4, LONGEST_NAME = 64 };

typedef struct vision_transformer {
    int64_t width, heads, patch;
    bool scales; /* LayerScale ends each residual branch */
} vision_transformer;

/* A block of a network. */
typedef struct block {
    const vision_transformer *network;
    int number;
    double drop_path; /* the rate of stochastic depth */
} block;

static const double epsilon = 1e-6;

static const char *name_of(char name[LONGEST_NAME], const block *b, const char *layer)
{
    snprintf(name, LONGEST_NAME, "blocks.%d.%s", b->number, layer);
    return name;
}

static thaw_status append_norm(thaw_model *model, const char *name, thaw_node *node)
{
    return thaw_layer_norm(model, *node, &(thaw_layer_norm_options){ .name = name, .epsilon = epsilon }, node);
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

static thaw_status append_columns(thaw_model *model, thaw_node qkv, int64_t width, int part, thaw_node *node)
{
    return thaw_slice(model, qkv, &(thaw_slice_options){ .axis = -1, .begin = part * width, .count = width }, node);
}

/* In the last block only the class token's query is computed with: nothing reads the other tokens behind it. */
static thaw_status append_class_attention(thaw_model *model, const block *b, const char *name, thaw_node *node)
{
    const int64_t width = b->network->width;
    thaw_node parts[3];
    thaw_status status = thaw_slice(model, *node, &(thaw_slice_options){ .count = 1 }, &parts[0]);
    if (status == THAW_OK)
        status = append_columns(model, parts[0], width, 0, &parts[0]);
    for (int part = 1; part < 3 && status == THAW_OK; part++)
        status = append_columns(model, *node, width, part, &parts[part]);
    const thaw_attention_options options = { .name = name, .heads = b->network->heads };
    return status == THAW_OK ? thaw_attention(model, parts, 3, &options, node) : status;
}

static thaw_status append_attention(thaw_model *model, const block *b, thaw_node *node)
{
    char name[LONGEST_NAME];
    const int64_t width = b->network->width;
    const thaw_attention_options options = { .name = name_of(name, b, "attn"), .heads = b->network->heads };
    thaw_status status = append_dense(model, b, "attn.qkv", 3 * width, node);
    if (status == THAW_OK)
        status = b->number == BLOCKS - 1 ? append_class_attention(model, b, options.name, node)
                                         : thaw_attention(model, node, 1, &options, node);
    return status == THAW_OK ? append_dense(model, b, "attn.proj", width, node) : status;
}

static thaw_status append_mlp(thaw_model *model, const block *b, thaw_node *node)
{
    char name[LONGEST_NAME];
    thaw_status status = append_dense(model, b, "mlp.fc1", EXPANSION * b->network->width, node);
    if (status == THAW_OK)
        status = thaw_gelu(model, *node, &(thaw_simple_options){ .name = name_of(name, b, "mlp.act") }, node);
    return status == THAW_OK ? append_dense(model, b, "mlp.fc2", b->network->width, node) : status;
}

/* Ends a residual branch, and adds it. */
static thaw_status append_sum(thaw_model *model, const block *b, const char *scale, thaw_node shortcut, thaw_node *node)
{
    char name[LONGEST_NAME];
    thaw_status status = THAW_OK;
    if (b->network->scales)
        status = thaw_layer_scale(model, *node, &(thaw_layer_scale_options){ .name = name_of(name, b, scale) }, node);
    if (status == THAW_OK && b->drop_path > 0)
        status = thaw_stochastic_depth(model, *node, &(thaw_stochastic_depth_options){ .rate = b->drop_path }, node);
    return status == THAW_OK ? thaw_add(model, shortcut, *node, NULL, node) : status;
}

static thaw_status append_block(thaw_model *model, const block *b, thaw_node *node)
{
    char name[LONGEST_NAME];
    thaw_node shortcut = *node;
    thaw_status status = append_norm(model, name_of(name, b, "norm1"), node);
    if (status == THAW_OK)
        status = append_attention(model, b, node);
    if (status == THAW_OK && b->number == BLOCKS - 1)
        status = thaw_slice(model, shortcut, &(thaw_slice_options){ .count = 1 }, &shortcut);
    if (status == THAW_OK)
        status = append_sum(model, b, "ls1", shortcut, node);
    shortcut = *node;
    if (status == THAW_OK)
        status = append_norm(model, name_of(name, b, "norm2"), node);
    if (status == THAW_OK)
        status = append_mlp(model, b, node);
    return status == THAW_OK ? append_sum(model, b, "ls2", shortcut, node) : status;
}

/* Patches as a sequence, behind the class token. */
static thaw_status append_tokens(thaw_model *model, const vision_transformer *v, int64_t side, thaw_node *node)
{
    thaw_status status = thaw_conv2d(model, *node,
                                     &(thaw_conv2d_options){ .name = "patch_embed.proj",
                                                             .filters = v->width,
                                                             .kernel = { v->patch, v->patch },
                                                             .stride = { v->patch, v->patch } },
                                     node);
    if (status == THAW_OK)
        status = thaw_reshape(model, *node, &(thaw_reshape_options){ .shape = { 2, { -1, v->width } } }, node);
    if (status == THAW_OK)
        status = thaw_prepend_tokens(model, *node,
                                     &(thaw_prepend_tokens_options){ .name = "cls_token",
                                                                     .parameter = "cls_token",
                                                                     .leading = true,
                                                                     .initializer = THAW_INITIAL_ZERO },
                                     node);
    const thaw_positions_options positions = {
        .name = "pos_embed", .parameter = "pos_embed", .leading = true, .grid = { 1, side, side }
    };
    return status == THAW_OK ? thaw_positions(model, *node, &positions, node) : status;
}

/* Stochastic depth grows from block to block, as in timm. */
static thaw_status build(thaw_model *model, const vision_transformer *v, const thaw_network_options *options,
                         thaw_node *node)
{
    const int64_t size = thaw_model_node_shape(model, *node)->dims[0];
    if (size % v->patch)
        return thaw_fail(thaw_model_context(model), THAW_SHAPE_MISMATCH,
                         "vision transformer: size is %lld, must be a multiple of %lld", (long long)size,
                         (long long)v->patch);
    thaw_status status = append_tokens(model, v, size / v->patch, node);
    for (int i = 0; i < BLOCKS && status == THAW_OK; i++)
        status = append_block(model, &(block){ v, i, options->drop_path * i / (BLOCKS - 1) }, node);
    if (status == THAW_OK)
        status = append_norm(model, "norm", node);
    return status == THAW_OK ? thaw_reshape(model, *node, &(thaw_reshape_options){ .shape = { 1, { -1 } } }, node)
                             : status;
}

static const vision_transformer tiny = { 192, 3, 16, false }, small = { 384, 6, 16, false },
                                base = { 768, 12, 16, false }, dinov2 = { 384, 6, 14, true };

static thaw_status build_tiny(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    return build(model, &tiny, options, node);
}

static thaw_status build_small(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    return build(model, &small, options, node);
}

static thaw_status build_base(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    return build(model, &base, options, node);
}

static thaw_status build_dinov2(thaw_model *model, const thaw_network_options *options, thaw_node *node)
{
    return build(model, &dinov2, options, node);
}

#define NETWORK(variable, function, side, count, text, timm, label)            \
    const thaw_network variable = {                                            \
        .entry = { .name = label,                                              \
                   .description = text ", as timm's",                          \
                   .parameters = count,                                        \
                   .weights = "timm's " timm,                                  \
                   .classes = 1000,                                            \
                   .head = "head",                                             \
                   .sample_shape = { .rank = 3, .dims = { side, side, 3 } } }, \
        .takes = THAW_TAKES_SIZE | THAW_TAKES_DEPTH,                           \
        .initializer = THAW_INITIAL_TRANSFORMER,                               \
        .bias_initializer = THAW_INITIAL_ZERO,                                 \
        .build = function,                                                     \
    }

NETWORK(thaw_network_vit_tiny, build_tiny, 224, 5717416, "ViT-Ti/16", "vit_tiny_patch16_224", "vit-tiny");
NETWORK(thaw_network_vit_small, build_small, 224, 22050664, "ViT-S/16", "vit_small_patch16_224", "vit-small");
NETWORK(thaw_network_vit_base, build_base, 224, 86567656, "ViT-B/16", "vit_base_patch16_224", "vit-base");
NETWORK(thaw_network_deit_small, build_small, 224, 22050664, "DeiT-S/16", "deit_small_patch16_224", "deit-small");
NETWORK(thaw_network_dinov2_small, build_dinov2, 518, 22441192, "DINOv2 ViT-S/14", "vit_small_patch14_dinov2",
        "dinov2-small");
