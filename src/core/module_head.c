#include "core/module_head.h"

#include <stdio.h>

const char *thaw_module_head_error(const thaw_module_kind *kind, const thaw_module_head *head,
                                   char message[THAW_HEAD_MESSAGE_BYTES])
{
    if (head->abi >> 16 != kind->abi >> 16)
        snprintf(message, THAW_HEAD_MESSAGE_BYTES, "it is not %s: its abi is 0x%08x, must be 0x%08x", kind->name,
                 (unsigned)head->abi, (unsigned)kind->abi);
    else if (head->abi != kind->abi)
        snprintf(message, THAW_HEAD_MESSAGE_BYTES, "it was compiled for version %u of the abi, must be version %u",
                 (unsigned)(head->abi & 0xFFFF), (unsigned)(kind->abi & 0xFFFF));
    else if (head->size < kind->least)
        snprintf(message, THAW_HEAD_MESSAGE_BYTES, "its struct has %zu bytes, must have at least %zu", head->size,
                 kind->least);
    else if (head->size > kind->whole)
        snprintf(message, THAW_HEAD_MESSAGE_BYTES,
                 "its struct has %zu bytes, must have at most %zu: it was compiled with the headers of a newer Thaw",
                 head->size, kind->whole);
    else
        return NULL;
    return message;
}
