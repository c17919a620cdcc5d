/* How images become samples of a predictor's network. */
#include <inttypes.h>
#include <stdio.h>

#include "core/allocation.h"
#include "core/text.h"
#include "data/image_form.h"
#include "train/predictor.h"

thaw_status thaw_predictor_find_form(thaw_predictor *made, const thaw_predictor_opening *from,
                                     thaw_folder_options *form, bool *known)
{
    static const char folder[] = "folder:.;", what[] = "images";
    thaw_context *context = made->context;
    const char *given = from->options->images;
    thaw_status status = thaw_notes_images(&made->notes, form, known);
    if (status != THAW_OK || !given)
        return status;
    char *whole = NULL, *completed = NULL;
    thaw_text text = { .context = context };
    thaw_text_append(&text, "%s%s", folder, given);
    status = thaw_text_finish(&text, &whole);
    if (status == THAW_OK)
        status = thaw_notes_complete(&made->notes, whole, &completed);
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

thaw_status thaw_predictor_settle_form(thaw_predictor *made, const thaw_predictor_opening *from,
                                       const thaw_folder_options *form, bool known)
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
