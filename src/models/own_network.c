#include "models/own_network.h"

#include <stdio.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/text.h"
#include "graph/model.h"
#include "io/module_file.h"
#include "models/option_values.h"
#include "params/settings.h"

bool thaw_is_own_network(const char *description)
{
    return memchr(description, '/', strcspn(description, ":")) != NULL;
}

/* ---------------------------------------------------------------- the module */

static const thaw_module_kind kind = {
    .name = "a network module",
    .abi = THAW_NETWORK_ABI,
    .least = offsetof(thaw_network_module, build) + sizeof(((thaw_network_module *)0)->build),
    .whole = sizeof(thaw_network_module),
};

/* The module with its newer fields, zero where its struct is too old to have them. */
static thaw_network_module complete(const thaw_network_module *module)
{
    thaw_network_module whole = { 0 };
    memcpy(&whole, module, module->size < sizeof whole ? module->size : sizeof whole);
    return whole;
}

static const char *module_error(const void *found, char message[THAW_HEAD_MESSAGE_BYTES])
{
    thaw_module_head head;
    memcpy(&head, found, sizeof head);
    if (thaw_module_head_error(&kind, &head, message))
        return message;
    const thaw_network_module module = complete(found);
    const thaw_shape *input = &module.sample_shape;
    if (!module.build)
        return "it has no build function";
    if (input->rank && (input->rank < 0 || input->rank > THAW_MAX_RANK || !thaw_shape_usable(input, 1)))
        return "its sample_shape is not a shape";
    return thaw_hyperparameters_error(module.name, module.options, module.option_count);
}

static thaw_status load(thaw_context *context, const char *description, thaw_own_network *own)
{
    static const thaw_module_file_kind wanted = { .what = "network module",
                                                  .type = "thaw_network_module",
                                                  .abi = THAW_NETWORK_ABI,
                                                  .alignment = _Alignof(thaw_network_module),
                                                  .error = module_error };
    const void *found = NULL;
    char *path = NULL;
    thaw_text text = { .context = context };
    thaw_text_append(&text, "%.*s", (int)strcspn(description, ":"), description);
    thaw_status status = thaw_text_finish(&text, &path);
    if (status == THAW_OK)
        status = thaw_module_file_open(context, path, &wanted, &found, &own->library);
    if (status == THAW_OK)
        own->module = complete(found);
    thaw_release(context, path);
    return status;
}

/* ---------------------------------------------------------------- options */

static bool is_input(const char *item)
{
    return strncmp(item, "input=", strlen("input=")) == 0;
}

/* Reads input=SHAPE, and appends the other items to `rest`. */
static thaw_status split(thaw_context *context, thaw_own_network *own, const char *options, thaw_text *rest)
{
    bool given = false;
    for (const char *item = options; *item; item += strcspn(item, ","), item += *item == ',') {
        const size_t length = strcspn(item, ",");
        const char *shape = item + strlen("input=");
        if (!is_input(item) || own->module.named_inputs) {
            thaw_text_append(rest, "%s%.*s", rest->length ? "," : "", (int)length, item);
            continue;
        }
        if (given)
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: input is given twice", own->module.name);
        given = true;
        if (!thaw_read_input(shape, length - strlen("input="), &own->input))
            return thaw_fail(context, THAW_INVALID_ARGUMENT,
                             "%s: \"%.*s\", must be a number of features, or HEIGHTxWIDTHxCHANNELS", own->module.name,
                             (int)(length < 100 ? length : 100), item);
    }
    return THAW_OK;
}

static thaw_status read_options(thaw_context *context, const char *options, thaw_own_network *own)
{
    const thaw_optimizer_module table = { .name = own->module.name,
                                          .hyperparameters = own->module.options,
                                          .hyperparameter_count = own->module.option_count };
    thaw_text rest = { .context = context };
    char *text = NULL;
    own->input = own->module.sample_shape;
    thaw_status status = split(context, own, options, &rest);
    const thaw_status finished = thaw_text_finish(&rest, &text);
    if (status == THAW_OK)
        status = finished;
    if (status == THAW_OK)
        status = thaw_settings_parse(context, &table, text, own->values);
    thaw_release(context, text);
    return status;
}

thaw_status thaw_own_network_open(thaw_context *context, const char *description, thaw_own_network *own)
{
    *own = (thaw_own_network){ 0 };
    const char *colon = strchr(description, ':');
    thaw_status status = load(context, description, own);
    if (status == THAW_OK)
        status = read_options(context, colon ? colon + 1 : "", own);
    if (status == THAW_OK)
        return THAW_OK;
    thaw_module_file_close(own->library);
    own->library = NULL;
    return status;
}

/* ---------------------------------------------------------------- building */

/* What a function of the user's has left must be a network. */
static thaw_status check(thaw_context *context, const char *name, const thaw_model *model, int64_t outputs,
                         thaw_node output)
{
    char found[80];
    const thaw_shape *shape = output > 0 ? thaw_model_node_shape(model, output) : NULL;
    if (!shape)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: its build returns node %d, which is none of its layers",
                         name, output);
    if (thaw_model_loss(model) >= 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: its build ends with a loss, which Thaw appends", name);
    if (!thaw_shape_equal(shape, &(thaw_shape){ 1, { outputs } }) &&
        !(model->longest && shape->rank == 2 && shape->dims[1] == outputs))
        return thaw_fail(context, THAW_SHAPE_MISMATCH, "%s: its outputs have shape %s, must have [%lld]", name,
                         thaw_shape_format(shape, found, sizeof found), (long long)outputs);
    return THAW_OK;
}

static thaw_status run_build(thaw_context *context, const thaw_own_network *own, thaw_model *model,
                             const thaw_network_request *wanted, thaw_node *output)
{
    thaw_node input = -1, node = -1;
    thaw_status status = own->module.named_inputs ? THAW_OK : thaw_input(model, &wanted->sample_shape, &input);
    if (status != THAW_OK)
        return status;
    status = own->module.build(model, input, wanted, &node);
    if ((int)status < THAW_OK || (int)status > THAW_INTERNAL)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: its build returns %d, which is no status",
                         own->module.name, (int)status);
    *output = node;
    return status == THAW_OK ? check(context, own->module.name, model, wanted->outputs, node) : status;
}

thaw_status thaw_own_network_build(thaw_own_network *own, thaw_model *model, size_t *outputs, thaw_node *output)
{
    thaw_context *context = thaw_model_context(model);
    const char *name = own->module.name;
    *outputs = *outputs ? *outputs : own->module.outputs;
    if (thaw_model_node_count(model) || model->library) {
        thaw_module_file_close(own->library);
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: the model must be empty", "an own network");
    }
    model->library = own->library;
    if (!own->input.rank && !own->module.named_inputs)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: needs input=SHAPE, such as input=28x28x1", name);
    if (*outputs < 1 || *outputs > INT32_MAX)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: classes is %zu, must be from 1 to %d", name, *outputs,
                         INT32_MAX);
    const thaw_shape input = own->module.named_inputs ? (thaw_shape){ 0 } : own->input;
    const thaw_network_request wanted = { input, (int64_t)*outputs, own->values };
    return run_build(context, own, model, &wanted, output);
}
