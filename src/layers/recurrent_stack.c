/* Stacks of recurrent layers, with one direction or two. Each direction of each layer is a node, so that the frozen
   ones below the trained ones become a prefix. */
#include <stdio.h>

#include "graph/model.h"
#include "layers/recurrent.h"

typedef struct stack {
    thaw_model *model;
    const thaw_layer_module *module;
    thaw_cell_kind cell;
    const thaw_recurrent_options *options;
    const char *name;
    int64_t layers, directions;
    size_t states; /* of a cell */
} stack;

enum { NAME_BYTES = 192, MOST_LAYERS = 1000 };

static thaw_status append_direction(const stack *s, int64_t layer, bool reverse, thaw_node input, thaw_node *output)
{
    const thaw_recurrent_options *o = s->options;
    char suffix[48], name[NAME_BYTES];
    snprintf(suffix, sizeof suffix, "_l%lld%s", (long long)layer, reverse ? "_reverse" : "");
    snprintf(name, sizeof name, "%s.%s", s->name, suffix + 1);
    const thaw_recurrent_node node = {
        .cell = s->cell,
        .units = o->units,
        .place = layer * s->directions + reverse,
        .places = s->layers * s->directions,
        .reverse = reverse,
        .last_only = o->last_only && layer == s->layers - 1,
        .no_bias = o->no_bias,
        .initializer = o->initializer,
        .bias_initializer = o->bias_initializer,
        .path = s->name,
        .suffix = suffix,
    };
    const thaw_node inputs[] = { input, o->initial_count > 0 ? o->initial[0] : 0,
                                 o->initial_count > 1 ? o->initial[1] : 0 };
    return thaw_model_append(s->model, s->module, node.places > 1 ? name : s->name, inputs, 1 + o->initial_count, &node,
                             output);
}

/* Both directions of a layer side by side. */
static thaw_status append_pair(const stack *s, int64_t layer, thaw_node input, thaw_node *output)
{
    char name[NAME_BYTES];
    thaw_node both[2];
    snprintf(name, sizeof name, "%s.l%lld_both", s->name, (long long)layer);
    thaw_status status = append_direction(s, layer, false, input, &both[0]);
    if (status == THAW_OK)
        status = append_direction(s, layer, true, input, &both[1]);
    return status == THAW_OK
               ? thaw_concatenate(s->model, both, 2, &(thaw_concatenate_options){ .name = name, .axis = -1 }, output)
               : status;
}

static thaw_status append_layers(const stack *s, thaw_node input, thaw_node *output)
{
    thaw_status status = THAW_OK;
    thaw_node at = input;
    for (int64_t layer = 0; layer < s->layers && status == THAW_OK; layer++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "%s.dropout%lld", s->name, (long long)layer);
        status = s->directions > 1 ? append_pair(s, layer, at, &at) : append_direction(s, layer, false, at, &at);
        if (status == THAW_OK && s->options->dropout > 0 && layer < s->layers - 1)
            status = thaw_dropout(s->model, at,
                                  &(thaw_dropout_options){ .name = name,
                                                           .rate = s->options->dropout,
                                                           .drop_when_frozen = s->options->drop_when_frozen },
                                  &at);
    }
    if (status == THAW_OK)
        *output = at;
    return status;
}

static thaw_status check(const stack *s)
{
    const thaw_recurrent_options *o = s->options;
    thaw_context *context = s->model->context;
    if (s->layers < 1 || s->layers > MOST_LAYERS)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: layers is %lld, must be from 1 to %d", s->name,
                         (long long)o->layers, MOST_LAYERS);
    if (!(o->dropout >= 0 && o->dropout < 1))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: dropout is %g, must be at least 0 and below 1", s->name,
                         o->dropout);
    const size_t wanted = o->initial ? s->states : 0;
    if (o->initial_count != wanted)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: initial_count is %zu, must be %zu %s initial states",
                         s->name, o->initial_count, wanted, o->initial ? "with" : "without");
    return THAW_OK;
}

thaw_status thaw_recurrent_append(thaw_model *model, const thaw_layer_module *module, thaw_cell_kind cell,
                                  thaw_node input, const thaw_recurrent_options *options, thaw_node *output)
{
    char made_name[THAW_NAME_BYTES];
    const thaw_recurrent_options settings = options ? *options : (thaw_recurrent_options){ 0 };
    const stack s = {
        .model = model,
        .module = module,
        .cell = cell,
        .options = &settings,
        .name = settings.name ? settings.name : thaw_model_make_name(model, module->name, made_name),
        .layers = settings.layers ? settings.layers : 1,
        .directions = settings.bidirectional ? 2 : 1,
        .states = thaw_cell_of(cell, THAW_CPU_BASELINE)->states,
    };
    const size_t nodes_before = model->node_count;
    thaw_status status = check(&s);
    if (status == THAW_OK)
        status = append_layers(&s, input, output);
    if (status != THAW_OK)
        thaw_model_truncate(model, nodes_before);
    return status;
}
