#include "models/zoo.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <thaw/notes.h>
#include <thaw/runtime.h>

#include "io/module_file.h"
#include "models/description.h"
#include "models/head.h"
#include "models/own_network.h"

static const thaw_network *const networks[] = {
    &thaw_network_transfer_cnn,
    &thaw_network_cnn_8_16,
    &thaw_network_mlp_512,
    &thaw_network_mlp_500,
    &thaw_network_mlp,
    &thaw_network_cnn,
    &thaw_network_resnet18,
    &thaw_network_resnet34,
    &thaw_network_resnet50,
    &thaw_network_vgg16,
    &thaw_network_vgg16_bn,
    &thaw_network_mobilenet_v2,
    &thaw_network_mobilenetv2_100,
    &thaw_network_efficientnet_lite0,
    &thaw_network_vit_tiny,
    &thaw_network_vit_small,
    &thaw_network_vit_base,
    &thaw_network_deit_small,
    &thaw_network_dinov2_small,
    &thaw_network_vit,
    &thaw_network_dinov2,
    &thaw_network_convnext_tiny,
    &thaw_network_bert_base,
    &thaw_network_minilm_l6,
    &thaw_network_distilbert,
    &thaw_network_gpt2,
};

const thaw_zoo_entry *thaw_zoo_entry_at(size_t index)
{
    return index < THAW_COUNT(networks) ? &networks[index]->entry : NULL;
}

static thaw_status check_own(thaw_context *context, const char *description)
{
    thaw_own_network own;
    const thaw_status status = thaw_own_network_open(context, description, &own);
    thaw_module_file_close(own.library);
    return status;
}

thaw_status thaw_zoo_check(thaw_context *context, const char *description)
{
    if (thaw_is_own_network(description))
        return check_own(context, description);
    const thaw_network *network;
    thaw_network_options options;
    return thaw_network_find(context, description, networks, THAW_COUNT(networks), &network, &options);
}

/* So that files of its weights say what to build. */
static thaw_status note(thaw_model *model, const char *description, size_t outputs)
{
    char text[32];
    snprintf(text, sizeof text, "%zu", outputs);
    const thaw_status status = thaw_model_set_note(model, "thaw.model", description);
    return status == THAW_OK ? thaw_model_set_note(model, "thaw.outputs", outputs ? text : NULL) : status;
}

/* The input that a network was built for, where its description does not say it. */
static thaw_status note_input(thaw_model *model, const thaw_network *network, const thaw_network_options *options)
{
    char text[24 * THAW_MAX_RANK] = "";
    const thaw_shape *input = thaw_model_node_shape(model, 0);
    if (network->text || options->input.rank || options->size ||
        thaw_shape_equal(input, &network->entry.sample_shape) ||
        (input->rank != 1 && input->rank != 3)) /* a description has those */
        return thaw_model_set_note(model, "thaw.input", NULL);
    for (int i = 0; i < input->rank; i++)
        sprintf(text + strlen(text), "%s%" PRId64, i ? "x" : "", input->dims[i]);
    return thaw_model_set_note(model, "thaw.input", text);
}

static thaw_status declare_input(thaw_model *model, const thaw_network *network, const thaw_network_options *options,
                                 const thaw_shape *samples, thaw_node *node)
{
    thaw_shape input = network->entry.sample_shape;
    if (options->input.rank)
        input = options->input;
    if (options->size)
        input.dims[0] = input.dims[1] = options->size;
    else if (samples && network->any_input && !options->input.rank)
        input = *samples;
    return thaw_input(model, &input, node);
}

static thaw_status build(thaw_model *model, const thaw_network *network, thaw_network_options *options,
                         const thaw_shape *samples, size_t outputs, thaw_node *node)
{
    thaw_context *context = thaw_model_context(model);
    if (thaw_model_node_count(model))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: the model must be empty", network->entry.name);
    if (outputs > INT32_MAX)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: classes is %zu, which is too many", network->entry.name,
                         outputs);
    const size_t usual = network->predicts_tokens ? (size_t)options->text.vocabulary : network->entry.classes;
    options->classes = (int64_t)(outputs ? outputs : usual);
    thaw_status status = network->text ? THAW_OK : declare_input(model, network, options, samples, node);
    if (status == THAW_OK)
        status = network->build(model, options, node);
    return status == THAW_OK && !network->predicts_tokens ? thaw_append_network_head(model, network, options, node)
                                                          : status;
}

static thaw_status build_own(thaw_model *model, const char *description, size_t outputs, thaw_node *output)
{
    thaw_own_network own;
    thaw_status status = thaw_own_network_open(thaw_model_context(model), description, &own);
    if (status == THAW_OK)
        status = thaw_own_network_build(&own, model, &outputs, output);
    return status == THAW_OK ? note(model, description, outputs) : status;
}

thaw_status thaw_zoo_network_for(thaw_model *model, const char *description, const thaw_shape *samples, size_t outputs,
                                 thaw_node *output)
{
    if (thaw_is_own_network(description))
        return build_own(model, description, outputs, output);
    const thaw_network *network;
    thaw_network_options options;
    thaw_status status =
        thaw_network_find(thaw_model_context(model), description, networks, THAW_COUNT(networks), &network, &options);
    if (status == THAW_OK)
        status = build(model, network, &options, samples, outputs, output);
    if (status == THAW_OK)
        status = note_input(model, network, &options);
    if (status != THAW_OK)
        return status;
    return note(model, description, options.head == THAW_HEAD_NONE ? 0 : (size_t)options.classes);
}

thaw_status thaw_zoo_network(thaw_model *model, const char *description, size_t outputs, thaw_node *output)
{
    return thaw_zoo_network_for(model, description, NULL, outputs, output);
}

/* Appends the loss of classes, or of tokens. */
static thaw_status append_loss(thaw_model *model, bool of_tokens, thaw_node node)
{
    if (of_tokens)
        return thaw_token_cross_entropy(model, node, &(thaw_token_cross_entropy_options){ .name = "loss" }, &node);
    return thaw_softmax_cross_entropy(model, node, &(thaw_softmax_cross_entropy_options){ .name = "loss" }, &node);
}

/* Whether the outputs are logits, of classes or of tokens. */
static thaw_status check_head(thaw_context *context, const char *description, bool *of_tokens)
{
    *of_tokens = false;
    if (thaw_is_own_network(description))
        return THAW_OK;
    const thaw_network *network;
    thaw_network_options options;
    const thaw_status status =
        thaw_network_find(context, description, networks, THAW_COUNT(networks), &network, &options);
    if (status != THAW_OK)
        return status;
    *of_tokens = network->predicts_tokens;
    if (options.head != THAW_HEAD_NONE)
        return THAW_OK;
    return thaw_fail(context, THAW_INVALID_ARGUMENT,
                     "%s: head=none leaves nothing to compute a loss of; thaw_zoo_network builds the features",
                     network->entry.name);
}

thaw_status thaw_zoo_build_for(thaw_model *model, const char *description, const thaw_shape *samples, size_t classes)
{
    thaw_node node;
    bool of_tokens;
    thaw_status status = check_head(thaw_model_context(model), description, &of_tokens);
    if (status == THAW_OK)
        status = thaw_zoo_network_for(model, description, samples, classes, &node);
    return status == THAW_OK ? append_loss(model, of_tokens, node) : status;
}

thaw_status thaw_zoo_build(thaw_model *model, const char *description, size_t classes)
{
    return thaw_zoo_build_for(model, description, NULL, classes);
}
