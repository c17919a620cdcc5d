#include "io/name_list.h"

void thaw_text_append_quoted(thaw_text *text, const char *characters)
{
    thaw_text_append(text, "\"");
    for (const char *c = characters; *c; c++) {
        if (*c == '"' || *c == '\\')
            thaw_text_append(text, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            thaw_text_append(text, "\\u%04x", (unsigned)*c);
        else
            thaw_text_append(text, "%c", *c);
    }
    thaw_text_append(text, "\"");
}

thaw_status thaw_name_list_write(thaw_context *context, const char *const *names, size_t count, char **text)
{
    thaw_text list = { .context = context };
    thaw_text_append(&list, "[");
    for (size_t i = 0; i < count; i++) {
        thaw_text_append(&list, "%s", i ? "," : "");
        thaw_text_append_quoted(&list, names[i]);
    }
    thaw_text_append(&list, "]");
    return thaw_text_finish(&list, text);
}
