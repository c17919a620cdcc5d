/* Options that all kinds of data sets have. */
#include <errno.h>
#include <inttypes.h>
#include <thaw/runtime.h>

#include "data/description.h"

static bool parse_number(const char *text, char **end, size_t *number)
{
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    const uintmax_t value = strtoumax(text, end, 10);
    *number = (size_t)value;
    return errno == 0;
}

thaw_status thaw_describe_count(thaw_description *into, const char *option, const char *value, size_t *count)
{
    char *end;
    if (!parse_number(value, &end, count) || *end || *count == 0)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: %s=%s, must be a whole number from 1", into->name,
                         option, value);
    return THAW_OK;
}

thaw_status thaw_describe_classes(thaw_description *into, char *value)
{
    thaw_dataset_selection *selection = &into->selection;
    char *end;
    bool good = parse_number(value, &end, &selection->first_class);
    selection->last_class = selection->first_class;
    if (good && *end == '-')
        good = parse_number(end + 1, &end, &selection->last_class);
    if (!good || *end || selection->first_class > selection->last_class)
        return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: classes=%s, must be one number or A-B", into->name,
                         value);
    into->has_classes = true;
    return THAW_OK;
}

thaw_status thaw_describe_per_class(thaw_description *into, char *value)
{
    return thaw_describe_count(into, "per-class", value, &into->selection.per_class);
}

thaw_status thaw_describe_repeat(thaw_description *into, char *value)
{
    return thaw_describe_count(into, "repeat", value, &into->selection.repeat);
}
