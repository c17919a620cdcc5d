/* What the notes of a file say of images and classes. */
#include <thaw/notes.h>

#include "core/allocation.h"
#include "data/dataset.h"
#include "data/image_form.h"
#include "io/name_list.h"
#include "io/notes.h"

thaw_status thaw_notes_classes(const thaw_notes *notes, char ***class_names, size_t *count)
{
    static const char name[] = "thaw.classes";
    const char *text = thaw_notes_find(notes, name);
    *class_names = NULL;
    *count = 0;
    return text ? thaw_name_list_read(notes->context, name, text, class_names, count) : THAW_OK;
}

thaw_status thaw_notes_images(const thaw_notes *notes, thaw_folder_options *options, bool *known)
{
    static const char name[] = "thaw.images";
    const char *text = thaw_notes_find(notes, name);
    *options = (thaw_folder_options){ 0 };
    *known = text != NULL;
    return text ? thaw_image_form_read(notes->context, name, text, options) : THAW_OK;
}

thaw_status thaw_notes_complete(const thaw_notes *notes, const char *description, char **completed)
{
    thaw_folder_options form;
    bool known;
    *completed = NULL;
    const thaw_status status = thaw_notes_images(notes, &form, &known);
    if (status != THAW_OK)
        return status;
    if (known)
        return thaw_image_form_complete(notes->context, &form, description, completed);
    *completed = thaw_copy_text(notes->context, description);
    return *completed ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_notes_check(const thaw_notes *notes, const thaw_dataset *dataset)
{
    thaw_folder_options form;
    bool known;
    char found[THAW_FORM_BYTES], wanted[THAW_FORM_BYTES];
    const thaw_status status = thaw_notes_images(notes, &form, &known);
    if (status != THAW_OK || !known || !dataset->form.size ||
        !thaw_image_form_differs(&dataset->form, &form, found, wanted))
        return status;
    return thaw_fail(notes->context, THAW_INVALID_ARGUMENT, "its images have %s, the weights were trained with %s",
                     found, wanted);
}
