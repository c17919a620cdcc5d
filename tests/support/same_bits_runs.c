#include "support/same_bits.h"

#include <stdlib.h>
#include <string.h>

#include "support/combined_network.h"
#include "support/mixed_network.h"
#include "support/random_network.h"

static thaw_model *zoo(thaw_context *context, const char *description)
{
    thaw_model *model;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, description, 5));
    return model;
}

static thaw_model *network(thaw_context *context, const char *argument)
{
    return support_network(context, argument != NULL);
}

static thaw_model *combined(thaw_context *context, const char *argument)
{
    (void)argument;
    return support_combined_network(context);
}

static thaw_model *mixed(thaw_context *context, const char *argument)
{
    (void)argument;
    return support_mixed_network(context);
}

/* Of layers in any order, some of them frozen; named by the seed. Not 3: oneDNN 2.6.3 crashes for SSE4.1 where a sum
   follows a convolution whose channels are no multiple of 4. */
static thaw_model *any(thaw_context *context, const char *seed)
{
    return random_network(context, strtoul(seed, NULL, 10), true);
}

/* Two layers of both directions over an embedding, and a dense layer. "gru" or "lstm". */
static thaw_model *sequence(thaw_context *context, const char *kind)
{
    const thaw_recurrent_options options = {
        .name = "cells", .units = 24, .layers = 2, .bidirectional = true, .dropout = 0.25, .last_only = true
    };
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 12 } }, &x));
    assert_ok(context,
              thaw_embedding(model, x, &(thaw_embedding_options){ .name = "table", .rows = 300, .width = 16 }, &x));
    assert_ok(context, (strcmp(kind, "gru") == 0 ? thaw_gru : thaw_lstm)(model, x, &options, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = 5 }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    return model;
}

/* One direction of one layer over numbers, all of whose outputs are compared with targets. */
static thaw_model *signal(thaw_context *context, const char *kind)
{
    const thaw_recurrent_options options = { .name = "cell", .units = 33 };
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { 9, 6 } }, &x));
    assert_ok(context,
              thaw_conv1d(model, x, &(thaw_conv1d_options){ .name = "conv", .filters = 16, .kernel = 3, .same = true },
                          &x));
    assert_ok(context, thaw_gelu(model, x, NULL, &x));
    assert_ok(context, thaw_layer_norm(model, x, &(thaw_layer_norm_options){ .name = "norm" }, &x));
    assert_ok(context, (strcmp(kind, "gru") == 0 ? thaw_gru : thaw_lstm)(model, x, &options, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = 3 }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    return model;
}

#define NARROW                             \
    {                                      \
        .all = THAW_BF16, .emulated = true \
    }
#define NARROW_PREFIX                         \
    {                                         \
        .frozen = THAW_BF16, .emulated = true \
    }
#define MOMENTUM "sgd:lr=0.01,momentum=0.9,weight_decay=1e-4"

