#include "data/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/enumeration.h"
#include "core/nearest.h"
#include "core/number.h"

void thaw_table_release(thaw_table *table)
{
    thaw_release(table->context, table->text);
    thaw_release(table->context, table->cells);
    thaw_release(table->context, table->lines);
    *table = (thaw_table){ .context = table->context };
}

bool thaw_table_find(const thaw_table *table, const char *name, size_t *column)
{
    for (*column = 0; *column < table->columns; ++*column)
        if (strcmp(thaw_table_name(table, *column), name) == 0)
            return true;
    char *end;
    const uintmax_t number = *name >= '0' && *name <= '9' ? strtoumax(name, &end, 10) : 0;
    *column = (size_t)number - 1;
    return number >= 1 && !*end && number <= table->columns;
}

static thaw_status fail_missing(const thaw_table *table, const char *name)
{
    thaw_context *context = table->context;
    const char **names = thaw_allocate_array(context, table->columns, sizeof *names);
    if (!names)
        return THAW_OUT_OF_MEMORY;
    thaw_enumeration columns = { 0 };
    for (size_t i = 0; i < table->columns; i++) {
        names[i] = thaw_table_name(table, i);
        thaw_enumerate(&columns, names[i]);
    }
    const char *nearest = thaw_nearest(name, names, table->columns);
    thaw_fail(context, THAW_NOT_FOUND, "%s: has no column \"%.100s\"%s%.100s%s; its columns: %s", table->path, name,
              THAW_DID_YOU_MEAN(nearest), thaw_enumerated(&columns));
    thaw_release(context, (void *)names);
    return THAW_NOT_FOUND;
}

thaw_status thaw_table_require(const thaw_table *table, const char *name, size_t *column)
{
    return thaw_table_find(table, name, column) ? THAW_OK : fail_missing(table, name);
}

thaw_status thaw_table_fail(const thaw_table *table, size_t row, size_t column, const char *format, ...)
{
    char fault[THAW_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fault, sizeof fault, format, arguments);
    va_end(arguments);
    return thaw_fail(table->context, THAW_BAD_FORMAT, "%s: line %zu, column %zu (%.100s): %s", table->path,
                     table->lines[row + 1], column + 1, thaw_table_name(table, column), fault);
}

void thaw_table_keep(thaw_table *table, const bool *stays)
{
    size_t kept = 0;
    for (size_t row = 0; row < table->rows; row++) {
        if (!stays[row])
            continue;
        memmove(&table->cells[(kept + 1) * table->columns], &table->cells[(row + 1) * table->columns],
                table->columns * sizeof *table->cells);
        table->lines[++kept] = table->lines[row + 1];
    }
    table->rows = kept;
}

bool thaw_table_is_missing(const char *cell)
{
    static const char *const words[] = { "", "NA", "N/A", "NaN", "nan", "null", "NULL", "?" };
    for (size_t i = 0; i < THAW_COUNT(words); i++)
        if (strcmp(cell, words[i]) == 0)
            return true;
    return false;
}

bool thaw_table_number(const char *cell, double *value)
{
    cell += strspn(cell, " \t");
    size_t length = strlen(cell);
    while (length && (cell[length - 1] == ' ' || cell[length - 1] == '\t'))
        length--;
    return thaw_parse_number(cell, length, value);
}
