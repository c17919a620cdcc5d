#include <thaw/base.h>

#define TEXT(number) #number
#define VERSION(major, minor, patch) TEXT(major) "." TEXT(minor) "." TEXT(patch)

const char *thaw_status_name(thaw_status status)
{
    static const char *const names[] = {
        [THAW_OK] = "ok",
        [THAW_INVALID_ARGUMENT] = "invalid argument",
        [THAW_OUT_OF_MEMORY] = "out of memory",
        [THAW_NOT_FOUND] = "not found",
        [THAW_DUPLICATE] = "duplicate",
        [THAW_SHAPE_MISMATCH] = "shape mismatch",
        [THAW_BAD_FORMAT] = "bad format",
        [THAW_IO_ERROR] = "input/output error",
        [THAW_NOTHING_TRAINABLE] = "nothing trainable",
        [THAW_NOT_FINITE] = "not finite",
        [THAW_STOPPED] = "stopped",
        [THAW_UNSUPPORTED] = "unsupported",
        [THAW_INTERNAL] = "internal error",
    };
    return (size_t)status < THAW_COUNT(names) ? names[status] : "unknown status";
}

const char *thaw_version(void)
{
    return VERSION(THAW_VERSION_MAJOR, THAW_VERSION_MINOR, THAW_VERSION_PATCH);
}
