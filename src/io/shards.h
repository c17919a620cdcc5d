/* Weights in several files, as Hugging Face's libraries save large networks: an index, model.safetensors.index.json,
   says which file beside it holds each tensor:
     {"metadata": {"total_size": 12}, "weight_map": {"fc.weight": "model-00001-of-00002.safetensors", ...}} */
#ifndef THAW_IO_SHARDS_H
#define THAW_IO_SHARDS_H

#include "io/safetensors.h"

/* Whether a path is that of an index, by its end. */
bool thaw_is_index(const char *path);

/* Opens the files of the index `file->path`. The index and its files must hold the same tensors, each once.
   Errors: THAW_BAD_FORMAT (the index; a file that is not beside it, a tensor that its file lacks, that two files hold
   or that the index lacks), those of thaw_safetensors_open. The caller closes `file`, also after an error. */
thaw_status thaw_shards_open(thaw_safetensors *file);

/* Closes the files. For thaw_safetensors_close alone. */
void thaw_shards_close(thaw_safetensors *file);

#endif
