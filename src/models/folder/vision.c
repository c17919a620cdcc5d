/* Vision transformers by transformers' configurations. */
#include <jansson.h>
#include <math.h>

#include "models/folder/folder.h"

/* What both configurations say. */
typedef struct sizes {
    int64_t layers, width, heads, patch, side;
    double epsilon;
} sizes;

static thaw_status read_sizes(const thaw_config *c, int64_t patch, double epsilon, sizes *s)
{
    enum { LARGEST = THAW_CONFIG_LARGEST_SIZE };
    thaw_status status = thaw_config_size(c, "num_hidden_layers", 12, LARGEST, &s->layers);
    if (status == THAW_OK)
        status = thaw_config_size(c, "hidden_size", 768, LARGEST, &s->width);
    if (status == THAW_OK)
        status = thaw_config_size(c, "num_attention_heads", 12, LARGEST, &s->heads);
    if (status == THAW_OK)
        status = thaw_config_side(c, "patch_size", patch, &s->patch);
    if (status == THAW_OK)
        status = thaw_config_side(c, "image_size", 224, &s->side);
    if (status == THAW_OK)
        status = thaw_config_rate(c, "layer_norm_eps", epsilon, &s->epsilon);
    if (status == THAW_OK && s->width % s->heads)
        status = thaw_fail(c->context, THAW_INVALID_ARGUMENT,
                           "%s: hidden_size is %lld, must be a multiple of num_attention_heads, %lld", c->path,
                           (long long)s->width, (long long)s->heads);
    if (status == THAW_OK && s->side % s->patch)
        status = thaw_fail(c->context, THAW_INVALID_ARGUMENT,
                           "%s: image_size is %lld, must be a multiple of patch_size, %lld", c->path,
                           (long long)s->side, (long long)s->patch);
    return status;
}

static thaw_status check(const thaw_config *c)
{
    thaw_status status = thaw_config_demand_word(c, "hidden_act", "gelu");
    if (status == THAW_OK)
        status = thaw_config_demand_truth(c, "qkv_bias", true, true);
    if (status == THAW_OK)
        status = thaw_config_demand_number(c, "num_channels", 3, 3);
    if (status == THAW_OK)
        status = thaw_config_demand_number(c, "hidden_dropout_prob", 0, 0);
    return status == THAW_OK ? thaw_config_demand_number(c, "attention_probs_dropout_prob", 0, 0) : status;
}

static void append(thaw_text *into, const char *name, const sizes *s, int64_t hidden)
{
    thaw_text_append(into, "%s:layers=%lld,width=%lld,heads=%lld,hidden=%lld,patch=%lld,epsilon=%.9g,size=%lld", name,
                     (long long)s->layers, (long long)s->width, (long long)s->heads, (long long)hidden,
                     (long long)s->patch, s->epsilon, (long long)s->side);
}

static thaw_status describe_vit(const thaw_config *c, const char *folder, thaw_text *into)
{
    sizes s = { 0 };
    int64_t hidden = 0;
    (void)folder;
    thaw_status status = check(c);
    if (status == THAW_OK)
        status = read_sizes(c, 16, 1e-12, &s);
    if (status == THAW_OK)
        status = thaw_config_size(c, "intermediate_size", 3072, THAW_CONFIG_LARGEST_SIZE, &hidden);
    if (status == THAW_OK)
        append(into, "vit", &s, hidden);
    return status;
}

static thaw_status read_ratio(const thaw_config *c, int64_t width, int64_t *hidden)
{
    const json_t *value = json_object_get(c->root, "mlp_ratio");
    const double ratio = value && !json_is_null(value) ? json_number_value(value) : 4;
    const double product = trunc(ratio * (double)width);
    if (!(product >= 1 && product <= THAW_CONFIG_LARGEST_SIZE))
        return thaw_config_refuse(c, THAW_BAD_FORMAT, "mlp_ratio", value,
                                  "a number that times hidden_size is from 1 to 65536");
    *hidden = (int64_t)product;
    return THAW_OK;
}

static thaw_status describe_dinov2(const thaw_config *c, const char *folder, thaw_text *into)
{
    sizes s = { 0 };
    int64_t hidden = 0;
    (void)folder;
    thaw_status status = check(c);
    if (status == THAW_OK)
        status = thaw_config_demand_truth(c, "use_swiglu_ffn", false, false);
    if (status == THAW_OK)
        status = thaw_config_demand_number(c, "drop_path_rate", 0, 0);
    if (status == THAW_OK)
        status = read_sizes(c, 14, 1e-6, &s);
    if (status == THAW_OK)
        status = read_ratio(c, s.width, &hidden);
    if (status == THAW_OK)
        append(into, "dinov2", &s, hidden);
    return status;
}

const thaw_folder_family thaw_folder_vit = {
    .type = "vit",
    .prefix = "vit.",
    .ignored = "vit.pooler.*|vit.embeddings.mask_token",
    .describe = describe_vit,
};

const thaw_folder_family thaw_folder_dinov2 = {
    .type = "dinov2",
    .prefix = "dinov2.",
    .ignored = "dinov2.embeddings.mask_token",
    .describe = describe_dinov2,
};
