#include "report/measured.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool thaw_measured_is_time(const json_t *one)
{
    return !*thaw_report_string(one, "unit");
}

double thaw_measured_value(const json_t *one)
{
    return thaw_report_number(one, thaw_measured_is_time(one) ? "seconds" : "value");
}

double thaw_measured_limit(const json_t *one)
{
    return thaw_report_number(one, thaw_measured_is_time(one) ? "limit_seconds" : "limit_value");
}

double thaw_measured_share(const json_t *one)
{
    return thaw_measured_is_time(one) ? thaw_measured_limit(one) / thaw_measured_value(one) : NAN;
}

static char *format_error(char field[THAW_FIELD_BYTES], double error)
{
    snprintf(field, THAW_FIELD_BYTES, "%.2g", error);
    return field;
}

thaw_tick_format *thaw_measured_format(const json_t *one, bool tick)
{
    const bool share = strcmp(thaw_report_string(one, "unit"), "share") == 0;
    if (thaw_measured_is_time(one))
        return tick ? thaw_tick_seconds : thaw_format_seconds;
    if (share)
        return tick ? thaw_tick_percent : thaw_format_percent;
    return format_error;
}
