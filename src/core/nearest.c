#include "core/nearest.h"

#include <string.h>
#include <thaw/runtime.h>

#include "core/enumeration.h"

enum { LONGEST = 63 };

static size_t least(size_t a, size_t b, size_t c)
{
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

size_t thaw_edit_distance(const char *left, const char *right)
{
    const size_t left_length = strnlen(left, LONGEST), right_length = strnlen(right, LONGEST);
    size_t row[LONGEST + 1]; /* distances from left's first i characters to each prefix of right */
    for (size_t j = 0; j <= right_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= left_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= right_length; j++) {
            const size_t replaced = diagonal + (left[i - 1] != right[j - 1]);
            diagonal = row[j];
            row[j] = least(replaced, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[right_length];
}

const char *thaw_nearest(const char *word, const char *const *known, size_t count)
{
    const size_t length = strlen(word), third = length / 3;
    size_t nearest = third > 2 ? third : 2;
    if (nearest >= length)
        nearest = length ? length - 1 : 0;
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        const size_t distance = thaw_edit_distance(word, known[i]);
        if (distance > nearest || (found && distance == nearest))
            continue;
        nearest = distance;
        found = known[i];
    }
    return found;
}

thaw_status thaw_fail_unknown(thaw_context *context, const char *what, const char *name, const char *const *known,
                              size_t count)
{
    thaw_enumeration list = { 0 };
    for (size_t i = 0; i < count; i++)
        thaw_enumerate(&list, known[i]);
    const char *nearest = thaw_nearest(name, known, count);
    return thaw_fail(context, THAW_NOT_FOUND, "unknown %s \"%.100s\"%s%s%s; known: %s", what, name,
                     THAW_DID_YOU_MEAN(nearest), thaw_enumerated(&list));
}
