/* The internals of a predictor. */
#ifndef THAW_TRAIN_PREDICTOR_H
#define THAW_TRAIN_PREDICTOR_H

#include <thaw/predictor.h>

#include "data/image_reader.h"

struct thaw_predictor {
    thaw_context *context;
    thaw_model *model;
    size_t classes;             /* 0: answers are features */
    char **names;               /* one block; NULL: numbers */
    char (*numbers)[24];        /* names of classes that have none; NULL if they have */
    thaw_folder_options images; /* size 0: the network takes none */
    thaw_sample_form form;      /* the same for readers */
    float *sample;              /* for one image */
};

#endif
