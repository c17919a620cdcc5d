/* Opens files of weights for prediction. */
#include "train/predictor.h"

#include "core/allocation.h"
#include "core/context.h"
#include "io/notes.h"
#include "io/safetensors.h"

typedef thaw_predictor_opening opening;

/* ---------------------------------------------------------------- opening */

/* The longest dimension of a tensor: a network that needs a longer one could take all memory. */
static int64_t longest_dimension(const thaw_safetensors *file)
{
    int64_t longest = 0;
    for (size_t i = 0; i < file->count; i++)
        for (int d = 0; d < file->tensors[i].shape.rank; d++)
            longest = longest > file->tensors[i].shape.dims[d] ? longest : file->tensors[i].shape.dims[d];
    return longest;
}

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
    const char *tokenizer = from->options->tokenizer;
    if (!tokenizer && folder)
        tokenizer = thaw_model_folder_tokenizer(folder);
    if (status == THAW_OK && tokenizer && !(made->tokenizer_path = thaw_copy_text(made->context, tokenizer)))
        status = THAW_OUT_OF_MEMORY;
    made->folder_of_texts = folder && thaw_model_folder_length(folder);
    if (status == THAW_OK)
        status = thaw_text_form_read(made->context, &made->notes, &made->texts);
    if (status == THAW_OK)
        status = thaw_predictor_find_task(made, from);
    if (status == THAW_OK)
        status = thaw_predictor_find_form(made, from, &form, &known);
    if (status == THAW_OK)
        status = thaw_predictor_build(made, from, form.size, longest_dimension(file));
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
    if (options && options->features && !folder)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "features are of a folder's network; of others, name a layer");
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
