/* Weights on disk: safetensors, with PyTorch's names and layouts. */
#ifndef THAW_WEIGHTS_H
#define THAW_WEIGHTS_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Writes every parameter, statistics included, as F32 under its name; of parameters that are bound to expressions
   (thaw/combine.h) what the expressions are made of, and not a stored tensor that no layer's parameter is computed from.
   The file is written beside `path`, synced, and renamed over it: `path` holds the old or the new content, never half of
   one.
   Errors: THAW_IO_ERROR (the message holds the system's reason; also when `path` is no regular file, or one that may not
   be written), THAW_INVALID_ARGUMENT (a name that is not UTF-8); an existing file is untouched then. */
THAW_API thaw_status thaw_weights_save(thaw_model *model, const char *path);

/* What a load may pass over. Zero everywhere: nothing. */
typedef struct thaw_load_options {
    const char *pattern;   /* load only parameters whose name or group matches, and look at no other; NULL: all. Of a
                              group whose weights are all bound to others, there is nothing to load: that is no error */
    bool allow_missing;    /* parameters that the file has not keep their values */
    bool allow_unexpected; /* tensors that the model has not are passed over */
    bool allow_misshaped;  /* tensors of another shape are passed over */
} thaw_load_options;

/* What a load found. Lists are comma-separated names, and belong to the caller (thaw_load_result_destroy). */
typedef struct thaw_load_result {
    size_t loaded, missing, unexpected, misshaped;            /* how many tensors */
    char *missing_names, *unexpected_names, *misshaped_names; /* "" when there are none */
} thaw_load_result;

/* Loads by name. Strict by default: anything missing, unexpected or mis-shaped is an error, the message names it, and no
   parameter has changed. An adapter's tensor is unexpected unless some layer computes with the adapter. `options` and
   `result` may be NULL; the result is filled on THAW_NOT_FOUND and THAW_SHAPE_MISMATCH too. F32 tensors only; the
   `num_batches_tracked` that PyTorch keeps beside a layer's running statistics is passed over. A header has at most
   10,000,000 bytes, which is some 100,000 tensors.
   Errors: THAW_IO_ERROR, THAW_BAD_FORMAT, THAW_UNSUPPORTED (another dtype), THAW_NOT_FOUND (missing or unexpected, or a
   pattern that matches nothing), THAW_SHAPE_MISMATCH, THAW_NOT_FINITE (a NaN or infinity in a tensor). */
THAW_API thaw_status thaw_weights_load(thaw_model *model, const char *path, const thaw_load_options *options,
                                       thaw_load_result *result);

/* Gives back the lists of names. */
THAW_API void thaw_load_result_destroy(thaw_context *context, thaw_load_result *result);

#ifdef __cplusplus
}
#endif

#endif
