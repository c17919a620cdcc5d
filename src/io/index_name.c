#include <string.h>

#include "io/shards.h"

bool thaw_is_index(const char *path)
{
    static const char end[] = ".index.json";
    const size_t length = strlen(path);
    return length >= sizeof end - 1 && strcmp(path + length - (sizeof end - 1), end) == 0;
}
