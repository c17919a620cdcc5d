/* Weights on disk: safetensors, with PyTorch's names and layouts. */
#ifndef THAW_WEIGHTS_H
#define THAW_WEIGHTS_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes every parameter, including statistics, as F32 under its name. For parameters that are bound to expressions
   (thaw/combine.h), it writes the parts of the expressions, and not a stored tensor that no layer depends on. The
   model's notes (thaw/notes.h) become the file's metadata. The file is written beside `path`, synced, and renamed over
   it: `path` always holds the complete old or the complete new content. Errors: THAW_NOT_FINITE (a parameter holds a
   NaN or an infinity, so that thaw_weights_load would refuse the file; the message names the parameter), THAW_IO_ERROR
   (the message gives the system's reason; also if `path` is not a regular file, or not writable), THAW_INVALID_ARGUMENT
   (a name that is not UTF-8); an existing file then stays untouched. */
THAW_API thaw_status thaw_weights_save(thaw_model *model, const char *path);

/* Adds to a model the low-rank adapters (thaw_lora) that a file of its weights has, so that thaw_weights_load finds a
   place for their parameters: such a file was saved before thaw_merge, and notes their ranks and alphas. Weights that
   get adapters are frozen, as by thaw_lora. Weights that have adapters already, and those that `except` matches by name
   or group (NULL: none), stay as they are. A file without adapters changes nothing.
   Errors: those of thaw_notes_read; THAW_BAD_FORMAT (the note), THAW_INVALID_ARGUMENT (`except`; a rank that does not
   suit the weight). Adapters that were added before an error stay. */
THAW_API thaw_status thaw_weights_add_adapters(thaw_model *model, const char *path, const char *except);

/* Writes the parameters as thaw_weights_save does, though some may be NaN or infinite: to look at what a run has left
   that stopped with THAW_NOT_FINITE. `path` must not exist. thaw_weights_load refuses the file.
   Errors: THAW_INVALID_ARGUMENT (`path` exists, also as a link to nothing; a name that is not UTF-8), THAW_IO_ERROR. */
THAW_API thaw_status thaw_weights_save_broken(thaw_model *model, const char *path);

/* Another name for tensors of a file: one that begins with `prefix` begins with `replacement` instead. */
typedef struct thaw_renaming {
    const char *prefix;      /* such as "module."; "" is the beginning of every name */
    const char *replacement; /* may be "" */
} thaw_renaming;

/* What a load may skip, and what it calls tensors. Zero everywhere: nothing. */
typedef struct thaw_load_options {
    const char *pattern;   /* only load parameters whose name or group matches, and ignore all others, of the file as of
                              the model; NULL: all. A group whose weights are all bound to others has nothing to load,
                              which is not an error */
    bool allow_missing;    /* parameters that are missing from the file keep their values */
    bool allow_unexpected; /* tensors that are not in the model are skipped */
    bool allow_misshaped;  /* tensors of another shape are skipped */
    const thaw_renaming *renamings; /* of the file's tensors, before they are matched: one after the other, each on the
                                       names that those before it gave. One that no tensor has a use for is an error */
    size_t renaming_count;          /* of `renamings` */
} thaw_load_options;

/* The results of a load. Lists are comma-separated names, and belong to the caller (thaw_load_result_destroy). */
typedef struct thaw_load_result {
    size_t loaded, missing, unexpected, misshaped;            /* number of tensors */
    char *missing_names, *unexpected_names, *misshaped_names; /* "" if there are none */
} thaw_load_result;

/* Loads weights by name. Strict by default: if anything is missing, unexpected or of another shape, the load fails, the
   message names it, and no parameter changes. An adapter's tensor is unexpected unless some layer uses the adapter.
   `options` and `result` may be NULL; the result is also filled on THAW_NOT_FOUND and THAW_SHAPE_MISMATCH. Tensors are
   F32, or F16 and BF16, which are converted. A `path` that ends in ".index.json" is the index of weights in several
   files beside it, as Hugging Face's libraries save them; the index and the files must hold the same tensors. Positions
   of a square grid of another size than the model's are resampled, as timm does (thaw_positions_options.grid).
   PyTorch's `num_batches_tracked`, stored beside a layer's running statistics, is skipped, and so are the whole numbers
   `position_ids` of older files of transformers, and the tensor of a parameter that is bound to another one, which
   PyTorch writes under both names: the log warns if their values differ. After renamings, what all tensors' names begin
   with is taken off if it is "module.", "_orig_mod.", "model." or "backbone." and no parameter's does, and the names of
   efficientnet_pytorch ("_blocks.0._project_conv.weight") become timm's ("blocks.0.0.conv_pw.weight"). A header may have at most 10,000,000
   bytes, about 100,000 tensors. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT, THAW_UNSUPPORTED (another dtype),
   THAW_NOT_FOUND (missing or unexpected, a pattern that matches nothing, or a renaming that does), THAW_DUPLICATE (two
   tensors get one name), THAW_SHAPE_MISMATCH, THAW_NOT_FINITE (a tensor contains NaN or infinity). */
THAW_API thaw_status thaw_weights_load(thaw_model *model, const char *path, const thaw_load_options *options,
                                       thaw_load_result *result);

/* Frees the lists of names. */
THAW_API void thaw_load_result_destroy(thaw_context *context, thaw_load_result *result);

#ifdef __cplusplus
}
#endif

#endif
