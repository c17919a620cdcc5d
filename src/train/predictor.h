/* The internals of a predictor. */
#ifndef THAW_TRAIN_PREDICTOR_H
#define THAW_TRAIN_PREDICTOR_H

#include <thaw/predictor.h>
#include <thaw/tokenizer.h>

#include "data/image_reader.h"
#include "data/target_scale.h"
#include "data/text_form.h"
#include "io/notes.h"

struct thaw_predictor {
    thaw_context *context;
    thaw_model *model;
    thaw_notes notes;           /* of the file */
    bool raw;                   /* answers are the values of a layer as they are */
    thaw_task task;             /* of answers that are not raw */
    size_t classes;             /* 0: answers are no probabilities of classes */
    char **names;               /* of the answers, one block; NULL: numbers */
    char (*numbers)[24];        /* names of answers that have none; NULL if they have */
    thaw_target_scale scale;    /* of numbers */
    thaw_folder_options images; /* size 0: the network takes none */
    thaw_sample_form form;      /* the same for readers */
    float *sample;              /* for one image */
    char *tokenizer_path;       /* of the options, or of the folder; NULL: the noted one */
    thaw_tokenizer *tokenizer;  /* opened for the first text */
    thaw_text_form texts;       /* as noted */
    bool folder_of_texts;       /* the weights are such a folder's, without notes of training */
};

/* What opening knows besides the predictor. */
typedef struct thaw_predictor_opening {
    const char *path;
    const thaw_predictor_options *options;
} thaw_predictor_opening;

/* The options' form of images, completed by the file's; *known: whether either says anything. */
thaw_status thaw_predictor_find_form(thaw_predictor *made, const thaw_predictor_opening *from,
                                     thaw_folder_options *form, bool *known);

/* Checks the form against the network, or assumes one that the network takes if there is none. */
thaw_status thaw_predictor_settle_form(thaw_predictor *made, const thaw_predictor_opening *from,
                                       const thaw_folder_options *form, bool known);

/* Finds out what the answers mean, before the network is built. */
thaw_status thaw_predictor_find_task(thaw_predictor *made, const thaw_predictor_opening *from);

/* Builds the network and loads the weights. `size`: of the images, 0 if unknown; `longest`: the longest dimension of a
   tensor of the file. */
thaw_status thaw_predictor_build(thaw_predictor *made, const thaw_predictor_opening *from, int64_t size,
                                 int64_t longest);

/* Fails with THAW_UNSUPPORTED: the network answers for each token. */
thaw_status thaw_predictor_refuse_tokens(const thaw_predictor *made, const thaw_predictor_opening *from);

/* Names the answers of the network. */
thaw_status thaw_predictor_name_answers(thaw_predictor *made, const thaw_predictor_opening *from);

/* The shape of a row of the table, or of a sample, that the network was built for; *known is false if the notes do not
   tell. Errors: THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_predictor_find_input(thaw_predictor *made, const thaw_predictor_opening *from, thaw_shape *input,
                                      bool *known);

#endif
