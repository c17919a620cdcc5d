/* How images become samples, as text. A form is the part of thaw_folder_options that the values of a sample depend on:
   size, resize, channels, mean, std and decode_fully. */
#ifndef THAW_DATA_IMAGE_FORM_H
#define THAW_DATA_IMAGE_FORM_H

#include <thaw/image_data.h>

/* The form in options that are complete; the other options are 0. */
thaw_folder_options thaw_image_form_of(const thaw_folder_options *options);

/* Writes "size=28;resize=32;channels=1;mean=0.5;std=1;decode=scaled", which the caller frees. Numbers are the shortest
   that are read back with the same bits. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_image_form_write(thaw_context *context, const thaw_folder_options *form, char **text);

/* Reads such a text; what it leaves out has the default of a folder. `what` names it in messages. Errors:
   THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_image_form_read(thaw_context *context, const char *what, const char *text, thaw_folder_options *form);

/* Appends the options of a form that a folder's description leaves out. Errors: those of thaw_dataset_open that need no
   file. */
thaw_status thaw_image_form_complete(thaw_context *context, const thaw_folder_options *form, const char *description,
                                     char **completed);

/* Where samples of one form differ from those of the other: writes "mean=0.4" and "mean=0.5". False if nowhere.
   `decode_fully` is not compared, nor is a resize of 0. */
enum { THAW_FORM_BYTES = 96 };
bool thaw_image_form_differs(const thaw_folder_options *one, const thaw_folder_options *other,
                             char first[THAW_FORM_BYTES], char second[THAW_FORM_BYTES]);

#endif