/* What a new run needs besides its line: its digest in tests/golden/same_bits.txt, see same_bits_test.c. */
const same_bits_run same_bits_runs[] = {
    { "transfer-cnn", zoo, "transfer-cnn", .optimizer = "adam" },
    { "cnn-8-16", zoo, "cnn-8-16", .frozen = "conv1", .optimizer = "sgd:lr=0.05,momentum=0.5,nesterov=1" },
    { "mlp-512", zoo, "mlp-512", .optimizer = "rmsprop:lr=1e-3,momentum=0.5" },
    { "mlp-500", zoo, "mlp-500", .frozen = "*1*", .optimizer = "adamw", .cache_bytes = 1 << 20 },
    { "resnet18", zoo, "resnet18:size=32", .optimizer = MOMENTUM },
    { "resnet18 head", zoo, "resnet18:size=64", .trains = "fc", .optimizer = "sgd:lr=0.05" },
    { "resnet18 blocks", zoo, "resnet18:size=64", .frozen = "conv1|bn1|layer[123]*", .optimizer = MOMENTUM,
      .cache_bytes = 1 << 24 },
    { "resnet18 unfused", zoo, "resnet18:size=32", .frozen = "conv1|bn1|layer[13]*", .optimizer = "sgd:lr=0.01",
      .unfused = true },
    { "resnet18 recompute", zoo, "resnet18:size=32", .frozen = "bn*", .optimizer = "sgd:lr=0.01", .recompute = true },
    { "resnet34", zoo, "resnet34:size=32", .frozen = "conv1|bn1|layer[12]*", .optimizer = "sgd:lr=0.01" },
    { "resnet50", zoo, "resnet50:size=32", .frozen = "conv1|bn1|layer[1]*", .optimizer = "sgd:lr=0.01" },
    { "resnet50 head", zoo, "resnet50:size=64", .trains = "fc", .optimizer = "adam", .cache_bytes = 1 << 24 },
    { "vgg16-bn", zoo, "vgg16-bn:size=32", .frozen = "features.[0-9]|features.[12]*|classifier.[03]",
      .optimizer = "sgd:lr=0.01", .epochs = 1 },
    { "mobilenet-v2", zoo, "mobilenet-v2:size=32", .optimizer = "rmsprop:lr=1e-3,centered=1" },
    { "mobilenet-v2 half", zoo, "mobilenet-v2:size=64", .frozen = "features.[0-9].*|features.1[0-4].*",
      .optimizer = MOMENTUM },
    { "efficientnet-lite0", zoo, "efficientnet-lite0:size=32", .frozen = "conv_stem|bn1|blocks.[0-2].*",
      .optimizer = "adamw", .clip_norm = 1 },
    { "network", network, NULL, .optimizer = "adam:lr=0.01", .epochs = 4 },
    { "network sgd", network, "dropout", .optimizer = "sgd:lr=0.05", .epochs = 3 },
    { "network nesterov", network, NULL, .optimizer = "sgd:lr=0.05,momentum=0.9,nesterov=1", .epochs = 3 },
    { "network dampening", network, NULL, .frozen = "dense2", .optimizer = "sgd:lr=0.05,momentum=0.9,dampening=0.5",
      .epochs = 3 },
    { "network adam", network, "dropout", .optimizer = "adam:lr=0.01,weight_decay=0.01", .epochs = 3,
      .clip_norm = 0.5 },
    { "network adamw", network, "dropout", .frozen = "conv2", .optimizer = "adamw:lr=0.01,weight_decay=0.1",
      .epochs = 3 },
    { "network rmsprop", network, NULL, .frozen = "conv1", .optimizer = "rmsprop:lr=0.01", .epochs = 3 },
    { "network centered", network, NULL, .optimizer = "rmsprop:lr=0.01,centered=1,momentum=0.9", .epochs = 3 },
    { "network cache", network, "dropout", .frozen = "conv*|dense1", .optimizer = "adam:lr=0.01", .epochs = 4,
      .cache_bytes = 1 << 20 },
    { "network narrow cache", network, NULL, .frozen = "conv*|dense1", .optimizer = "adam:lr=0.01", .epochs = 4,
      .cache_bytes = 700 },
    { "network gradual", network, "dropout", .trains = "dense3", .optimizer = "adam:lr=0.01", .epochs = 6,
      .cache_bytes = 1 << 20,
      .rules = { { 3, 0, "dense2", THAW_ACTION_UNFREEZE, 0 },
                 { 4, 0, "dense1|conv2", THAW_ACTION_UNFREEZE, 0 },
                 { 5, 0, "dense3", THAW_ACTION_FREEZE, 0 },
                 { 6, 0, "*", THAW_ACTION_UNFREEZE, 0 } },
      .rule_count = 4 },
    { "network bf16", network, NULL, .optimizer = "adam:lr=0.01", .precision = NARROW, .epochs = 3 },
    { "network bf16 prefix", network, NULL, .frozen = "conv*", .optimizer = "adam:lr=0.01", .precision = NARROW_PREFIX,
      .cache_bytes = 1 << 20 },
    { "resnet18 bf16", zoo, "resnet18:size=32", .frozen = "conv1|bn1|layer1*", .optimizer = "sgd:lr=0.01",
      .precision = NARROW },
    { "resnet18 bf16 prefix", zoo, "resnet18:size=32", .trains = "fc", .optimizer = "sgd:lr=0.01",
      .precision = NARROW_PREFIX, .cache_bytes = 1 << 20 },
    { "combined", combined, NULL, .optimizer = "adam:lr=0.01", .epochs = 3 },
    { "combined lora", combined, NULL, .frozen = "conv2|dense2|shared", .optimizer = "sgd:lr=0.05,momentum=0.9",
      .epochs = 3 },
    { "combined gradual", combined, NULL, .trains = "dense3", .optimizer = "adamw:lr=0.01", .epochs = 4,
      .cache_bytes = 1 << 20,
      .rules = { { 2, 0, "shared|norm", THAW_ACTION_UNFREEZE, 0 },
                 { 3, 0, "*lora", THAW_ACTION_UNFREEZE, 0 },
                 { 4, 0, "dense1", THAW_ACTION_UNFREEZE, 0 } },
      .rule_count = 3 },
    { "mixed", mixed, NULL, .optimizer = "adam:lr=0.01", .epochs = 3 },
    { "mixed adapters", mixed, NULL, .frozen = "conv1|norm|conv2|lstm", .optimizer = "sgd:lr=0.05,momentum=0.9",
      .epochs = 3 },
    { "mixed recompute", mixed, NULL, .frozen = "lstm", .optimizer = "sgd:lr=0.05", .epochs = 3, .recompute = true },
    { "random 1", any, "1", .optimizer = "sgd:lr=0.05", .epochs = 3 },
    { "random 2", any, "2", .optimizer = "sgd:lr=0.05,momentum=0.9", .epochs = 3, .cache_bytes = 1 << 20 },
    { "random 11", any, "11", .optimizer = "adam:lr=0.01", .epochs = 3, .recompute = true },
    { "random 7", any, "7", .optimizer = "adam:lr=0.01", .epochs = 3 },
    { "embedding lstm", sequence, "lstm", .optimizer = "sgd:lr=0.1" },
    { "embedding lstm upper", sequence, "lstm", .frozen = "table|cells.l0*", .optimizer = "adam:lr=0.01", .epochs = 3,
      .cache_bytes = 1 << 20 },
    { "embedding gru", sequence, "gru", .frozen = "cells.l1", .optimizer = "adam:lr=0.01", .clip_norm = 0.25 },
    { "signal lstm", signal, "lstm", .frozen = "conv", .optimizer = "rmsprop:lr=1e-3", .epochs = 3 },
    { "signal gru", signal, "gru", .frozen = "norm|cell", .optimizer = "sgd:lr=0.1", .epochs = 3 },
    { "signal gru head", signal, "gru", .trains = "head", .optimizer = "sgd:lr=0.1", .epochs = 3,
      .cache_bytes = 1 << 20 },
};
const size_t same_bits_run_count = THAW_COUNT(same_bits_runs);
