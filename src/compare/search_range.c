/* A range of a hyper-parameter: read from JSON, and its values. */
#include <math.h>
#include <string.h>
#include <thaw/runtime.h>

#include "compare/search.h"

enum { MOST_VALUES = 1000, DIGITS = 4, MOST_EXACT_POWER = 22 };

const char THAW_SEARCH_NO_MEMORY[] = "is out of memory";

/* ---------------------------------------------------------------- reading */

static const char *read_list(thaw_context *context, const json_t *list, thaw_search_range *range)
{
    const size_t count = json_array_size(list);
    if (count == 0)
        return "is an empty list, must have at least one number";
    if (count > MOST_VALUES)
        return "is a list of more than 1000 numbers";
    range->form = THAW_SEARCH_LIST;
    range->values = thaw_allocate_array(context, count, sizeof *range->values);
    if (!range->values)
        return THAW_SEARCH_NO_MEMORY;
    for (; range->count < count; range->count++) {
        const json_t *value = json_array_get(list, range->count);
        if (!json_is_number(value))
            return "is a list with something else than numbers";
        range->values[range->count] = json_number_value(value);
    }
    return NULL;
}

static const char *read_ends(const json_t *ends, thaw_search_range *range)
{
    const json_t *low = json_array_get(ends, 0), *high = json_array_get(ends, 1);
    if (json_array_size(ends) != 2 || !json_is_number(low) || !json_is_number(high))
        return "must have two numbers, the lower and the upper end";
    range->low = json_number_value(low);
    range->high = json_number_value(high);
    if (range->low > range->high)
        return "has its ends in reverse: the lower one comes first";
    return isfinite(range->high - range->low) ? NULL : "has ends that are too far apart";
}

/* `times` becomes a range of its own. */
static const char *check_ends(bool times, double own, thaw_search_range *range)
{
    if (range->form != THAW_SEARCH_UNIFORM && !(range->low > 0))
        return "has an end that has no logarithm, both must be above 0";
    if (range->form == THAW_SEARCH_ONE_MINUS && range->high > 1)
        return "has an end above 1, of which 1 minus it would be negative";
    if (!times)
        return NULL;
    if (!(own > 0))
        return "cannot be times the optimizer's own value, which is not above 0";
    range->low *= own;
    range->high *= own;
    return range->low > 0 && isfinite(range->high) ? NULL : "has an end that is no number";
}

const char *thaw_search_range_read(thaw_context *context, const json_t *described, double own, thaw_search_range *range)
{
    static const struct {
        const char *name;
        thaw_search_form form;
        bool times;
    } forms[] = {
        { "log", THAW_SEARCH_LOG, false },
        { "uniform", THAW_SEARCH_UNIFORM, false },
        { "one-minus", THAW_SEARCH_ONE_MINUS, false },
        { "times", THAW_SEARCH_LOG, true },
    };
    if (json_is_array(described))
        return read_list(context, described, range);
    for (size_t i = 0; i < THAW_COUNT(forms); i++) {
        const json_t *ends = json_object_get(described, forms[i].name);
        if (!ends || json_object_size(described) != 1)
            continue;
        range->form = forms[i].form;
        const char *error = read_ends(ends, range);
        return error ? error : check_ends(forms[i].times, own, range);
    }
    return "must be a list of numbers, or {\"log\": [low, high]}, or the same with uniform, one-minus or times";
}

/* ---------------------------------------------------------------- values */

/* The power of ten that makes the last digit to keep a whole one. */
static int places_of(double value)
{
    return DIGITS - 1 - (int)floor(log10(fabs(value)));
}

/* A quotient, or product, of whole numbers below 2^53: as close to the decimal number as what reads it. */
static double rounded(double value)
{
    if (value == 0)
        return 0;
    const int places = places_of(value);
    if (places > MOST_EXACT_POWER || places < -MOST_EXACT_POWER)
        return value;
    const double power = pow(10, fabs((double)places));
    return places > 0 ? round(value * power) / power : round(value / power) * power;
}

static double one_minus(double value)
{
    const int places = places_of(value);
    if (places > 15 || places < 0)
        return 1 - value;
    const double power = pow(10, places);
    return (power - round(value * power)) / power;
}

static double between(double value, double low, double high)
{
    return fmin(fmax(value, low), high);
}

double thaw_search_value(const thaw_search_range *range, double place)
{
    const double low = range->low, high = range->high;
    if (range->form == THAW_SEARCH_LIST)
        return range->values[(size_t)fmin(place * (double)range->count, (double)(range->count - 1))];
    if (range->form == THAW_SEARCH_UNIFORM)
        return between(rounded(low + place * (high - low)), low, high);
    const double power = exp(log(low) + place * (log(high) - log(low)));
    return range->form == THAW_SEARCH_LOG ? between(rounded(power), low, high)
                                          : between(one_minus(power), 1 - high, 1 - low);
}
