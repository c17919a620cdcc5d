/* The content of a file, or of a member of an archive, which is read once from its beginning to its end. */
#ifndef THAW_DATA_CONTENT_H
#define THAW_DATA_CONTENT_H

#include <thaw/context.h>

typedef struct thaw_content {
    thaw_context *context;
    const char *name; /* for messages */
    uint64_t most;    /* it has no more bytes than this */
    /* Reads up to `wanted` bytes; fewer only at the end. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT. */
    thaw_status (*read)(void *user, void *bytes, size_t wanted, size_t *got);
    void *user;
} thaw_content;

/* Reads exactly `wanted` bytes. Errors: also THAW_BAD_FORMAT (it ends before; `what` names what was read). */
thaw_status thaw_content_read(const thaw_content *from, void *bytes, size_t wanted, const char *what);

/* Reads the end. Errors: also THAW_BAD_FORMAT (there are more bytes). */
thaw_status thaw_content_end(const thaw_content *from);

#endif
