#include "support/golden.h"

#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/support.h"

FILE *golden_open(const char *name)
{
    char path[SUPPORT_PATH_BYTES];
    FILE *file = fopen(support_golden(path, name), "r");
    cr_assert_not_null(file, "%s does not open", path);
    return file;
}

void golden_case(FILE *file, const char *settings)
{
    char line[256] = "", wanted[256];
    snprintf(wanted, sizeof wanted, "case %s\n", settings);
    cr_assert(fgets(line, sizeof line, file) && strcmp(line, wanted) == 0, "found \"%s\", wanted \"%s\"", line, wanted);
}

void golden_read(FILE *file, const char *name, float *values, size_t count)
{
    char word[64] = "";
    cr_assert(fscanf(file, "%63s", word) == 1 && strcmp(word, name) == 0, "found \"%s\", wanted \"%s\"", word, name);
    for (size_t i = 0; i < count; i++)
        cr_assert(fscanf(file, "%f", &values[i]) == 1, "%s has %zu values, wanted %zu", name, i, count);
    cr_assert_eq(fgetc(file), '\n', "%s has more than %zu values", name, count);
}

void golden_losses(const char *name, const char *run, double *losses, size_t count)
{
    char line[2048];
    FILE *file = golden_open(name);
    const size_t length = strlen(run);
    bool found = false;
    while (!found && fgets(line, sizeof line, file) != NULL)
        found = strncmp(line, run, length) == 0 && line[length] == ':';
    fclose(file);
    cr_assert(found, "%s has no run \"%s\"", name, run);
    char *position = line + length + 1;
    for (size_t i = 0; i < count; i++) {
        char *end = NULL;
        losses[i] = strtod(position, &end);
        cr_assert(end != position, "run \"%s\" has %zu losses", run, i);
        position = end;
    }
}
