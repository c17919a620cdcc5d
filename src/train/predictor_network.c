/* Builds the network of a predictor, and loads its weights. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <thaw/weights.h>
#include <thaw/zoo.h>

#include "core/allocation.h"
#include "core/number.h"
#include "core/pattern.h"
#include "core/text.h"
#include "graph/model.h"
#include "train/predictor.h"

typedef thaw_predictor_opening opening;

/* ---- the description ---- */

/* The outputs that the file notes; 0 if it does not. No tensor that is as long as that: the note is wrong, and building
   such a network could take all memory. */
static thaw_status find_outputs(thaw_predictor *made, const opening *from, int64_t longest)
{
    const char *text = thaw_notes_find(&made->notes, "thaw.outputs");
    double number;
    made->classes = from->options->classes;
    if (made->classes || !text)
        return THAW_OK;
    if (!thaw_parse_number(text, strlen(text), &number) || number < 1 || number > (double)longest ||
        number != (double)(int64_t)number)
        return thaw_fail(made->context, THAW_BAD_FORMAT,
                         "%s: thaw.outputs is \"%.40s\", must be a whole number from 1 to the longest dimension of a "
                         "tensor, %" PRId64,
                         from->path, text, longest);
    made->classes = (size_t)number;
    return THAW_OK;
}

/* Appends a description without some of its options, which are separated by "|". */
static void append_without(thaw_text *text, const char *model, const char *options)
{
    const size_t name = strcspn(model, ":");
    thaw_text_append(text, "%.*s", (int)name, model);
    char separator = ':', option[32];
    for (const char *item = model + name; *item;) {
        const size_t length = strcspn(++item, ","), bytes = strcspn(item, "=,");
        snprintf(option, sizeof option, "%.*s", (int)(bytes < sizeof option ? bytes : 0), item);
        if (!thaw_pattern_matches(options, option)) {
            thaw_text_append(text, "%c%.*s", separator, (int)length, item);
            separator = ',';
        }
        item += length;
    }
}

static bool gives(const char *model, const char *option)
{
    const char *colon = strchr(model, ':');
    return colon && strstr(colon, option);
}

/* Replaces the description by one without some options and with another one. Returns THAW_NOT_FOUND, and keeps it, if
   the network does not take that. */
static thaw_status replace(thaw_context *context, const char *without, const char *option, int64_t number,
                           char **description)
{
    thaw_text text = { .context = context };
    char *replaced = NULL;
    append_without(&text, *description, without);
    thaw_text_append(&text, "%c%s", text.characters && strchr(text.characters, ':') ? ',' : ':', option);
    if (number)
        thaw_text_append(&text, "%" PRId64, number);
    const thaw_status status = thaw_text_finish(&text, &replaced);
    if (status != THAW_OK)
        return status;
    const bool taken = thaw_zoo_check(context, replaced) == THAW_OK;
    thaw_release(context, taken ? *description : replaced);
    *description = taken ? replaced : *description;
    return taken ? THAW_OK : THAW_NOT_FOUND;
}

/* A folder's network is built without a head if only features are wanted, or if there is none and a layer is. */
static bool is_headless(const opening *from)
{
    const thaw_predictor_options *options = from->options;
    return options->folder && (options->features || (options->layer && !thaw_model_folder_classes(options->folder)));
}

/* The description with the size of the images, if the network accepts one, and with the length of a folder's texts.
   Both stay as the caller gave them. */
static thaw_status describe(thaw_context *context, const opening *from, const char *model, int64_t size,
                            char **description)
{
    const thaw_predictor_options *options = from->options;
    const size_t length = options->folder ? thaw_model_folder_length(options->folder) : 0;
    thaw_status status = THAW_OK;
    *description = thaw_copy_text(context, model);
    if (!*description)
        return THAW_OUT_OF_MEMORY;
    if (size && !(options->model && gives(model, "size=")))
        status = replace(context, "size", "size=", size, description);
    if (length && !gives(model, "length=") && status != THAW_OUT_OF_MEMORY)
        status = replace(context, "", "length=", (int64_t)length, description);
    if (is_headless(from) && status != THAW_OUT_OF_MEMORY)
        return replace(context, "head|head-init|dropout", "head=none", 0, description);
    return status == THAW_OUT_OF_MEMORY ? status : THAW_OK;
}

/* The samples that the network was built for, where the notes tell. */
static thaw_status find_samples(thaw_predictor *made, const opening *from, int64_t longest, thaw_shape *samples,
                                bool *known)
{
    char text[80];
    const thaw_status status = thaw_predictor_find_input(made, from, samples, known);
    if (status != THAW_OK || !*known || (int64_t)thaw_shape_count(samples) <= longest)
        return status;
    return thaw_fail(made->context, THAW_BAD_FORMAT,
                     "%s: samples of shape %s are larger than the longest dimension of a tensor, %" PRId64, from->path,
                     thaw_shape_format(samples, text, sizeof text), longest);
}

