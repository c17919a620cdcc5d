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

/* What opening knows besides the predictor. */
typedef struct opening {
    const char *path;
    const thaw_predictor_options *options;
    thaw_safetensors file;
} opening;

/* ---------------------------------------------------------------- the network */

/* The outputs that the file notes; 0 if it does not. No tensor that is as long as that: the note is wrong, and building
   such a network could take all memory. */
static thaw_status find_outputs(thaw_predictor *made, const opening *from)
{
    const char *text = thaw_notes_find(&from->file.notes, "thaw.outputs");
    double number;
    int64_t longest = 0;
    made->classes = from->options->classes;
    if (made->classes || !text)
        return THAW_OK;
    for (size_t i = 0; i < from->file.count; i++)
        for (int d = 0; d < from->file.tensors[i].shape.rank; d++)
            longest = longest > from->file.tensors[i].shape.dims[d] ? longest : from->file.tensors[i].shape.dims[d];
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

static bool has_no_classes(const opening *from)
{
    return from->options->layer || from->options->outputs;
}

/* `size`: of the images, 0 if unknown. */
static thaw_status build(thaw_predictor *made, const opening *from, int64_t size)
{
    thaw_context *context = made->context;
    const char *model = from->options->model ? from->options->model : thaw_notes_find(&from->file.notes, "thaw.model");
    char *description = NULL;
    const char *task = thaw_notes_find(&from->file.notes, "thaw.task");
    if (task && strcmp(task, "classes") != 0 && !has_no_classes(from))
        return thaw_fail(context, THAW_UNSUPPORTED, "%s: its task is %s, must be classes to tell the class of an image",
                         from->path, task);
    if (!model)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: does not name its network, and the options neither",
                         from->path);
    if (!from->options->model && memchr(model, '/', strcspn(model, ":")))
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "%s: its network is code in \"%.100s\", which is only loaded if the options name it",
                         from->path, model);
    thaw_status status = find_outputs(made, from);
    if (status == THAW_OK)
        status = describe(context, model, from->options->model != NULL, size, &description);
    if (status == THAW_OK)
        status = thaw_model_create(context, &made->model);
    if (status == THAW_OK)
        status = thaw_zoo_build(made->model, description, made->classes);
    thaw_release(context, description);
    if (status == THAW_OK)
        status = thaw_weights_add_adapters(made->model, from->path, NULL);
    if (status == THAW_OK)
        status = thaw_weights_load(made->model, from->path,
                                   &(thaw_load_options){ .renamings = from->options->renamings,
                                                         .renaming_count = from->options->renaming_count },
                                   NULL);
    if (status == THAW_OK)
        made->classes = thaw_shape_count(thaw_predictor_answer(made));
    if (status == THAW_OK && has_no_classes(from))
        made->classes = 0;
    return status == THAW_OK && from->options->layer ? thaw_model_end_at(made->model, from->options->layer) : status;
}

/* ---------------------------------------------------------------- images */

/* The options' form, completed by the file's; *known: whether either says anything. */
static thaw_status find_form(thaw_predictor *made, const opening *from, thaw_folder_options *form, bool *known)
{
    static const char folder[] = "folder:.;", what[] = "images";
    thaw_context *context = made->context;
    const char *given = from->options->images;
    thaw_status status = thaw_notes_images(&from->file.notes, form, known);
    if (status != THAW_OK || !given)
        return status;
    char *whole = NULL, *completed = NULL;
    thaw_text text = { .context = context };
    thaw_text_append(&text, "%s%s", folder, given);
    status = thaw_text_finish(&text, &whole);
    if (status == THAW_OK)
        status = thaw_notes_complete(&from->file.notes, whole, &completed);
    if (status == THAW_OK)
        status = thaw_image_form_read(context, what, completed + sizeof folder - 1, form);
    thaw_release(context, whole);
    thaw_release(context, completed);
    *known = true;
    return status == THAW_BAD_FORMAT || status == THAW_NOT_FOUND ? THAW_INVALID_ARGUMENT : status;
}

static bool takes_images(const thaw_shape *input)
{
    return input->rank == 3 && input->dims[0] == input->dims[1] && (input->dims[2] == 1 || input->dims[2] == 3);
}

