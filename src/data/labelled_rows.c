#include "data/labelled_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/context.h"
#include "data/image_walk.h"
#include "data/shuffle.h"

void thaw_labelled_rows_release(thaw_labelled_rows *rows)
{
    thaw_release(rows->context, rows->items);
    *rows = (thaw_labelled_rows){ .context = rows->context };
}

/* The path without "./" before it. */
static const char *plain(const char *path)
{
    while (path[0] == '.' && path[1] == '/')
        path += 2 + strspn(path + 2, "/");
    return path;
}

thaw_status thaw_labelled_rows_add(thaw_labelled_rows *rows, const thaw_table *table, size_t column,
                                   const int32_t *labels, bool test)
{
    thaw_labelled_row *grown =
        thaw_grow(rows->context, rows->items, &rows->capacity, rows->count + table->rows, sizeof *grown);
    if (!grown)
        return THAW_OUT_OF_MEMORY;
    rows->items = grown;
    for (size_t row = 0; row < table->rows; row++) {
        const char *name = plain(thaw_table_cell(table, row, column));
        if (!*name)
            return thaw_table_fail(table, row, column, "is empty, must be the path of an image");
        rows->items[rows->count++] = (thaw_labelled_row){
            .table = table, .row = row, .column = column, .name = name, .label = labels ? labels[row] : 0, .test = test
        };
    }
    return THAW_OK;
}

/* ---- what is listed ---- */

static int compare(const void *left, const void *right)
{
    const thaw_labelled_row *one = *(const thaw_labelled_row *const *)left;
    const thaw_labelled_row *other = *(const thaw_labelled_row *const *)right;
    const int order = strcmp(one->name, other->name);
    return order ? order : one < other ? -1 : 1;
}

static thaw_status fail_row(const thaw_labelled_row *row, const char *fault)
{
    return thaw_table_fail(row->table, row->row, row->column, "\"%.200s\" %s", row->name, fault);
}

static thaw_status check_twice(thaw_labelled_row *const *sorted, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const thaw_labelled_row *first = sorted[i - 1], *second = sorted[i];
        if (strcmp(first->name, second->name) == 0)
            return thaw_table_fail(second->table, second->row, second->column,
                                   "\"%.200s\" is listed before, in %s, line %zu", second->name, first->table->path,
                                   first->table->lines[first->row + 1]);
    }
    return THAW_OK;
}

/* *broken: it is left out. */
static thaw_status look(thaw_labelled_row *row, const thaw_image_scan *scan, bool *broken)
{
    char reason[THAW_IMAGE_REASON_BYTES];
    *broken = false;
    if (faccessat(scan->directory, row->name, F_OK, 0) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        return thaw_table_fail(row->table, row->row, row->column, "\"%.200s\" is missing in %.200s", row->name,
                               scan->path);
    }
    const thaw_image_finding found = thaw_image_inspect(scan, row->name, &row->stamp, reason);
    if (found == THAW_IMAGE_FOUND)
        return THAW_OK;
    if (found == THAW_IMAGE_SYSTEM_FAILS)
        return thaw_fail(row->table->context, THAW_IO_ERROR, "%s/%s: %s", scan->path, row->name, reason);
    if (scan->strict)
        return fail_row(row, reason);
    thaw_log(row->table->context, THAW_LOG_WARNING, "%s/%s: %s; left out", scan->path, row->name, reason);
    *broken = true;
    return THAW_OK;
}

static thaw_status look_into_all(thaw_labelled_rows *rows, const thaw_image_scan *scan)
{
    size_t kept = 0;
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < rows->count && status == THAW_OK; i++) {
        bool broken;
        status = look(&rows->items[i], scan, &broken);
        if (!broken)
            rows->items[kept++] = rows->items[i];
    }
    rows->count = kept;
    return status;
}

/* ---- what is not ---- */

static int compare_name(const void *name, const void *row)
{
    return strcmp(name, (*(const thaw_labelled_row *const *)row)->name);
}

static thaw_status check_unlisted(const thaw_labelled_rows *rows, thaw_labelled_row *const *sorted,
                                  const thaw_image_scan *scan)
{
    thaw_image_list files = { .context = rows->context };
    thaw_status status = thaw_image_list_walk(&files, scan, ".", 0);
    thaw_image_list_sort(&files, 0);
    for (size_t i = 0; i < files.count && status == THAW_OK; i++) {
        char reason[THAW_IMAGE_REASON_BYTES];
        uint64_t stamp;
        const char *name = plain(thaw_image_list_name(&files, i));
        if (!bsearch(name, (const void *)sorted, rows->count, sizeof(thaw_labelled_row *), compare_name) &&
            thaw_image_inspect(scan, name, &stamp, reason) == THAW_IMAGE_FOUND)
            status = thaw_fail(rows->context, THAW_BAD_FORMAT,
                               "%s/%s: is an image for which %s has no row; unlisted=skip leaves such images out",
                               scan->path, name, rows->items[0].table->path);
    }
    thaw_image_list_release(&files);
    return status;
}

thaw_status thaw_labelled_rows_check(thaw_labelled_rows *rows, const thaw_image_scan *scan, bool skips_unlisted)
{
    thaw_labelled_row **sorted = thaw_allocate_array(rows->context, rows->count, sizeof *sorted);
    if (!sorted)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < rows->count; i++)
        sorted[i] = &rows->items[i];
    qsort((void *)sorted, rows->count, sizeof(thaw_labelled_row *), compare);
    thaw_status status = check_twice(sorted, rows->count);
    if (status == THAW_OK && !skips_unlisted)
        status = check_unlisted(rows, sorted, scan);
    thaw_release(rows->context, (void *)sorted);
    return status == THAW_OK ? look_into_all(rows, scan) : status;
}

/* ---- the split ---- */

/* By label, as an image source wants them; rows of one keep their order. */
static int compare_labels(const void *left, const void *right)
{
    const thaw_labelled_row *one = left, *other = right;
    if (one->label != other->label)
        return one->label < other->label ? -1 : 1;
    if (one->table != other->table)
        return one->test ? 1 : -1;
    return one->row < other->row ? -1 : 1;
}

static void draw(thaw_labelled_rows *rows, double share, uint64_t seed, size_t *order)
{
    for (size_t first = 0, past; first < rows->count; first = past) {
        for (past = first; past < rows->count && rows->items[past].label == rows->items[first].label;)
            past++;
        const size_t count = past - first, tests = (size_t)floor((double)count * share + 0.5);
        thaw_shuffle(rows->context, seed, (uint64_t)rows->items[first].label, order, count);
        for (size_t i = 0; i < tests && i + 1 < count; i++)
            rows->items[first + order[i]].test = true;
    }
}

thaw_status thaw_labelled_rows_split(thaw_labelled_rows *rows, double share, uint64_t seed)
{
    if (rows->count)
        qsort(rows->items, rows->count, sizeof *rows->items, compare_labels);
    if (!(share > 0) || !rows->count)
        return THAW_OK;
    size_t *order = thaw_allocate_array(rows->context, rows->count, sizeof *order);
    if (!order)
        return THAW_OUT_OF_MEMORY;
    draw(rows, share, seed, order);
    thaw_release(rows->context, order);
    return THAW_OK;
}
