#include "report/log_reader.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/support.h"

long log_read(const char *folder, const char *name, char *bytes)
{
    char path[SUPPORT_PATH_BYTES];
    const long count = support_read_file(support_path(path, folder, name), bytes, LOG_MOST_BYTES - 1);
    cr_assert(count >= 0 && count < LOG_MOST_BYTES);
    bytes[count] = '\0';
    return count;
}

log_table log_read_table(const char *folder, const char *name)
{
    static char text[LOG_MOST_BYTES];
    log_table found = { 0 };
    log_read(folder, name, text);
    char *line = text;
    for (char *end; (end = strstr(line, "\r\n")); line = end + 2) {
        *end = '\0';
        size_t column = 0;
        for (char *field = line, *comma; field; field = comma ? comma + 1 : NULL, column++) {
            comma = strchr(field, ',');
            if (comma)
                *comma = '\0';
            if (line != text)
                found.values[found.rows][column] = *field ? strtod(field, NULL) : (double)NAN;
            else
                snprintf(found.names[column], sizeof found.names[column], "%.*s",
                         (int)strcspn(field + (*field == '"'), "\""), field + (*field == '"'));
        }
        if (line == text)
            found.columns = column;
        else
            found.rows++;
        cr_assert_eq(column, found.columns, "%s, row %zu", name, found.rows);
    }
    cr_assert_eq(*line, '\0', "%s ends with a whole line", name);
    return found;
}

double log_at(const log_table *t, size_t row, const char *name)
{
    for (size_t i = 0; i < t->columns; i++)
        if (strcmp(t->names[i], name) == 0)
            return t->values[row][i];
    cr_assert_fail("no column %s", name);
    return NAN;
}

size_t log_count_events(const char *folder)
{
    static char bytes[LOG_MOST_BYTES];
    const size_t count = (size_t)log_read(folder, "events.out.tfevents.0000000000.thaw", bytes);
    size_t records = 0, next = 0;
    while (next < count) {
        uint64_t length;
        memcpy(&length, bytes + next, sizeof length);
        next += 16 + (size_t)length;
        records++;
    }
    cr_assert_eq(next, count);
    return records - 1;
}

size_t log_count_values(const log_table *t)
{
    size_t known = 0;
    for (size_t row = 0; row < t->rows; row++)
        for (size_t column = 3; column < t->columns; column++)
            known += isnan(t->values[row][column]) ? 0 : 1;
    return known;
}
