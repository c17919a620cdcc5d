/* What every other header needs: visibility, version, status codes. */
#ifndef THAW_BASE_H
#define THAW_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of these headers. */
#define THAW_VERSION_MAJOR 0
/* See THAW_VERSION_MAJOR. */
#define THAW_VERSION_MINOR 1
/* See THAW_VERSION_MAJOR. */
#define THAW_VERSION_PATCH 0

/* Marks functions that the library exports. */
#define THAW_API __attribute__((visibility("default")))

/* Number of elements of an array (not of a pointer). */
#define THAW_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#ifdef __cplusplus
extern "C" {
#endif

/* What a call returns. Every status except THAW_OK leaves a message in the context (thaw_context_message). */
typedef enum thaw_status {
    THAW_OK = 0,
    THAW_INVALID_ARGUMENT,  /* a value that is out of range, not finite, or missing */
    THAW_OUT_OF_MEMORY,     /* the allocator returned NULL, oneDNN found no memory, or a size overflowed */
    THAW_NOT_FOUND,         /* a name or pattern matches nothing */
    THAW_DUPLICATE,         /* the name exists already */
    THAW_SHAPE_MISMATCH,    /* shapes do not match */
    THAW_BAD_FORMAT,        /* a file's content violates its format */
    THAW_IO_ERROR,          /* the operating system refused to open, read, write or sync */
    THAW_NOTHING_TRAINABLE, /* there is nothing to train: every parameter is frozen */
    THAW_NOT_FINITE,        /* an input, a parameter or a loss is NaN or infinite */
    THAW_STOPPED,           /* a callback asked to stop */
    THAW_UNSUPPORTED,       /* not possible with this CPU, oneDNN or build */
    THAW_INTERNAL           /* a bug in Thaw, or an unexplained error of oneDNN */
} thaw_status;

/* The status as words, such as "not found". Static storage; thread-safe. */
THAW_API const char *thaw_status_name(thaw_status status);

/* The library's version at run time, "major.minor.patch". Static storage; thread-safe. */
THAW_API const char *thaw_version(void);

/* The version of oneDNN at run time: major, minor, patch. Thread-safe. */
THAW_API void thaw_onednn_version(int version[3]);

#ifdef __cplusplus
}
#endif

#endif
