/* Answers of a trained network: a file of weights is opened, and tells the classes of images, texts or rows of a table,
   or the numbers that it was trained to predict.

     thaw_predictor *predictor;
     thaw_predictor_open(context, "tuned.safetensors", NULL, &predictor);
     thaw_predictor_file(predictor, "photo.jpg", scores);

   A predictor serves one thread at a time, as its context does. Threads with contexts of their own may open and use
   predictors at the same time, also of the same file. */
#ifndef THAW_PREDICTOR_H
#define THAW_PREDICTOR_H

#include <thaw/model.h>
#include <thaw/model_folder.h>
#include <thaw/notes.h>
#include <thaw/tensor.h>
#include <thaw/weights.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A network of the zoo with its weights, and what its inputs and outputs mean. */
typedef struct thaw_predictor thaw_predictor;

/* What to take instead of the file's notes (thaw/notes.h). Zero everywhere: nothing. */
typedef struct thaw_predictor_options {
    const char *model; /* description of the network (thaw/zoo.h); NULL: thaw.model */
    /* The weights are those of this folder, and so are the notes; the path is not used. NULL: the file's */
    const thaw_model_folder *folder;
    size_t classes; /* outputs of the network; 0: thaw.outputs, or the network's own */
    /* How images become samples, such as "size=64;mean=0.5" (see thaw.images). What it leaves out is taken from
       thaw.images, else from the network's input and the defaults of a folder. NULL: all of it */
    const char *images;
    const thaw_renaming *renamings; /* of the file's tensors (thaw/weights.h) */
    size_t renaming_count;          /* of `renamings` */
    const char *const *class_names; /* as many as outputs; copied. NULL: thaw.classes, or their numbers */
    const char *tokenizer; /* of texts: a path (thaw/tokenizer.h), whose fingerprint must be that of thaw.tokenizer.
                              NULL: the noted path */
    /* Stop at this layer, of the names that thaw_model_summary lists: the answers are its values, "features", not
       probabilities, and nothing behind it is computed. Then answers have no names. NULL: the whole network */
    const char *layer;
    /* The answers are the network's outputs as they are, such as logits, or the scaled numbers of a regression,
       whatever thaw.task says. Then answers have no names, either */
    bool outputs;
    /* The answers are the network's features, as it ends with head=none (thaw/zoo.h): of a folder of
       sentence-transformers the vectors that encode() returns. Needs `folder`. A layer is taken instead of them */
    bool features;
} thaw_predictor_options;

/* Opens a file of weights; `options` may be NULL. The caller owns *predictor, and destroys it before the context; it is
   NULL after an error.
   Errors: THAW_INVALID_ARGUMENT (the file names no network, and `options` neither; options), THAW_BAD_FORMAT (also
   notes that contradict each other), THAW_UNSUPPORTED (an unknown thaw.task, or a folder without a head, and neither a
   layer nor outputs nor features are asked for), THAW_SHAPE_MISMATCH (images do not become what the network takes),
   those of thaw_weights_load and thaw_zoo_build; THAW_NOT_FOUND (no such layer, and the message has the nearest name;
   weights that the features depend on). */
THAW_API thaw_status thaw_predictor_open(thaw_context *context, const char *path, const thaw_predictor_options *options,
                                         thaw_predictor **predictor);

/* NULL is allowed. */
THAW_API void thaw_predictor_destroy(thaw_predictor *predictor);

/* What the answers are, by thaw.task; THAW_TASK_CLASSES without it. Of no meaning with a layer, or with `outputs`.
     THAW_TASK_CLASSES     the probability of each class; their sum is 1
     THAW_TASK_LABELS      the probability of each label
     THAW_TASK_REGRESSION  numbers in the units of the targets in training, scaled back by thaw.targets */
THAW_API thaw_task thaw_predictor_task(const thaw_predictor *predictor);

/* The number of classes; 0 for other tasks, with a layer, or with `outputs`. */
THAW_API size_t thaw_predictor_classes(const thaw_predictor *predictor);

/* The shape of an answer: of one probability for each class or label, of numbers, or of the layer's values for one
   sample, such as [512], or [height, width, channels]. `scores` below hold as many floats for each sample. Borrowed. */
THAW_API const thaw_shape *thaw_predictor_answer(const thaw_predictor *predictor);

/* A class's name; its number as text if it has none. NULL past the end. Valid as long as the predictor. */
THAW_API const char *thaw_predictor_class_name(const thaw_predictor *predictor, size_t index);

/* The name of an element of an answer: of a class, or of a column of thaw.labels; "column 1" if that has none. NULL
   past the end, with a layer, or with `outputs`. Valid as long as the predictor. */
THAW_API const char *thaw_predictor_answer_name(const thaw_predictor *predictor, size_t index);

/* How images become samples: size, resize, channels, mean, std and decode_fully. Borrowed. All 0 if the network does
   not take images, square ones of one or three channels. */
THAW_API const thaw_folder_options *thaw_predictor_images(const thaw_predictor *predictor);

/* The network. Borrowed. */
THAW_API thaw_model *thaw_predictor_model(const thaw_predictor *predictor);

/* ---- one image ---- */

