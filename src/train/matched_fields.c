/* Which field of a data set is which input of a model. */
#include <string.h>

#include "core/nearest.h"
#include "data/fields.h"
#include "train/inputs.h"

static const char *name_of(const thaw_model *model, size_t index)
{
    return model->nodes[model->inputs[index].node].name;
}

/* An input of thaw_input has no name of its own. */
static bool have_names(const thaw_model *model, const thaw_dataset *dataset)
{
    for (size_t i = 0; dataset->fields && i < dataset->source.field_count; i++)
        if (!dataset->fields[i].name)
            return false;
    return dataset->fields && model->inputs[0].node != 0;
}

static thaw_status fail_missing(const thaw_model *model, const thaw_dataset *dataset, const char *name)
{
    const char *names[THAW_MOST_FIELDS];
    const size_t count = dataset->source.field_count;
    for (size_t i = 0; i < count; i++)
        names[i] = dataset->fields[i].name;
    const char *nearest = thaw_nearest(name, names, count);
    return thaw_fail(
        model->context, THAW_NOT_FOUND,
        "the data has no field for the model's input \"%s\"; it has %zu, from \"%.100s\" to \"%.100s\"%s%.100s%s", name,
        count, names[0], names[count - 1], nearest ? ", did you mean \"" : "", nearest ? nearest : "",
        nearest ? "\"?" : "");
}

static thaw_status find_by_name(const thaw_model *model, const thaw_dataset *dataset, size_t *fields)
{
    const size_t count = dataset->source.field_count;
    for (size_t k = 0; k < model->input_count; k++) {
        const char *name = name_of(model, k);
        fields[k] = 0;
        while (fields[k] < count && strcmp(dataset->fields[fields[k]].name, name) != 0)
            fields[k]++;
        if (fields[k] == count && model->inputs[k].optional)
            fields[k] = THAW_NO_FIELD;
        else if (fields[k] == count)
            return fail_missing(model, dataset, name);
    }
    return THAW_OK;
}

/* Optional inputs that come last may lack a field. */
static thaw_status find_by_order(const thaw_model *model, const thaw_dataset *dataset, size_t *fields)
{
    const size_t count = thaw_dataset_field_count(dataset);
    size_t least = model->input_count;
    while (dataset->fields && model->inputs[least - 1].optional)
        least--;
    if (count < least || count > model->input_count)
        return thaw_fail(model->context, THAW_SHAPE_MISMATCH, "samples have %zu fields, the model has %zu inputs",
                         count, model->input_count);
    for (size_t k = 0; k < model->input_count; k++)
        fields[k] = k < count ? k : THAW_NO_FIELD;
    return THAW_OK;
}

static thaw_status fail_length(const thaw_model *model, const thaw_dataset *dataset, size_t index)
{
    return thaw_fail(model->context, THAW_SHAPE_MISMATCH,
                     "texts have %zu tokens (length=%zu), but the model's input \"%s\" has %lld: length=%lld is right",
                     dataset->texts.length, dataset->texts.length, name_of(model, index), (long long)model->longest,
                     (long long)model->longest);
}

/* Ids of a larger vocabulary than that of the embedding which reads them would fail in the middle of training. */
thaw_status thaw_check_vocabulary(const thaw_model *model, const thaw_text_form *texts)
{
    for (size_t i = 0; i < model->input_count; i++) {
        int64_t rows;
        const bool is_ids = strcmp(name_of(model, i), "token_ids") == 0;
        const thaw_graph_node *table = is_ids ? thaw_model_table_of(model, model->inputs[i].node, &rows) : NULL;
        if (table && rows < (int64_t)texts->vocabulary)
            return thaw_fail(model->context, THAW_SHAPE_MISMATCH,
                             "the tokenizer %s has %zu tokens, but %s only %lld: it is not the model's tokenizer",
                             texts->tokenizer, texts->vocabulary, table->name, (long long)rows);
    }
    return THAW_OK;
}

static thaw_status check_field(const thaw_model *model, const thaw_dataset *dataset, size_t index, size_t place)
{
    const thaw_graph_input *input = &model->inputs[index];
    const thaw_shape *shape = &model->nodes[input->node].output;
    char is[80], wanted[80];
    thaw_field field;
    thaw_dataset_field_at(dataset, place, &field);
    if (!thaw_shape_equal(&field.shape, shape)) {
        if (dataset->texts.tokenizer && input->sequence)
            return fail_length(model, dataset, index);
        thaw_shape_format(&field.shape, is, sizeof is);
        thaw_shape_format(shape, wanted, sizeof wanted);
        return input->node == 0 ? thaw_fail(model->context, THAW_SHAPE_MISMATCH,
                                            "samples have shape %s, must have the model's input shape %s", is, wanted)
                                : thaw_fail(model->context, THAW_SHAPE_MISMATCH,
                                            "samples have shape %s for the model's input \"%s\", must have %s", is,
                                            name_of(model, index), wanted);
    }
    if (dataset->fields && input->dtype == THAW_I32 && field.dtype != THAW_I32)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                         "samples have floats for the model's input \"%s\", must have int32 numbers",
                         name_of(model, index));
    return THAW_OK;
}

thaw_status thaw_match_fields(const thaw_model *model, thaw_dataset **dataset, thaw_dataset **arranged)
{
    thaw_dataset *given = *dataset;
    size_t fields[THAW_MOST_MODEL_INPUTS];
    thaw_field absent[THAW_MOST_MODEL_INPUTS];
    *arranged = NULL;
    if (!thaw_model_has_layers(model))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "the model has no layers");
    thaw_status status = (have_names(model, given) ? find_by_name : find_by_order)(model, given, fields);
    bool as_they_are = thaw_dataset_field_count(given) == model->input_count;
    for (size_t k = 0; k < model->input_count && status == THAW_OK; k++) {
        const thaw_graph_node *node = &model->nodes[model->inputs[k].node];
        absent[k] = (thaw_field){ node->name, model->inputs[k].dtype, node->output };
        if (fields[k] != THAW_NO_FIELD)
            status = check_field(model, given, k, fields[k]);
        as_they_are = as_they_are && fields[k] == k;
    }
    if (status == THAW_OK)
        status = thaw_check_vocabulary(model, &given->texts);
    if (status != THAW_OK || as_they_are)
        return status;
    status = thaw_dataset_arrange(given, fields, absent, model->input_count, arranged);
    if (status == THAW_OK)
        *dataset = *arranged;
    return status;
}