/* ---- weights ---- */

/* Marks what the output depends on. */
static void mark_read(const thaw_model *model, bool *read)
{
    read[thaw_model_output(model)] = true;
    for (size_t i = model->node_count; i-- > 0;)
        for (size_t k = 0; read[i] && k < model->nodes[i].input_count; k++)
            read[model->nodes[i].inputs[k]] = true;
}

static bool is_listed(const char *names, const char *name)
{
    const size_t length = strlen(name);
    for (const char *next = names; *next; next += strcspn(next, ","), next += strspn(next, ", "))
        if (strncmp(next, name, length) == 0 && (!next[length] || next[length] == ','))
            return true;
    return false;
}

/* Features of initial values would mean nothing. Parts that they do not depend on, such as a pooler that another
   pooling leaves without a use, may be missing. */
static thaw_status check_features(const thaw_model *model, const opening *from, const char *missing)
{
    bool *read = thaw_allocate_array(model->context, model->node_count, sizeof *read);
    thaw_status status = read ? THAW_OK : THAW_OUT_OF_MEMORY;
    if (read)
        mark_read(model, read);
    for (size_t i = 0; i < model->node_count && status == THAW_OK; i++) {
        const thaw_group *group = read[i] ? model->nodes[i].group : NULL;
        for (size_t k = 0; group && k < thaw_group_parameter_count(group) && status == THAW_OK; k++) {
            const char *name = thaw_parameter_name(thaw_group_parameter(group, k));
            if (is_listed(missing, name))
                status = thaw_fail(model->context, THAW_NOT_FOUND,
                                   "%s: has no %s, which the network's features depend on; ask for a layer below it",
                                   from->path, name);
        }
    }
    thaw_release(model->context, read);
    return status;
}

static thaw_status load(thaw_model *model, const opening *from)
{
    const thaw_model_folder *folder = from->options->folder;
    const thaw_load_options wanted = { .renamings = from->options->renamings,
                                       .renaming_count = from->options->renaming_count };
    thaw_load_result result = { 0 };
    if (!folder) {
        const thaw_status status = thaw_weights_add_adapters(model, from->path, NULL);
        return status == THAW_OK ? thaw_weights_load(model, from->path, &wanted, NULL) : status;
    }
    thaw_status status = thaw_model_folder_load(folder, model, &wanted, &result);
    if (status == THAW_OK && from->options->features && !from->options->layer)
        status = check_features(model, from, result.missing_names ? result.missing_names : "");
    thaw_load_result_destroy(thaw_model_context(model), &result);
    return status;
}

/* ---- building ---- */

/* Answers with names need a head that was trained, and has one answer for a sample. */
static thaw_status check_head(const thaw_predictor *made, const opening *from)
{
    const thaw_model_folder *folder = from->options->folder;
    if (made->raw)
        return THAW_OK;
    if (thaw_model_labels_tokens(made->model))
        return thaw_predictor_refuse_tokens(made, from);
    if (!folder || thaw_model_folder_classes(folder))
        return THAW_OK;
    return thaw_fail(
        made->context, THAW_UNSUPPORTED,
        "%s: has no head that tells classes: train one first (thaw finetune --save), and predict with what "
        "that saves; features need none (thaw embed)",
        from->path);
}

thaw_status thaw_predictor_build(thaw_predictor *made, const opening *from, int64_t size, int64_t longest)
{
    thaw_shape samples;
    thaw_node node;
    bool known;
    thaw_context *context = made->context;
    const char *model = from->options->model ? from->options->model : thaw_notes_find(&made->notes, "thaw.model");
    char *description = NULL;
    if (!model)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: does not name its network, and the options neither",
                         from->path);
    if (!from->options->model && memchr(model, '/', strcspn(model, ":")))
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "%s: its network is code in \"%.100s\", which is only loaded if the options name it",
                         from->path, model);
    thaw_status status = find_outputs(made, from, longest);
    if (status == THAW_OK)
        status = find_samples(made, from, longest, &samples, &known);
    if (status == THAW_OK)
        status = describe(context, from, model, size, &description);
    if (status == THAW_OK)
        status = thaw_model_create(context, &made->model);
    const thaw_shape *input = status == THAW_OK && known ? &samples : NULL;
    if (status == THAW_OK && made->raw && gives(description, "head=none"))
        status = thaw_zoo_network_for(made->model, description, input, made->classes, &node);
    else if (status == THAW_OK)
        status = thaw_zoo_build_for(made->model, description, input, made->classes);
    thaw_release(context, description);
    if (status == THAW_OK)
        status = check_head(made, from);
    if (status == THAW_OK)
        status = load(made->model, from);
    made->classes = 0;
    return status == THAW_OK && from->options->layer ? thaw_model_end_at(made->model, from->options->layer) : status;
}