/* Decodes an image as evaluation does (the middle of it, no augmentation; thaw/image_data.h), and writes the answer to
   `scores`. The first reads a file of JPEG or PNG; the other has the bytes of
   one in memory.
   Errors: THAW_BAD_FORMAT, THAW_IO_ERROR (the message names the file), THAW_UNSUPPORTED (the network does not take
   images), THAW_OUT_OF_MEMORY, those of thaw_predict. */
THAW_API thaw_status thaw_predictor_file(thaw_predictor *predictor, const char *path, float *scores);
THAW_API thaw_status thaw_predictor_image(thaw_predictor *predictor, const void *bytes, size_t count, float *scores);

/* ---- many ---- */

/* What became of a file. */
typedef struct thaw_reading {
    thaw_status status; /* THAW_BAD_FORMAT and THAW_IO_ERROR are the file's own fault */
    char message[160];  /* "" if it is read; starts after the file's name: "is cut short" */
} thaw_reading;

/* Decodes files into samples for thaw_predictor_samples, one after the other, on the context's threads. A file that
   fails has no sample, and one of `readings` says why; the others are not affected. Errors: THAW_UNSUPPORTED (the
   network does not take images), THAW_OUT_OF_MEMORY (for any of them). */
THAW_API thaw_status thaw_predictor_read_files(thaw_predictor *predictor, const char *const *paths, size_t count,
                                               float *samples, thaw_reading *readings);

/* Writes the answer to each sample. `samples` is THAW_F32 [count, sample...], `scores` count answers.
   Errors: those of thaw_predict. */
THAW_API thaw_status thaw_predictor_samples(thaw_predictor *predictor, const thaw_tensor *samples, float *scores);

/* ---- texts ---- */

/* Whether the weights take texts: they note thaw.text, or are those of a folder of a network of texts. */
THAW_API bool thaw_predictor_takes_texts(const thaw_predictor *predictor);

/* Whether they were trained on pairs of texts. */
THAW_API bool thaw_predictor_takes_pairs(const thaw_predictor *predictor);

/* Writes the answer to each text. Texts are UTF-8 and end with a zero byte; `seconds` are the second ones of pairs, and
   NULL if the weights were trained on single texts. They are cut to the length of the network's token_ids, which for a
   folder is thaw_model_folder_length, and computed in batches of like lengths; answers have the order of the texts.
   What is not UTF-8 is replaced by U+FFFD, with a warning in the log. The first call opens the tokenizer, which a call
   with `count` 0 does alone.
   Errors: THAW_UNSUPPORTED (the weights do not take texts; an input of the network that texts do not have),
   THAW_NOT_FOUND (the folder has no tokenizer), THAW_INVALID_ARGUMENT (pairs instead of single texts, or the other way
   around; a text without tokens; another tokenizer than in training), THAW_SHAPE_MISMATCH (a vocabulary that is larger
   than the network's), THAW_OUT_OF_MEMORY, those of thaw_tokenizer_open and thaw_predict. */
THAW_API thaw_status thaw_predictor_texts(thaw_predictor *predictor, const char *const *texts,
                                          const char *const *seconds, size_t count, float *scores);

/* The same for one text; `second` may be NULL. */
THAW_API thaw_status thaw_predictor_text(thaw_predictor *predictor, const char *text, const char *second,
                                         float *scores);

/* ---- rows ---- */

/* Rows of a table or an array, as samples. */
typedef struct thaw_rows {
    thaw_tensor samples; /* THAW_F32 [count, sample...], for thaw_predictor_samples */
    size_t *lines;       /* of a table: the line on which each row begins, from 1; NULL: of an array */
} thaw_rows;

/* Reads "csv:FILE[;OPTIONS]" or "npy:FILE[;OPTIONS]", or the path of a file with such a name, .tsv, or these with .gz
   (thaw/data.h). Columns of a table are found by the names in thaw.columns and become inputs as in training: numbers
   are scaled by the noted means and deviations, categories are the noted ones, and cells without a value are as
   thaw.missing, or the option missing=, says: with drop, their rows are left out. Other columns, such as the targets,
   are ignored and may be missing. An array has samples as the network takes them; if the weights were trained on a
   table of numbers alone, it has their columns in the order of thaw.columns, not scaled. The caller frees *rows with
   thaw_rows_destroy; it is empty after an error.
   Errors: THAW_BAD_FORMAT (the message names file, line and column), THAW_NOT_FOUND (a column), THAW_IO_ERROR,
   THAW_INVALID_ARGUMENT (an option), THAW_UNSUPPORTED (the weights were not trained on a table), THAW_SHAPE_MISMATCH,
   THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_predictor_read_rows(thaw_predictor *predictor, const char *description, thaw_rows *rows);

/* Frees samples and lines. */
THAW_API void thaw_rows_destroy(thaw_context *context, thaw_rows *rows);

/* Writes the `most` classes (at most the number of classes) with the highest scores of one image, the best first; of
   equal ones the lower number. Thread-safe. */
THAW_API void thaw_predictor_best(const thaw_predictor *predictor, const float *scores, size_t most, size_t *classes);

#ifdef __cplusplus
}
#endif

#endif
