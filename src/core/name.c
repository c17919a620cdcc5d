#include "core/name.h"

#include <string.h>

#include "core/utf8.h"

const char *thaw_name_error(const char *name)
{
    if (!*name)
        return "is empty";
    for (const char *at = name; *at;) {
        uint32_t code;
        const size_t bytes = thaw_utf8_read(at, &code);
        if (bytes == 0)
            return "is not UTF-8";
        if (strchr("*?[]{}|,", *at))
            return "contains one of * ? [ ] { } | , which have a meaning in patterns";
        at += bytes;
    }
    return NULL;
}
