#include "cli/numbers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"

/* strtoumax alone accepts blanks and a sign. */
static bool parse_digits(const char *text, char **end, uint64_t *value)
{
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *value = strtoumax(text, end, 10);
    return errno == 0;
}

bool cli_parse_count(const char *text, uint64_t minimum, uint64_t maximum, uint64_t *value)
{
    char *end;
    return parse_digits(text, &end, value) && !*end && *value >= minimum && *value <= maximum;
}

bool cli_parse_bytes(const char *text, uint64_t *value)
{
    static const char suffixes[] = "KMG";
    char *end;
    if (!parse_digits(text, &end, value))
        return false;
    if (!*end)
        return *value <= SIZE_MAX;
    const char *suffix = strchr(suffixes, *end);
    if (!suffix || end[1])
        return false;
    const int shift = 10 * (int)(suffix - suffixes + 1);
    return !__builtin_mul_overflow(*value, (uint64_t)1 << shift, value) && *value <= SIZE_MAX;
}

bool cli_parse_interval(const char *text, cli_interval *interval)
{
    char *unit;
    uint64_t count;
    *interval = (cli_interval){ 0 };
    if (!parse_digits(text, &unit, &count) || count == 0 || count > INT32_MAX)
        return false;
    if (strcmp(unit, "step") == 0 || strcmp(unit, "steps") == 0)
        interval->steps = count;
    else if (strcmp(unit, "epoch") == 0 || strcmp(unit, "epochs") == 0)
        interval->epochs = count;
    else if (*unit && strchr("smh", *unit) && !unit[1])
        interval->seconds = (double)count * (*unit == 's' ? 1 : *unit == 'm' ? 60 : 3600);
    else
        return false;
    return true;
}

bool cli_parse_real(const char *text, double *value)
{
    return thaw_parse_number(text, strlen(text), value) && *value >= 0;
}
