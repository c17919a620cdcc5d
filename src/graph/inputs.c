/* The inputs of a model. A sample is one row of floats: node 0 holds it, and named inputs take their parts of it. */
#include "graph/input_part.h"
#include "graph/model.h"

static const char sample_name[] = "(inputs)";

static thaw_status fail_shape(const thaw_model *model, const char *name, const thaw_shape *shape)
{
    char text[80];
    return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s: %s cannot be the shape of a sample", name,
                     shape->rank <= THAW_MAX_RANK ? thaw_shape_format(shape, text, sizeof text) : "a rank above 6");
}

thaw_status thaw_input(thaw_model *model, const thaw_shape *sample_shape, thaw_node *output)
{
    if (model->node_count)
        return thaw_fail(model->context, THAW_DUPLICATE, "input: the model already has an input, or layers");
    if (sample_shape->rank < 1 || !thaw_shape_usable(sample_shape, 1))
        return fail_shape(model, "input", sample_shape);
    thaw_graph_node *node;
    const thaw_status status = thaw_model_reserve_sample(model, "input", &node);
    if (status != THAW_OK)
        return status;
    node->output = *sample_shape;
    model->node_count = model->first_layer = model->input_count = 1;
    model->inputs[0] = (thaw_graph_input){ .dtype = THAW_F32, .count = thaw_shape_count(sample_shape) };
    model->parameters.revision++;
    *output = 0;
    return THAW_OK;
}

static thaw_status check_place(const thaw_model *model, const char *name)
{
    thaw_context *context = model->context;
    if (thaw_model_has_layers(model))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: an input must be declared before any layer", name);
    if (model->node_count == 1)
        return thaw_fail(context, THAW_DUPLICATE, "%s: thaw_input has declared the model's only input", name);
    if (model->input_count == THAW_MOST_MODEL_INPUTS)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: the model has %d inputs, must have at most as many", name,
                         THAW_MOST_MODEL_INPUTS);
    return THAW_OK;
}

static thaw_status check_kind(const thaw_model *model, const char *name, const thaw_input_options *options,
                              const thaw_shape *shape)
{
    thaw_context *context = model->context;
    if (options->dtype != THAW_F32 && options->dtype != THAW_I32)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: an input must be of f32 or i32", name);
    if (options->lengths && (options->sequence || options->dtype != THAW_I32 || thaw_shape_count(shape) != 1))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: lengths must be one i32 number a sample", name);
    if (options->optional && (options->lengths || model->input_count == 0))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %s cannot be optional", name,
                         options->lengths ? "lengths" : "the first input");
    if (options->lengths && model->lengths)
        return thaw_fail(context, THAW_DUPLICATE, "%s: \"%s\" already has the lengths", name,
                         model->nodes[model->lengths->node].name);
    if (options->sequence && model->longest && model->longest != shape->dims[0])
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "%s: the sequence has %lld steps, another %lld: must be the same", name,
                         (long long)shape->dims[0], (long long)model->longest);
    return THAW_OK;
}

/* The sample with one more part. A single part is the sample itself, in its shape. */
static thaw_status widen(const thaw_model *model, const char *name, const thaw_shape *part, thaw_shape *sample)
{
    *sample = *part;
    if (model->input_count == 0)
        return THAW_OK;
    const thaw_graph_input *last = &model->inputs[model->input_count - 1];
    *sample = (thaw_shape){ 1, { (int64_t)(last->first + last->count + thaw_shape_count(part)) } };
    return thaw_shape_usable(sample, 1)
               ? THAW_OK
               : thaw_fail(model->context, THAW_INVALID_ARGUMENT, "%s: the inputs together are too large", name);
}

static thaw_status append(thaw_model *model, const thaw_input_options *options, const thaw_shape *shape,
                          thaw_node *output)
{
    const thaw_node sample = 0;
    const thaw_input_part part = { (size_t)thaw_shape_count(&model->nodes[0].output) - thaw_shape_count(shape),
                                   *shape };
    char made_name[THAW_NAME_BYTES];
    const thaw_status status =
        thaw_model_append(model, options->dtype == THAW_I32 ? &thaw_input_of_whole_numbers : &thaw_input_of_floats,
                          options->name ? options->name : thaw_model_make_name(model, "input", made_name), &sample, 1,
                          &part, output);
    if (status != THAW_OK)
        return status;
    thaw_graph_input *made = &model->inputs[model->input_count++];
    *made = (thaw_graph_input){ options->dtype,          *output,           part.first,
                                thaw_shape_count(shape), options->sequence, options->optional };
    model->lengths = options->lengths ? made : model->lengths;
    model->longest = options->sequence ? shape->dims[0] : model->longest;
    model->first_layer = model->node_count;
    return THAW_OK;
}

thaw_status thaw_named_input(thaw_model *model, const thaw_input_options *options, thaw_node *output)
{
    const char *name = options->name ? options->name : "input";
    const thaw_shape shape = options->shape.rank == 0 ? (thaw_shape){ 1, { 1 } } : options->shape;
    thaw_shape sample, before = { 0 };
    thaw_graph_node *node;
    thaw_status status = check_place(model, name);
    if (status == THAW_OK && !thaw_shape_usable(&shape, 1))
        status = fail_shape(model, name, &shape);
    if (status == THAW_OK)
        status = check_kind(model, name, options, &shape);
    if (status == THAW_OK)
        status = widen(model, name, &shape, &sample);
    if (status == THAW_OK && model->node_count == 0 &&
        (status = thaw_model_reserve_sample(model, sample_name, &node)) == THAW_OK)
        model->node_count = model->first_layer = 1;
    if (status != THAW_OK)
        return status;
    before = model->nodes[0].output;
    model->nodes[0].output = sample;
    status = append(model, options, &shape, output);
    if (status == THAW_OK)
        return THAW_OK;
    model->nodes[0].output = before;
    if (model->input_count == 0) {
        thaw_model_truncate(model, 0);
        model->first_layer = 0;
    }
    return status;
}

size_t thaw_model_input_count(const thaw_model *model)
{
    return model->input_count;
}

thaw_status thaw_model_input_at(const thaw_model *model, size_t index, thaw_model_input *input)
{
    if (index >= model->input_count)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "input is %zu, the model has %zu", index,
                         model->input_count);
    const thaw_graph_input *found = &model->inputs[index];
    const thaw_graph_node *node = &model->nodes[found->node];
    *input = (thaw_model_input){ node->name,     found->dtype,    node->output,
                                 found->node,    found->sequence, found == model->lengths,
                                 found->optional };
    return THAW_OK;
}

bool thaw_model_has_layers(const thaw_model *model)
{
    return model->node_count > model->first_layer;
}

bool thaw_model_is_input(const thaw_model *model, thaw_node node)
{
    return (size_t)node < model->first_layer;
}

const thaw_graph_input *thaw_model_input_of(const thaw_model *model, size_t value)
{
    const thaw_graph_input *input = model->inputs;
    while (value >= input->first + input->count)
        input++;
    return input;
}
