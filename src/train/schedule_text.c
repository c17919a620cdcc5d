/* Reads a schedule's description. */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include <thaw/runtime.h>
#include <thaw/schedule.h>

#include "core/nearest.h"
#include "core/number.h"

typedef struct kind_name {
    const char *name;
    thaw_schedule_kind kind;
} kind_name;

static const kind_name kinds[] = {
    { "constant", THAW_SCHEDULE_CONSTANT },
    { "step", THAW_SCHEDULE_STEP },
    { "cosine", THAW_SCHEDULE_COSINE },
    { "one-cycle", THAW_SCHEDULE_ONE_CYCLE },
};

/* A setting of a description: where it is stored, which schedule has it, and its range. */
typedef struct setting {
    const char *name;
    int kind; /* -1: all */
    size_t offset;
    bool whole;
    double minimum, maximum;
} setting;

static const setting settings[] = {
    { "warmup_epochs", -1, offsetof(thaw_schedule, warmup_epochs), false, 0, 1e6 },
    { "gamma", THAW_SCHEDULE_STEP, offsetof(thaw_schedule, gamma), false, 1e-12, 1e6 },
    { "every", THAW_SCHEDULE_STEP, offsetof(thaw_schedule, every), true, 1, 1e6 },
    { "floor", THAW_SCHEDULE_COSINE, offsetof(thaw_schedule, floor), false, 0, 1 },
    { "rising", THAW_SCHEDULE_ONE_CYCLE, offsetof(thaw_schedule, rising), false, 1e-6, 1 },
    { "start_divisor", THAW_SCHEDULE_ONE_CYCLE, offsetof(thaw_schedule, start_divisor), false, 1, 1e12 },
    { "end_divisor", THAW_SCHEDULE_ONE_CYCLE, offsetof(thaw_schedule, end_divisor), false, 1, 1e12 },
};

static bool is(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && memcmp(text, name, length) == 0;
}

static thaw_status fail_unknown(thaw_context *context, const char *what, const char *text, size_t length,
                                const char *const *names, size_t count)
{
    char shown[61] = { 0 };
    memcpy(shown, text, length < sizeof shown - 1 ? length : sizeof shown - 1);
    return thaw_fail_unknown(context, what, shown, names, count);
}

static thaw_status parse_kind(thaw_context *context, const char *text, size_t length, thaw_schedule_kind *kind)
{
    for (size_t i = 0; i < THAW_COUNT(kinds); i++)
        if (is(text, length, kinds[i].name)) {
            *kind = kinds[i].kind;
            return THAW_OK;
        }
    const char *names[THAW_COUNT(kinds)];
    for (size_t i = 0; i < THAW_COUNT(kinds); i++)
        names[i] = kinds[i].name;
    return fail_unknown(context, "schedule", text, length, names, THAW_COUNT(kinds));
}

static bool belongs(const setting *one, thaw_schedule_kind kind)
{
    return one->kind < 0 || one->kind == (int)kind;
}

static const setting *find_setting(thaw_schedule_kind kind, const char *text, size_t length)
{
    for (size_t i = 0; i < THAW_COUNT(settings); i++)
        if (belongs(&settings[i], kind) && is(text, length, settings[i].name))
            return &settings[i];
    return NULL;
}

static thaw_status fail_unknown_setting(thaw_context *context, thaw_schedule_kind kind, const char *text, size_t length)
{
    const char *names[THAW_COUNT(settings)];
    size_t count = 0;
    for (size_t i = 0; i < THAW_COUNT(settings); i++)
        if (belongs(&settings[i], kind))
            names[count++] = settings[i].name;
    return fail_unknown(context, "setting of this schedule", text, length, names, count);
}

static thaw_status parse_setting(thaw_context *context, const char *text, size_t length, thaw_schedule *schedule)
{
    const char *equals = memchr(text, '=', length);
    const size_t name_length = equals ? (size_t)(equals - text) : length;
    const setting *found = find_setting(schedule->kind, text, name_length);
    const int shown = (int)(length < 60 ? length : 60);
    if (!found)
        return fail_unknown_setting(context, schedule->kind, text, name_length);
    double value;
    if (!equals || !thaw_parse_number(equals + 1, length - name_length - 1, &value) || value < found->minimum ||
        value > found->maximum || (found->whole && value != floor(value)))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "\"%.*s\": %s must be a %snumber from %g to %g", shown, text,
                         found->name, found->whole ? "whole " : "", found->minimum, found->maximum);
    char *field = (char *)schedule + found->offset;
    if (found->whole)
        *(int *)(void *)field = (int)value;
    else
        *(double *)(void *)field = value;
    return THAW_OK;
}

thaw_status thaw_schedule_parse(thaw_context *context, const char *text, thaw_schedule *schedule)
{
    thaw_schedule parsed = { 0 };
    const size_t kind_length = strcspn(text, ":");
    thaw_status status = parse_kind(context, text, kind_length, &parsed.kind);
    const char *rest = text + kind_length;
    while (status == THAW_OK && *rest) {
        rest++; /* past ':' or ',' */
        const size_t length = strcspn(rest, ",");
        status = parse_setting(context, rest, length, &parsed);
        rest += length;
    }
    if (status == THAW_OK)
        *schedule = parsed;
    return status;
}
