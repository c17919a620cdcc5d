#include "io/json_file.h"

#include <errno.h>
#include <string.h>
#include <thaw/runtime.h>

#include "io/regular_file.h"

thaw_status thaw_json_read(thaw_context *context, const char *path, json_t **value)
{
    FILE *stream;
    json_error_t error;
    *value = NULL;
    const thaw_status status = thaw_regular_file_stream(context, path, &stream);
    if (status != THAW_OK)
        return status;
    errno = 0;
    *value = json_loadf(stream, JSON_REJECT_DUPLICATES, &error);
    const int reason = ferror(stream) ? errno : 0;
    fclose(stream);
    if (reason) {
        json_decref(*value);
        *value = NULL;
        return thaw_fail(context, THAW_IO_ERROR, "%s: cannot read: %s", path, strerror(reason));
    }
    return *value ? THAW_OK : thaw_fail(context, THAW_BAD_FORMAT, "%s: line %d: %s", path, error.line, error.text);
}
