/* The notes of a file. */
#include "core/allocation.h"
#include "io/safetensors.h"

thaw_status thaw_notes_read(thaw_context *context, const char *path, thaw_notes **notes)
{
    thaw_safetensors file;
    *notes = NULL;
    if (!path)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the path to read notes from is missing");
    thaw_notes *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    const thaw_status status = thaw_safetensors_open(context, path, &file);
    if (status != THAW_OK) {
        thaw_release(context, made);
        return status;
    }
    *made = file.notes;
    file.notes = (thaw_notes){ .context = context };
    thaw_safetensors_close(&file);
    *notes = made;
    return THAW_OK;
}