/* Images as the network takes them, where neither file nor options say how. */
static thaw_status assume_form(thaw_predictor *made, const thaw_shape *input)
{
    char text[64];
    if (!takes_images(input))
        return THAW_OK;
    snprintf(text, sizeof text, "size=%" PRId64 ";channels=%" PRId64, input->dims[0], input->dims[2]);
    return thaw_image_form_read(made->context, "images", text, &made->images);
}

static thaw_status settle_form(thaw_predictor *made, const opening *from, const thaw_folder_options *form, bool known)
{
    const thaw_shape *input = thaw_model_node_shape(made->model, 0);
    const thaw_shape wanted = { .rank = 3, .dims = { form->size, form->size, form->channels } };
    char one[80], other[80];
    thaw_status status = THAW_OK;
    if (!known)
        status = assume_form(made, input);
    else if (thaw_shape_equal(input, &wanted))
        made->images = *form;
    else
        status = thaw_fail(made->context, THAW_SHAPE_MISMATCH,
                           "%s: images become samples of shape %s, the network takes %s", from->path,
                           thaw_shape_format(&wanted, one, sizeof one), thaw_shape_format(input, other, sizeof other));
    if (status != THAW_OK || !made->images.size)
        return status;
    made->form = (thaw_sample_form){
        .size = (size_t)made->images.size,
        .resize = (size_t)made->images.resize,
        .channels = (size_t)made->images.channels,
        .decode_fully = made->images.decode_fully,
    };
    thaw_sample_form_set_levels(&made->form, made->images.mean, made->images.std);
    made->sample = thaw_allocate_array(made->context, thaw_shape_count(input), sizeof *made->sample);
    return made->sample ? THAW_OK : THAW_OUT_OF_MEMORY;
}

/* ---------------------------------------------------------------- classes */

static thaw_status number_classes(thaw_predictor *made)
{
    made->numbers = thaw_allocate_array(made->context, made->classes, sizeof *made->numbers);
    if (!made->numbers)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < made->classes; i++)
        snprintf(made->numbers[i], sizeof made->numbers[i], "%zu", i);
    return THAW_OK;
}

static thaw_status name_classes(thaw_predictor *made, const opening *from)
{
    size_t count = made->classes;
    thaw_status status = from->options->class_names
                             ? thaw_copy_class_names(made->context, from->options->class_names, count, &made->names)
                             : thaw_notes_classes(&from->file.notes, &made->names, &count);
    if (status == THAW_OK && !made->names)
        return number_classes(made);
    if (status == THAW_OK && count != made->classes)
        status = thaw_fail(made->context, THAW_BAD_FORMAT, "%s: thaw.classes has %zu names, the network %zu outputs",
                           from->path, count, made->classes);
    return status;
}

/* ---------------------------------------------------------------- opening */

static thaw_status open_file(thaw_predictor *made, const opening *from)
{
    thaw_folder_options form;
    bool known;
    thaw_status status = find_form(made, from, &form, &known);
    if (status == THAW_OK)
        status = build(made, from, form.size);
    if (status == THAW_OK)
        status = settle_form(made, from, &form, known);
    return status == THAW_OK && made->classes ? name_classes(made, from) : status;
}

thaw_status thaw_predictor_open(thaw_context *context, const char *path, const thaw_predictor_options *options,
                                thaw_predictor **predictor)
{
    static const thaw_predictor_options nothing = { 0 };
    opening from = { .path = path, .options = options ? options : &nothing };
    *predictor = NULL;
    if (!path)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the path of weights to predict with is missing");
    thaw_predictor *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->context = context;
    thaw_status status = thaw_safetensors_open(context, path, &from.file);
    if (status == THAW_OK) {
        status = open_file(made, &from);
        thaw_safetensors_close(&from.file);
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

const char *thaw_predictor_class_name(const thaw_predictor *predictor, size_t index)
{
    if (index >= predictor->classes)
        return NULL;
    return predictor->names ? predictor->names[index] : predictor->numbers[index];
}

const thaw_folder_options *thaw_predictor_images(const thaw_predictor *predictor)
{
    return &predictor->images;
}

thaw_model *thaw_predictor_model(const thaw_predictor *predictor)
{
    return predictor->model;
}
