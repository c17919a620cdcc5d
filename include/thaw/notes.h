/* What a file of weights says of itself: short texts by name, which are the metadata of safetensors.

   thaw_weights_save writes the notes of its model. These names have a meaning; any others are the caller's own:
     thaw.model     description of the network (thaw/zoo.h), such as "resnet18:size=64"; thaw_zoo_build notes it
     thaw.outputs   the number of classes that it was built for; thaw_zoo_build notes it
     thaw.task      "classes": each sample belongs to one class; "labels": each has several labels, or none of them;
                    "regression": numbers; "tokens": each token has one class, such as the token that
                    follows
     thaw.loss      the loss that the command trained with, if it is not the cross-entropy: "bce", "mse", "mae" or
                    "huber:delta=2"
     thaw.classes   names of the classes in the order of the outputs, as an array of JSON
     thaw.images    how images become samples, as options of a folder (thaw/image_data.h), such as
                    "size=28;resize=32;channels=1;mean=0.5;std=1;decode=scaled"
     thaw.columns   how the columns of a table become inputs, as an array of JSON: for each, its name, "number", mean
                    and standard deviation, or its name, "category", how many there are, and their names
     thaw.missing   what a cell of a table without a value is: "mean" or "drop"; an error without this note
     thaw.input     the shape of a sample, such as 4 or 28x28x1, of a network of the zoo that takes any and whose
                    description does not say it
     thaw.labels    names of the columns of a table that are targets, as an array of JSON
     thaw.text      how texts become samples, as options of a data set of texts (thaw/data.h), such as
                    "text=2;label=1;length=128"
     thaw.tokenizer the tokenizer of texts, as an array of JSON: its path, and 32 hexadecimal digits of
                    thaw_tokenizer_fingerprint
     thaw.targets   how targets that are numbers were scaled, as an array of JSON: mean and standard deviation of each.
                    An output of the network times its deviation, plus its mean, is a number in the target's own units
     thaw.adapters  the low-rank adapters among the weights, such as ["dense1.weight:rank=2,alpha=4"], an array of JSON;
                    always written if there are any (thaw_weights_add_adapters)
     thaw.command   the command line that wrote the file
     thaw.version   the version of Thaw that wrote the file; always written
     format         "pt": names and layouts are PyTorch's; always written
   Files of other programs have none of the names that begin with "thaw.". */
#ifndef THAW_NOTES_H
#define THAW_NOTES_H

#include <thaw/image_data.h>
#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Texts by name, in the order in which they were noted. */
typedef struct thaw_notes thaw_notes;

/* ---- the notes of a model ---- */

/* Notes a text, which is copied, in place of an earlier one of that name; NULL removes it. Errors:
   THAW_INVALID_ARGUMENT (text that is not UTF-8, an empty name, a name that is always written), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_model_set_note(thaw_model *model, const char *name, const char *text);

/* Notes what the model is trained on: thaw.task, thaw.classes, thaw.columns, thaw.missing, thaw.labels,
   thaw.targets, thaw.text, thaw.tokenizer and thaw.images, as far as the data set tells them. Those
   that it does not tell are removed. So are class names that are not UTF-8, with a warning in the log. Errors:
   THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_model_note_data(thaw_model *model, const thaw_dataset *dataset);

/* The model's notes. Borrowed from the model; changes with the calls above. */
THAW_API const thaw_notes *thaw_model_notes(const thaw_model *model);

/* ---- the notes of a file ---- */

/* Reads the notes of a file of weights, and checks its header. The caller owns *notes, which is NULL after an error. A
   file may have none. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT, THAW_UNSUPPORTED, THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_notes_read(thaw_context *context, const char *path, thaw_notes **notes);

/* NULL is allowed. Not for the notes of a model. */
THAW_API void thaw_notes_destroy(thaw_notes *notes);

/* The number of notes, and each one's name and text; NULL past the end. */
THAW_API size_t thaw_notes_count(const thaw_notes *notes);
THAW_API const char *thaw_notes_name(const thaw_notes *notes, size_t index);
THAW_API const char *thaw_notes_text(const thaw_notes *notes, size_t index);

/* The text of this name, or NULL. */
THAW_API const char *thaw_notes_find(const thaw_notes *notes, const char *name);

/* The names in thaw.classes; *names is NULL and *count 0 if there are none. The caller frees *names, one block, with
   thaw_release. Errors: THAW_BAD_FORMAT (no array of texts), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_notes_classes(const thaw_notes *notes, char ***names, size_t *count);

/* thaw.images as options: size, resize, channels, mean, std and decode_fully; all others are 0. *known is false, and
   `options` is cleared, if there is no such note. Errors: THAW_BAD_FORMAT. */
THAW_API thaw_status thaw_notes_images(const thaw_notes *notes, thaw_folder_options *options, bool *known);

/* Completes the description of a data set by thaw.images: what the description of a folder leaves out of size, resize,
   channels, mean, std and decode, it gets from the notes. A noted resize does not go with another size, nor noted
   levels with another number of channels. Other descriptions are copied. The caller owns *completed
   (thaw_text_destroy). Errors: those of thaw_dataset_open for the description itself, and of thaw_notes_images. */
THAW_API thaw_status thaw_notes_complete(const thaw_notes *notes, const char *description, char **completed);

/* Opens a data set as thaw_dataset_open does. The columns of a table become inputs in the way of thaw.columns: columns
   are found by name, and numbers are scaled by the noted means and deviations. Others are ignored. Cells without
   a value are as thaw.missing says, unless the description does. Its targets are
   thaw.labels, unless the description names them, and have the noted task and classes. Targets of regression, of any
   kind of data, are scaled by thaw.targets, or not scaled if there is no such note. A description of texts may leave
   out what thaw.text and thaw.tokenizer say. Their labels have the numbers of thaw.classes; one that is not among them
   is an error. Otherwise the notes change nothing; NULL is allowed. Errors: those of thaw_dataset_open, THAW_BAD_FORMAT
   (a note), THAW_INVALID_ARGUMENT (another tokenizer than the noted one). */
THAW_API thaw_status thaw_dataset_open_noted(thaw_context *context, const thaw_notes *notes, const char *description,
                                             thaw_dataset **training, thaw_dataset **test);

/* Opens a data set for tests in the way of the training data: images have their size, channels and levels, columns of
   a table become inputs and targets as theirs do, texts are read by the same columns and tokenizer, whatever the
   description leaves out of that. Takes the part of the description that is for tests; without one, all of it. Classes
   of folders keep their own numbers: see thaw_dataset_match_classes. Errors: those of thaw_dataset_open_noted,
   THAW_INVALID_ARGUMENT (the description says otherwise; the message names both values). */
THAW_API thaw_status thaw_dataset_open_like(thaw_context *context, const char *description, const thaw_dataset *like,
                                            thaw_dataset **dataset);

/* Whether a data set's images become samples in the way of thaw.images; decode is not compared. A note or a data set
   that does not tell is no contradiction. Errors: THAW_INVALID_ARGUMENT (the message names what differs, with both
   values), and those of thaw_notes_images. */
THAW_API thaw_status thaw_notes_check(const thaw_notes *notes, const thaw_dataset *dataset);

#ifdef __cplusplus
}
#endif

#endif
