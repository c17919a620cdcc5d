/* The vision transformers of the zoo. */
#include "models/vision_transformer.h"

enum { TAKES = THAW_TAKES_SIZE | THAW_TAKES_DEPTH | THAW_TAKES_VISION };

static const thaw_vision_options tiny = { .layers = 12, .width = 192, .heads = 3, .patch = 16, .epsilon = 1e-6 },
                                 small = { .layers = 12, .width = 384, .heads = 6, .patch = 16, .epsilon = 1e-6 },
                                 base = { .layers = 12, .width = 768, .heads = 12, .patch = 16, .epsilon = 1e-6 };

static const thaw_vision_options dinov2_small = {
    .layers = 12, .width = 384, .heads = 6, .patch = 14, .epsilon = 1e-6, .scale = 1e-5
};

/* The defaults of transformers' configurations. */
static const thaw_vision_options vit = { .layers = 12, .width = 768, .heads = 12, .patch = 16, .epsilon = 1e-12 };
static const thaw_vision_options dinov2 = {
    .layers = 12, .width = 768, .heads = 12, .patch = 14, .epsilon = 1e-6, .scale = 1
};

const thaw_network thaw_network_vit_tiny = {
    .entry = { .name = "vit-tiny",
               .description = "ViT-Ti/16, as timm's",
               .parameters = 5717416,
               .weights = "timm's vit_tiny_patch16_224",
               .classes = 1000,
               .head = "head",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .takes = TAKES,
    .vision = &tiny,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = thaw_build_timm_vision,
};

const thaw_network thaw_network_vit_small = {
    .entry = { .name = "vit-small",
               .description = "ViT-S/16, as timm's",
               .parameters = 22050664,
               .weights = "timm's vit_small_patch16_224",
               .classes = 1000,
               .head = "head",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .takes = TAKES,
    .vision = &small,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = thaw_build_timm_vision,
};

const thaw_network thaw_network_vit_base = {
    .entry = { .name = "vit-base",
               .description = "ViT-B/16, as timm's",
               .parameters = 86567656,
               .weights = "timm's vit_base_patch16_224",
               .classes = 1000,
               .head = "head",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .takes = TAKES,
    .vision = &base,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = thaw_build_timm_vision,
};

const thaw_network thaw_network_deit_small = {
    .entry = { .name = "deit-small",
               .description = "DeiT-S/16, as timm's",
               .parameters = 22050664,
               .weights = "timm's deit_small_patch16_224",
               .classes = 1000,
               .head = "head",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .takes = TAKES,
    .vision = &small,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = thaw_build_timm_vision,
};

const thaw_network thaw_network_dinov2_small = {
    .entry = { .name = "dinov2-small",
               .description = "DINOv2 ViT-S/14, as timm's",
               .parameters = 22441192,
               .weights = "timm's vit_small_patch14_dinov2",
               .classes = 1000,
               .head = "head",
               .sample_shape = { .rank = 3, .dims = { 518, 518, 3 } } },
    .takes = TAKES,
    .vision = &dinov2_small,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = thaw_build_timm_vision,
};

const thaw_network thaw_network_vit = {
    .entry = { .name = "vit",
               .description = "ViT-B/16, as Hugging Face's",
               .parameters = 86567656,
               .weights = "google/vit-base-patch16-224",
               .classes = 1000,
               .head = "classifier",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .takes = TAKES,
    .vision = &vit,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = thaw_build_vit,
};

const thaw_network thaw_network_dinov2 = {
    .entry = { .name = "dinov2",
               .description = "DINOv2 ViT-B/14, as Hugging Face's",
               .parameters = 87261928,
               .weights = "facebook/dinov2-base-imagenet1k-1-layer",
               .classes = 1000,
               .head = "classifier",
               .sample_shape = { .rank = 3, .dims = { 224, 224, 3 } } },
    .takes = TAKES,
    .vision = &dinov2,
    .initializer = THAW_INITIAL_TRANSFORMER,
    .bias_initializer = THAW_INITIAL_ZERO,
    .build = thaw_build_dinov2,
};
