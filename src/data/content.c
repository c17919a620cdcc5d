#include "data/content.h"

#include <thaw/runtime.h>

thaw_status thaw_content_read(const thaw_content *from, void *bytes, size_t wanted, const char *what)
{
    size_t got;
    const thaw_status status = from->read(from->user, bytes, wanted, &got);
    if (status == THAW_OK && got < wanted)
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: ends inside its %s, %zu bytes too early", from->name,
                         what, wanted - got);
    return status;
}

thaw_status thaw_content_end(const thaw_content *from)
{
    char more;
    size_t got;
    const thaw_status status = from->read(from->user, &more, 1, &got);
    if (status == THAW_OK && got)
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: bytes follow what its header announces", from->name);
    return status;
}
