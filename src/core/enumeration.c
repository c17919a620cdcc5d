#include "core/enumeration.h"

#include <stdio.h>
#include <string.h>

static const char BETWEEN[] = ", ";

enum { BETWEEN_BYTES = sizeof BETWEEN - 1, MORE_BYTES = sizeof " and 18446744073709551615 more" };

static void add(thaw_enumeration *list, const char *name, size_t length)
{
    const size_t needed = list->length + BETWEEN_BYTES + length + MORE_BYTES;
    if (list->left || length >= THAW_ENUMERATION_BYTES || needed > THAW_ENUMERATION_BYTES) {
        list->left++;
        return;
    }
    list->length += (size_t)snprintf(list->text + list->length, sizeof list->text - list->length, "%s%.*s",
                                     list->shown ? BETWEEN : "", (int)length, name);
    list->shown++;
}

void thaw_enumerate(thaw_enumeration *list, const char *name)
{
    add(list, name, strlen(name));
}

void thaw_enumerate_joined(thaw_enumeration *list, const char *names)
{
    for (const char *end; (end = strstr(names, BETWEEN)); names = end + BETWEEN_BYTES)
        add(list, names, (size_t)(end - names));
    add(list, names, strlen(names));
}

const char *thaw_enumerated(thaw_enumeration *list)
{
    if (list->left)
        snprintf(list->text + list->length, sizeof list->text - list->length,
                 list->shown ? " and %zu more" : "%zu names", list->left);
    return list->text;
}
