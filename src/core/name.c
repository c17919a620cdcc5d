#include "core/name.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The length in bytes of the character that begins here, or 0 if it is not UTF-8 (RFC 3629: shortest form, no
   surrogates). */
static size_t character_bytes(const unsigned char *at)
{
    if (at[0] < 0x80)
        return 1;
    const size_t bytes = at[0] >= 0xF0 ? 4 : at[0] >= 0xE0 ? 3 : 2;
    if (at[0] < 0xC2 || at[0] > 0xF4)
        return 0;
    for (size_t i = 1; i < bytes; i++)
        if (at[i] < 0x80 || at[i] > 0xBF)
            return 0;
    const bool too_long = (at[0] == 0xE0 && at[1] < 0xA0) || (at[0] == 0xF0 && at[1] < 0x90);
    const bool surrogate = at[0] == 0xED && at[1] > 0x9F, too_large = at[0] == 0xF4 && at[1] > 0x8F;
    return too_long || surrogate || too_large ? 0 : bytes;
}

const char *thaw_name_error(const char *name)
{
    if (!*name)
        return "is empty";
    for (const unsigned char *at = (const unsigned char *)name; *at;) {
        const size_t bytes = character_bytes(at);
        if (bytes == 0)
            return "is not UTF-8";
        if (strchr("*?[]{}|,", *at))
            return "contains one of * ? [ ] { } | , which have a meaning in patterns";
        at += bytes;
    }
    return NULL;
}
