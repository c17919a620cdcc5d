#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "models/folder/folder.h"

/* What is between a folder and a name. */
static const char *separator(const char *folder)
{
    const size_t length = strlen(folder);
    return length && folder[length - 1] == '/' ? "" : "/";
}

thaw_status thaw_folder_path(thaw_context *context, const char *folder, const char *name, char **path)
{
    thaw_text text = { .context = context };
    thaw_text_append(&text, "%s%s%s", folder, separator(folder), name);
    return thaw_text_finish(&text, path);
}

bool thaw_folder_has(const char *folder, const char *name)
{
    enum { LONGEST = 4096 }; /* of a path in Linux */
    struct stat about;
    char path[LONGEST];
    const int length = snprintf(path, sizeof path, "%s%s%s", folder, separator(folder), name);
    return length > 0 && length < LONGEST && stat(path, &about) == 0;
}
