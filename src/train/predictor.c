/* Opens files of weights for prediction. */
#include "train/predictor.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <thaw/weights.h>
#include <thaw/zoo.h>

#include "core/allocation.h"
#include "core/number.h"
#include "core/text.h"
#include "data/class_names.h"
#include "data/image_form.h"
#include "graph/model.h"
#include "io/notes.h"
#include "io/safetensors.h"

typedef thaw_predictor_opening opening;

/* ---------------------------------------------------------------- the network */

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

/* Appends a description without its size. */
static void append_unsized(thaw_text *text, const char *model)
{
    const size_t name = strcspn(model, ":");
    thaw_text_append(text, "%.*s", (int)name, model);
    char separator = ':';
    for (const char *item = model + name; *item;) {
        const size_t length = strcspn(++item, ",");
        if (strncmp(item, "size=", strlen("size=")) != 0) {
            thaw_text_append(text, "%c%.*s", separator, (int)length, item);
            separator = ',';
        }
        item += length;
    }
}

/* The description with the size of the images, if the network accepts one. A size that the caller gave stays. */
static thaw_status describe(thaw_context *context, const char *model, bool given, int64_t size, char **description)
{
    const char *colon = strchr(model, ':');
    if (size && !(given && colon && strstr(colon, "size="))) {
        thaw_text text = { .context = context };
        append_unsized(&text, model);
        thaw_text_append(&text, "%csize=%" PRId64, text.characters && strchr(text.characters, ':') ? ',' : ':', size);
        const thaw_status status = thaw_text_finish(&text, description);
        if (status != THAW_OK || thaw_zoo_check(context, *description) == THAW_OK)
            return status;
        thaw_release(context, *description);
    }
    *description = thaw_copy_text(context, model);
    return *description ? THAW_OK : THAW_OUT_OF_MEMORY;
}

/* The longest dimension of a tensor: a network that needs a longer one could take all memory. */
static int64_t longest_dimension(const thaw_safetensors *file)
{
    int64_t longest = 0;
    for (size_t i = 0; i < file->count; i++)
        for (int d = 0; d < file->tensors[i].shape.rank; d++)
            longest = longest > file->tensors[i].shape.dims[d] ? longest : file->tensors[i].shape.dims[d];
    return longest;
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

static thaw_status load(thaw_model *model, const opening *from)
{
    const thaw_model_folder *folder = from->options->folder;
    const thaw_load_options wanted = { .renamings = from->options->renamings,
                                       .renaming_count = from->options->renaming_count };
    if (folder)
        return thaw_model_folder_load(folder, model, &wanted, NULL);
    const thaw_status status = thaw_weights_add_adapters(model, from->path, NULL);
    return status == THAW_OK ? thaw_weights_load(model, from->path, &wanted, NULL) : status;
}

/* `size`: of the images, 0 if unknown. */
static thaw_status build(thaw_predictor *made, const opening *from, int64_t size, int64_t longest)
{
    thaw_shape samples;
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
        status = describe(context, model, from->options->model != NULL, size, &description);
    if (status == THAW_OK)
        status = thaw_model_create(context, &made->model);
    if (status == THAW_OK)
        status = thaw_zoo_build_for(made->model, description, known ? &samples : NULL, made->classes);
    thaw_release(context, description);
    if (status == THAW_OK)
        status = load(made->model, from);
    made->classes = 0;
    return status == THAW_OK && from->options->layer ? thaw_model_end_at(made->model, from->options->layer) : status;
}

/* ---------------------------------------------------------------- opening */

static thaw_status copy_notes(thaw_predictor *made, const thaw_notes *notes)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < notes->count && status == THAW_OK; i++)
        status = thaw_notes_append(&made->notes, notes->items[i].name, notes->items[i].text);
    return status;
}

static thaw_status open_file(thaw_predictor *made, const opening *from, const thaw_safetensors *file)
{
    thaw_folder_options form;
    bool known;
    const thaw_model_folder *folder = from->options->folder;
    thaw_status status = copy_notes(made, folder ? thaw_model_folder_notes(folder) : &file->notes);
    if (status == THAW_OK && from->options->tokenizer &&
        !(made->tokenizer_path = thaw_copy_text(made->context, from->options->tokenizer)))
        status = THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = thaw_text_form_read(made->context, &made->notes, &made->texts);
    if (status == THAW_OK)
        status = thaw_predictor_find_task(made, from);
    if (status == THAW_OK)
        status = thaw_predictor_find_form(made, from, &form, &known);
    if (status == THAW_OK)
        status = build(made, from, form.size, longest_dimension(file));
    if (status == THAW_OK)
        status = thaw_predictor_settle_form(made, from, &form, known);
    return status == THAW_OK ? thaw_predictor_name_answers(made, from) : status;
}

thaw_status thaw_predictor_open(thaw_context *context, const char *path, const thaw_predictor_options *options,
                                thaw_predictor **predictor)
{
    static const thaw_predictor_options nothing = { 0 };
    const thaw_model_folder *folder = options ? options->folder : NULL;
    const opening from = { .path = folder ? thaw_model_folder_weights(folder) : path,
                           .options = options ? options : &nothing };
    thaw_safetensors file;
    *predictor = NULL;
    if (!from.path)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the path of weights to predict with is missing");
    thaw_predictor *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->context = made->notes.context = context;
    thaw_status status = thaw_safetensors_open(context, from.path, &file);
    if (status == THAW_OK) {
        status = open_file(made, &from, &file);
        thaw_safetensors_close(&file);
    }
    if (status == THAW_OK)
        *predictor = made;
    else
        thaw_predictor_destroy(made);
    return status;
}

void thaw_predictor_destroy(thaw_predictor *predictor)
{
    if (!predictor)
        return;
    thaw_context *context = predictor->context;
    thaw_model_destroy(predictor->model);
    thaw_release(context, predictor->names);
    thaw_release(context, predictor->numbers);
    thaw_release(context, predictor->sample);
    thaw_target_scale_release(context, &predictor->scale);
    thaw_tokenizer_destroy(predictor->tokenizer);
    thaw_release(context, predictor->tokenizer_path);
    thaw_text_form_release(context, &predictor->texts);
    thaw_notes_clear(&predictor->notes);
    thaw_release(context, predictor);
}

size_t thaw_predictor_classes(const thaw_predictor *predictor)
{
    return predictor->classes;
}

const thaw_shape *thaw_predictor_answer(const thaw_predictor *predictor)
{
    return thaw_model_node_shape(predictor->model, thaw_model_output(predictor->model));
}

const thaw_folder_options *thaw_predictor_images(const thaw_predictor *predictor)
{
    return &predictor->images;
}

thaw_model *thaw_predictor_model(const thaw_predictor *predictor)
{
    return predictor->model;
}
