#include "data/texts_fixture.h"

#include <stdio.h>
#include <string.h>

char texts_directory[SUPPORT_PATH_BYTES];

void texts_begin(void)
{
    support_make_directory(texts_directory);
    texts_write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\ngood\nbad\nfood\nvery\n");
}

void texts_end(void)
{
    support_remove_tree(texts_directory);
}

void texts_write(const char *name, const char *text)
{
    char path[SUPPORT_PATH_BYTES];
    support_write_file(support_path(path, texts_directory, name), text, strlen(text));
}

const char *texts_describe(const char *description)
{
    static char whole[8 * SUPPORT_PATH_BYTES];
    size_t length = 0;
    for (const char *c = description; *c; c++)
        length += (size_t)snprintf(whole + length, sizeof whole - length, *c == '$' ? "%s" : "%.1s",
                                   *c == '$' ? texts_directory : c);
    return whole;
}
