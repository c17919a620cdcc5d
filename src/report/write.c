#include "report/write.h"

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <thaw/report.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/open.h"
#include "io/new_file.h"
#include "report/page.h"

/* ---------------------------------------------------------------- files */

thaw_status thaw_report_write_file(thaw_context *context, const char *path, const void *content, size_t bytes)
{
    thaw_new_file file;
    thaw_status status = thaw_new_file_create(context, path, bytes, &file);
    if (status != THAW_OK)
        return status;
    status = thaw_new_file_write(&file, content, bytes);
    if (status == THAW_OK)
        return thaw_new_file_commit(&file);
    thaw_new_file_discard(&file);
    return status;
}

static thaw_status make_all(thaw_context *context, char *path)
{
    for (char *slash = path + 1;; slash++) {
        slash = strchr(slash, '/');
        if (slash)
            *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return thaw_fail(context, THAW_IO_ERROR, "%s: cannot be created: %s", path, strerror(errno));
        if (!slash)
            return THAW_OK;
        *slash = '/';
    }
}

thaw_status thaw_report_make_directory(thaw_context *context, const char *directory)
{
    struct stat found;
    if (!*directory)
        return thaw_fail(context, THAW_IO_ERROR, "the report's folder has no name");
    char *path = thaw_copy_text(context, directory);
    thaw_status status = path ? make_all(context, path) : THAW_OUT_OF_MEMORY;
    thaw_release(context, path);
    if (status != THAW_OK)
        return status;
    if (stat(directory, &found) != 0 || !S_ISDIR(found.st_mode))
        return thaw_fail(context, THAW_IO_ERROR, "%s: is not a folder", directory);
    if (access(directory, W_OK | X_OK) != 0)
        return thaw_fail(context, THAW_IO_ERROR, "%s: cannot be written: %s", directory, strerror(errno));
    return THAW_OK;
}

/* Numbers in the page use a decimal point, whatever the host's locale. */
static thaw_status write_page(thaw_context *context, const json_t *results, const json_t *measurements, char **html)
{
    thaw_report_page page;
    *html = NULL;
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return thaw_fail(context, THAW_OUT_OF_MEMORY, "no memory for the report's locale");
    const locale_t before = uselocale(plain);
    thaw_status status = thaw_report_page_open(context, results, measurements, &page);
    if (status == THAW_OK) {
        status = thaw_report_page_write(&page, html);
        thaw_report_page_close(&page);
    }
    uselocale(before);
    freelocale(plain);
    return status;
}

thaw_status thaw_report_write_page(thaw_context *context, const json_t *results, const json_t *measurements,
                                   const char *directory)
{
    char *html, *path = NULL;
    thaw_text text = { .context = context };
    thaw_status status = write_page(context, results, measurements, &html);
    if (status != THAW_OK)
        return status;
    thaw_text_append(&text, "%s/index.html", directory);
    status = thaw_text_finish(&text, &path);
    if (status == THAW_OK)
        status = thaw_report_write_file(context, path, html, strlen(html));
    thaw_text_destroy(context, path);
    thaw_text_destroy(context, html);
    return status;
}

/* ---------------------------------------------------------------- reading */

typedef struct inputs {
    thaw_context *context;
    json_t *results, *measurements;
} inputs;

static thaw_status refuse(const inputs *read, const char *path, size_t line, const char *what)
{
    return thaw_fail(read->context, THAW_BAD_FORMAT, "%s: line %zu: %s", path, line, what);
}

static thaw_status take(inputs *read, const char *path, size_t line, json_t *object)
{
    const char *schema = thaw_report_string(object, "schema");
    if (strcmp(schema, THAW_RESULTS_SCHEMA) == 0) {
        if (read->results)
            return thaw_fail(read->context, THAW_INVALID_ARGUMENT,
                             "%s: is a second file of results, must be at most one", path);
        read->results = json_incref(object);
        return THAW_OK;
    }
    if (strcmp(schema, THAW_MEASUREMENT_SCHEMA) != 0)
        return refuse(read, path, line, "schema must be " THAW_RESULTS_SCHEMA " or " THAW_MEASUREMENT_SCHEMA);
    const bool time = !*thaw_report_string(object, "unit");
    const double value = thaw_report_number(object, time ? "seconds" : "value");
    if (!(time ? value > 0 : value >= 0) || !*thaw_report_string(object, "benchmark"))
        return refuse(read, path, line,
                      "a measurement must have a benchmark, and seconds above 0 or a value with its "
                      "unit");
    return json_array_append(read->measurements, object) == 0
               ? THAW_OK
               : thaw_fail(read->context, THAW_OUT_OF_MEMORY, "%s: no memory for a measurement", path);
}

/* A sequence of JSON values: one results file, or one line per measurement. */
static thaw_status read_file(inputs *read, const char *path)
{
    FILE *file = thaw_open_stream(path);
    if (!file)
        return thaw_fail(read->context, THAW_IO_ERROR, "%s: cannot be opened: %s", path, strerror(errno));
    thaw_status status = THAW_OK;
    size_t objects = 0;
    for (int next; status == THAW_OK; objects++) {
        while ((next = getc(file)) == ' ' || next == '\n' || next == '\r' || next == '\t')
            ;
        if (next == EOF)
            break;
        ungetc(next, file);
        json_error_t error;
        json_t *object = json_loadf(file, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &error);
        status = object ? take(read, path, objects + 1, object)
                        : refuse(read, path, objects + (size_t)(error.line > 0 ? error.line : 1), error.text);
        json_decref(object);
    }
    if (status == THAW_OK && ferror(file))
        status = thaw_fail(read->context, THAW_IO_ERROR, "%s: cannot be read: %s", path, strerror(errno));
    if (status == THAW_OK && objects == 0)
        status = refuse(read, path, 1, "holds nothing");
    fclose(file);
    return status;
}

thaw_status thaw_report_write(thaw_context *context, const char *const *files, size_t count, const char *directory)
{
    inputs read = { .context = context, .measurements = json_array() };
    thaw_status status =
        count ? THAW_OK : thaw_fail(context, THAW_INVALID_ARGUMENT, "there must be at least one file to report on");
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = read_file(&read, files[i]);
    if (status == THAW_OK)
        status = thaw_report_make_directory(context, directory);
    if (status == THAW_OK)
        status = thaw_report_write_page(context, read.results, read.measurements, directory);
    json_decref(read.results);
    json_decref(read.measurements);
    return status;
}
