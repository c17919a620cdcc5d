/* Feeds a fuzz target with the files of a directory, and with each of them cut and changed at every byte. */
#include <dirent.h>
#include <stdio.h>

#include "fuzz/fuzz.h"

enum { MOST_BYTES = 8192 };

static void replay(uint8_t *bytes, size_t count)
{
    LLVMFuzzerTestOneInput(bytes, count);
    for (size_t i = 0; i < count; i++) {
        LLVMFuzzerTestOneInput(bytes, i);
        bytes[i] ^= 0x15;
        LLVMFuzzerTestOneInput(bytes, count);
        bytes[i] ^= 0x15;
    }
}

int main(int argument_count, char **arguments)
{
    size_t files = 0;
    DIR *entries = argument_count == 2 ? opendir(arguments[1]) : NULL;
    if (!entries) {
        fprintf(stderr, "usage: %s DIRECTORY\n", arguments[0]);
        return 2;
    }
    for (const struct dirent *entry; (entry = readdir(entries));) {
        uint8_t bytes[MOST_BYTES];
        char path[1024];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", arguments[1], entry->d_name);
        FILE *file = fopen(path, "rb");
        if (!file) {
            perror(path);
            return 1;
        }
        replay(bytes, fread(bytes, 1, sizeof bytes, file));
        fclose(file);
        files++;
    }
    closedir(entries);
    printf("%zu files\n", files);
    return files ? 0 : 1;
}
