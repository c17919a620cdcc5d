/* The internals of a model's folder. */
#ifndef THAW_MODELS_FOLDER_FOLDER_H
#define THAW_MODELS_FOLDER_FOLDER_H

#include <thaw/model_folder.h>

#include "core/text.h"
#include "io/notes.h"
#include "models/folder/config.h"

/* A kind of network, by config.json. */
typedef struct thaw_folder_family {
    const char *type;    /* transformers' model_type */
    const char *prefix;  /* of the body's tensors, which files of a network without head leave out; "": none */
    const char *fresh;   /* pattern of further parts that are new where the head is; NULL: none */
    const char *ignored; /* pattern of tensors without a use, by their names with the prefix; NULL: none */
    bool text;
    /* Appends the description of the network to `into`. `folder` is the path. */
    thaw_status (*describe)(const thaw_config *config, const char *folder, thaw_text *into);
} thaw_folder_family;

extern const thaw_folder_family thaw_folder_bert, thaw_folder_distilbert, thaw_folder_gpt2, thaw_folder_vit,
    thaw_folder_dinov2, thaw_folder_timm;

struct thaw_model_folder {
    thaw_context *context;
    const thaw_folder_family *family;
    char *path, *weights;
    char *head;     /* pattern of the head's tensors */
    bool tokenizer; /* there is one */
    size_t classes;
    size_t length; /* see thaw_model_folder_length */
    thaw_notes notes;
};

/* FOLDER/NAME, for the caller to release. */
thaw_status thaw_folder_path(thaw_context *context, const char *folder, const char *name, char **path);

/* Whether there is such a file in the folder. */
bool thaw_folder_has(const char *folder, const char *name);

/* Appends what sentence-transformers' files in the folder ask for, options pooling and normalise. `pools`: the network
   has these options. Errors: THAW_UNSUPPORTED (another module or way of pooling). */
thaw_status thaw_folder_append_sentence(const thaw_config *config, const char *folder, bool pools, thaw_text *into);

/* Finds the most tokens of a text. Errors: THAW_BAD_FORMAT, THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_folder_find_length(thaw_model_folder *folder);

/* Notes how images become samples, as far as the folder tells. */
thaw_status thaw_folder_note_images(thaw_model_folder *folder, const thaw_config *config);

/* Notes the classes of a head of `folder->classes` outputs. */
thaw_status thaw_folder_note_classes(thaw_model_folder *folder, const thaw_config *config);

#endif
