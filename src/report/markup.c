#include "report/markup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char DASH[] = "–", MINUS[] = "−", THIN_SPACE[] = "\u202F";

static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

static void append_character(thaw_text *text, const char *begin, size_t bytes)
{
    static const struct {
        char raw;
        const char *escaped;
    } special[] = { { '&', "&amp;" }, { '<', "&lt;" }, { '>', "&gt;" }, { '"', "&quot;" } };
    for (size_t i = 0; i < THAW_COUNT(special); i++)
        if (*begin == special[i].raw) {
            thaw_text_append(text, "%s", special[i].escaped);
            return;
        }
    const bool control = (unsigned char)*begin < ' ' && *begin != '\n' && *begin != '\t';
    if (control)
        thaw_text_append(text, "\uFFFD");
    else
        thaw_text_append(text, "%.*s", (int)bytes, begin);
}

void thaw_markup_label(thaw_text *text, const char *raw, size_t most)
{
    size_t characters = 0;
    for (const char *c = raw; *c; c++)
        characters += !continues(*c);
    for (size_t written = 0; *raw; written++) {
        size_t bytes = 1;
        while (continues(raw[bytes]))
            bytes++;
        if (characters > most && written + 1 >= most) {
            thaw_text_append(text, "…");
            return;
        }
        append_character(text, raw, bytes);
        raw += bytes;
    }
}

void thaw_markup_text(thaw_text *text, const char *raw)
{
    thaw_markup_label(text, raw, SIZE_MAX);
}

void thaw_markup_exact(thaw_text *text, double value)
{
    if (isfinite(value))
        thaw_text_append(text, "%.17g", value);
}

/* ---------------------------------------------------------------- numbers */

static char *dash(char field[THAW_FIELD_BYTES])
{
    return strcpy(field, DASH);
}

char *thaw_format_percent(char field[THAW_FIELD_BYTES], double share)
{
    if (!isfinite(share))
        return dash(field);
    snprintf(field, THAW_FIELD_BYTES, "%.2f", 100 * share);
    return field;
}

char *thaw_format_points(char field[THAW_FIELD_BYTES], double difference)
{
    if (!isfinite(difference))
        return dash(field);
    const bool nothing = fabs(100 * difference) < 0.005;
    snprintf(field, THAW_FIELD_BYTES, "%s%.2f", nothing ? "" : difference < 0 ? MINUS : "+", fabs(100 * difference));
    return field;
}

/* Three digits, and never as a power of ten. */
static void format_short(char field[THAW_FIELD_BYTES], double value, const char *unit)
{
    const double size = fabs(value);
    const int decimals = size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
    snprintf(field, THAW_FIELD_BYTES, "%.*f%s%.16s", decimals, value, THIN_SPACE, unit);
}

static char *format_scaled(char field[THAW_FIELD_BYTES], double value, const double *sizes, const char *const *units,
                           size_t count)
{
    if (!isfinite(value))
        return dash(field);
    size_t unit = 0;
    while (unit + 1 < count && fabs(value) >= 0.9995 * sizes[unit + 1])
        unit++;
    format_short(field, value / sizes[unit], units[unit]);
    return field;
}

char *thaw_format_seconds(char field[THAW_FIELD_BYTES], double seconds)
{
    static const double sizes[] = { 1e-9, 1e-6, 1e-3, 1, 60, 3600 };
    static const char *const units[] = { "ns", "µs", "ms", "s", "min", "h" };
    return format_scaled(field, seconds, sizes, units, THAW_COUNT(sizes));
}

char *thaw_format_quantity(char field[THAW_FIELD_BYTES], double value, const char *unit)
{
    static const double sizes[] = { 1, 1e3, 1e6, 1e9, 1e12, 1e15 };
    static const char *const prefixes[] = { "", "k", "M", "G", "T", "P" };
    char units[THAW_COUNT(sizes)][16];
    const char *names[THAW_COUNT(sizes)];
    for (size_t i = 0; i < THAW_COUNT(sizes); i++) {
        snprintf(units[i], sizeof units[i], "%s%.12s", prefixes[i], unit);
        names[i] = units[i];
    }
    return format_scaled(field, value, sizes, names, THAW_COUNT(sizes));
}

char *thaw_format_bytes(char field[THAW_FIELD_BYTES], double bytes)
{
    if (bytes == 0)
        return strcpy(field, "0 B");
    return thaw_format_quantity(field, bytes, "B");
}

char *thaw_format_count(char field[THAW_FIELD_BYTES], double count)
{
    char digits[32];
    if (!isfinite(count) || fabs(count) >= 1e15)
        return dash(field);
    const int length = snprintf(digits, sizeof digits, "%.0f", count);
    size_t at = 0;
    for (int i = 0; i < length; i++) {
        const bool group = i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0;
        at += (size_t)snprintf(field + at, THAW_FIELD_BYTES - at, "%s%c", group ? THIN_SPACE : "", digits[i]);
    }
    return field;
}
