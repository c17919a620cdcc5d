#include "report/read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <thaw/runtime.h>

#include "io/regular_file.h"
#include "report/checksum.h"
#include "report/page.h"
#include "report/write.h"

static thaw_status refuse(thaw_context *context, const char *path, size_t line, const char *what)
{
    return thaw_fail(context, THAW_BAD_FORMAT, "%s: line %zu: %s", path, line, what);
}

static thaw_status take(thaw_context *context, thaw_report_inputs *read, const char *path, size_t line, json_t *object)
{
    const char *schema = thaw_report_string(object, "schema");
    if (strcmp(schema, THAW_RESULTS_SCHEMA) == 0) {
        if (read->results)
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: is a second file of results, must be at most one",
                             path);
        read->results = json_incref(object);
        return thaw_results_check(context, path, object);
    }
    if (strcmp(schema, THAW_MEASUREMENT_SCHEMA) != 0)
        return refuse(context, path, line, "schema must be " THAW_RESULTS_SCHEMA " or " THAW_MEASUREMENT_SCHEMA);
    const bool time = !*thaw_report_string(object, "unit");
    const double value = thaw_report_number(object, time ? "seconds" : "value");
    if (!(time ? value > 0 : value >= 0) || !*thaw_report_string(object, "benchmark"))
        return refuse(context, path, line,
                      "a measurement must have a benchmark, and seconds above 0 or a value with its "
                      "unit");
    return json_array_append(read->measurements, object) == 0
               ? THAW_OK
               : thaw_fail(context, THAW_OUT_OF_MEMORY, "%s: no memory for a measurement", path);
}

/* A sequence of JSON values: one results file, or one line per measurement. */
static thaw_status read_file(thaw_context *context, thaw_report_inputs *read, const char *path)
{
    FILE *file;
    thaw_status status = thaw_regular_file_stream(context, path, &file);
    if (status != THAW_OK)
        return status;
    size_t objects = 0;
    for (int next; status == THAW_OK; objects++) {
        while ((next = getc(file)) == ' ' || next == '\n' || next == '\r' || next == '\t')
            ;
        if (next == EOF)
            break;
        ungetc(next, file);
        json_error_t error;
        json_t *object = json_loadf(file, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK, &error);
        status = object ? take(context, read, path, objects + 1, object)
                        : refuse(context, path, objects + (size_t)(error.line > 0 ? error.line : 1), error.text);
        json_decref(object);
    }
    if (status == THAW_OK && ferror(file))
        status = thaw_fail(context, THAW_IO_ERROR, "%s: cannot read: %s", path, strerror(errno));
    if (status == THAW_OK && objects == 0)
        status = refuse(context, path, 1, "holds nothing");
    fclose(file);
    return status;
}

thaw_status thaw_report_read(thaw_context *context, const char *const *files, size_t count, thaw_report_inputs *read)
{
    *read = (thaw_report_inputs){ .measurements = json_array() };
    thaw_status status =
        count ? THAW_OK : thaw_fail(context, THAW_INVALID_ARGUMENT, "there must be at least one file to report on");
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = read_file(context, read, files[i]);
    return status;
}

void thaw_report_inputs_release(thaw_report_inputs *read)
{
    json_decref(read->results);
    json_decref(read->measurements);
    *read = (thaw_report_inputs){ 0 };
}
