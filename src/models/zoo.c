#include "models/zoo.h"

#include <limits.h>
#include <string.h>

#include "core/text.h"

static const thaw_network *const networks[] = {
    &thaw_network_transfer_cnn,
    &thaw_network_cnn_8_16,
    &thaw_network_mlp_512,
    &thaw_network_mlp_500,
};

const thaw_zoo_entry *thaw_zoo_entry_at(size_t index)
{
    return index < THAW_COUNT(networks) ? &networks[index]->entry : NULL;
}

static thaw_status fail_unknown(thaw_context *context, const char *name)
{
    thaw_text known = { .context = context };
    char *names;
    for (size_t i = 0; i < THAW_COUNT(networks); i++)
        thaw_text_append(&known, "%s%s", i ? ", " : "", networks[i]->entry.name);
    if (thaw_text_finish(&known, &names) != THAW_OK)
        return THAW_OUT_OF_MEMORY;
    thaw_fail(context, THAW_NOT_FOUND, "no model is named \"%.100s\"; there are %s", name, names);
    thaw_text_destroy(context, names);
    return THAW_NOT_FOUND;
}

thaw_status thaw_zoo_build(thaw_model *model, const char *name, size_t classes)
{
    thaw_context *context = thaw_model_context(model);
    const thaw_network *network = NULL;
    for (size_t i = 0; i < THAW_COUNT(networks); i++)
        if (strcmp(networks[i]->entry.name, name) == 0)
            network = networks[i];
    if (!network)
        return fail_unknown(context, name);
    if (thaw_model_node_count(model))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: the model is not empty", name);
    const size_t outputs = classes ? classes : network->entry.classes;
    if (outputs > INT32_MAX)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %zu classes are too many", name, outputs);

    thaw_node node;
    thaw_status status = thaw_input(model, &network->entry.sample_shape, &node);
    if (status == THAW_OK)
        status = network->build(model, outputs, &node);
    if (status == THAW_OK)
        status =
            thaw_softmax_cross_entropy(model, node, &(thaw_softmax_cross_entropy_options){ .name = "loss" }, &node);
    return status;
}
