/* Replaces safetensors_header.c, shards.c and name_list.c if the library is built with -Djson=disabled: weight files
   are neither read nor written. */
#include "io/name_list.h"
#include "io/safetensors.h"
#include "io/shards.h"

thaw_status thaw_safetensors_parse(thaw_context *context, const char *path, const char *text, size_t text_bytes,
                                   uint64_t data_bytes, thaw_notes *notes, thaw_stored_tensor **tensors, size_t *count)
{
    (void)text, (void)text_bytes, (void)data_bytes, (void)notes;
    *tensors = NULL;
    *count = 0;
    return thaw_fail(context, THAW_UNSUPPORTED,
                     "%s: this libthaw was built with -Djson=disabled and cannot read weight files", path);
}

void thaw_stored_tensors_release(thaw_context *context, thaw_stored_tensor *tensors, size_t count)
{
    (void)context, (void)tensors, (void)count;
}

thaw_status thaw_shards_open(thaw_safetensors *file)
{
    return thaw_fail(file->context, THAW_UNSUPPORTED,
                     "%s: this libthaw was built with -Djson=disabled and cannot read weight files", file->path);
}

void thaw_shards_close(thaw_safetensors *file)
{
    (void)file;
}

thaw_status thaw_name_list_read(thaw_context *context, const char *what, const char *text, char ***names, size_t *count)
{
    (void)text;
    *names = NULL;
    *count = 0;
    return thaw_fail(context, THAW_UNSUPPORTED, "%s: this libthaw was built with -Djson=disabled and cannot read it",
                     what);
}
