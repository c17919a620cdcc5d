#include "core/text.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/allocation.h"

void thaw_text_append(thaw_text *text, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    const size_t needed = text->length + (size_t)length + 1;
    char *grown = text->failed ? NULL : thaw_grow(text->context, text->characters, &text->capacity, needed, 1);
    if (!grown) {
        text->failed = true;
    } else {
        text->characters = grown;
        vsnprintf(text->characters + text->length, text->capacity - text->length, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

thaw_status thaw_text_finish(thaw_text *text, char **result)
{
    thaw_text_append(text, "%s", "");
    *result = NULL;
    if (text->failed) {
        thaw_release(text->context, text->characters);
        return THAW_OUT_OF_MEMORY;
    }
    *result = text->characters;
    return THAW_OK;
}
