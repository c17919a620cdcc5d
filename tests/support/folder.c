#include "support/folder.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

char folder_path[SUPPORT_PATH_BYTES];

void folder_set_up(void)
{
    support_make_directory(folder_path);
}

void folder_tear_down(void)
{
    support_remove_tree(folder_path);
}

const char *folder_join(char path[SUPPORT_PATH_BYTES], const char *name)
{
    return support_path(path, folder_path, name);
}

void folder_make_way(char *path)
{
    for (char *slash = path + strlen(folder_path) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

void folder_put(const char *name, const void *bytes, size_t count)
{
    char path[SUPPORT_PATH_BYTES];
    folder_join(path, name);
    folder_make_way(path);
    support_write_file(path, bytes, count);
}

void folder_put_text(const char *name, const char *text)
{
    folder_put(name, text, strlen(text));
}

const char *folder_expand(char text[FOLDER_TEXT_BYTES], const char *pattern)
{
    char *end = text;
    for (; *pattern; pattern++) {
        cr_assert_lt(end - text, FOLDER_TEXT_BYTES - SUPPORT_PATH_BYTES);
        if (*pattern == '%')
            end = stpcpy(end, folder_path);
        else
            *end++ = *pattern;
    }
    *end = '\0';
    return text;
}
