/* How texts become samples, which files of weights note. */
#ifndef THAW_DATA_TEXT_FORM_H
#define THAW_DATA_TEXT_FORM_H

#include <thaw/notes.h>

/* Texts are own copies. Starts as zero, which is the form of no texts. */
typedef struct thaw_text_form {
    char *text, *second, *label; /* columns, by name or number from 1; NULL: none */
    size_t length;               /* of a sample in tokens */
    bool lm;                     /* the targets are the tokens that follow */
    char *tokenizer;             /* its path; NULL: there are no texts */
    uint64_t fingerprint[2];     /* of the tokenizer */
    size_t vocabulary;           /* of the tokenizer; 0 in notes, which do not tell it */
} thaw_text_form;

/* What thaw_text_form_copy fills. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_text_form_copy(thaw_context *context, const thaw_text_form *from, thaw_text_form *into);

void thaw_text_form_release(thaw_context *context, thaw_text_form *form);

/* Writes thaw.text, "text=2;label=1;length=128", and thaw.tokenizer, ["PATH","FINGERPRINT"], which the caller frees;
   both are NULL for no texts. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_text_form_write(thaw_context *context, const thaw_text_form *form, char **text, char **tokenizer);

/* Reads both notes. The form is that of no texts if the notes have none, or are NULL. Errors: THAW_BAD_FORMAT,
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_text_form_read(thaw_context *context, const thaw_notes *notes, thaw_text_form *form);

/* Appends tokenizer=PATH to the description of texts that names no tokenizer. Other descriptions are copied. The caller
   frees *completed with thaw_text_destroy. Errors: those of thaw_dataset_open that need no file, THAW_INVALID_ARGUMENT
   (a path with a semicolon). */
thaw_status thaw_text_form_complete(thaw_context *context, const char *tokenizer, const char *description,
                                    char **completed);

#endif
