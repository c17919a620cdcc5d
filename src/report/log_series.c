#include "report/log_series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/number.h"
#include "report/csv_field.h"
#include "report/record.h"

/* ---------------------------------------------------------------- rows */

static thaw_status append_line(const thaw_log_file *table, thaw_text *line)
{
    char *finished;
    thaw_text_append(line, "\r\n");
    thaw_status status = thaw_text_finish(line, &finished);
    if (status == THAW_OK)
        status = thaw_log_file_append(table, finished, strlen(finished));
    thaw_text_destroy(table->context, finished);
    return status;
}

thaw_status thaw_log_write(const thaw_log_file *table, const thaw_log_file *events, thaw_log_moment now,
                           const thaw_log_series *series, size_t count)
{
    thaw_text line = { .context = table->context };
    thaw_event_file scalars = { .context = table->context };
    thaw_text_append(&line, "%zu,%d,", now.step, now.epoch);
    thaw_csv_append_number(&line, now.seconds);
    for (size_t i = 0; i < count; i++) {
        thaw_text_append(&line, ",");
        thaw_csv_append_number(&line, series[i].value);
        if (isfinite(series[i].value))
            thaw_event_scalar(&scalars, now.seconds, (int64_t)now.step, series[i].name, series[i].value);
    }
    thaw_status status = append_line(table, &line);
    if (status == THAW_OK)
        status = scalars.failed ? THAW_OUT_OF_MEMORY : thaw_log_file_append(events, scalars.bytes, scalars.count);
    thaw_event_release(&scalars);
    return status;
}

/* ---------------------------------------------------------------- beginning */

/* The bytes of the header and of the rows up to a step, whole ones. */
static size_t rows_until(const char *table, size_t header_bytes, thaw_log_moment *now)
{
    const char *kept = table + header_bytes;
    for (const char *end; (end = strchr(kept, '\n')); kept = end + 1) {
        char *comma;
        if (strtoull(kept, &comma, 10) > now->step || *comma != ',')
            break;
        strtol(comma + 1, &comma, 10);
        if (*comma == ',')
            thaw_parse_number(comma + 1, strcspn(comma + 1, ",\r\n"), &now->seconds);
    }
    return (size_t)(kept - table);
}

static thaw_status continue_table(const thaw_log_file *table, const char *header, bool resume, thaw_log_moment *now)
{
    unsigned char *content;
    size_t bytes;
    const size_t header_bytes = strlen(header);
    thaw_status status = thaw_log_file_read(table, &content, &bytes);
    if (status != THAW_OK)
        return status;
    const char *text = (const char *)content;
    if (bytes < header_bytes && memcmp(text, header, bytes) == 0) { /* empty, or killed while it was begun */
        status = thaw_log_file_cut(table, 0);
        if (status == THAW_OK)
            status = thaw_log_file_append(table, header, header_bytes);
    } else if (!resume) {
        status = thaw_fail(table->context, THAW_INVALID_ARGUMENT,
                           "%s: holds the log of another run; choose another folder, or resume that run", table->path);
    } else if (strncmp(text, header, header_bytes) != 0) {
        status = thaw_fail(table->context, THAW_INVALID_ARGUMENT, "%s: is the log of another model", table->path);
    } else {
        status = thaw_log_file_cut(table, rows_until(text, header_bytes, now));
    }
    thaw_release(table->context, content);
    return status;
}

thaw_status thaw_log_begin_table(const thaw_log_file *table, const thaw_log_series *series, size_t count, bool resume,
                                 thaw_log_moment *now)
{
    char *header;
    thaw_text line = { .context = table->context };
    thaw_text_append(&line, "step,epoch,seconds");
    for (size_t i = 0; i < count; i++) {
        thaw_text_append(&line, ",");
        thaw_csv_append_text(&line, series[i].name);
    }
    thaw_text_append(&line, "\r\n");
    thaw_status status = thaw_text_finish(&line, &header);
    if (status == THAW_OK)
        status = continue_table(table, header, resume, now);
    thaw_text_destroy(table->context, header);
    return status;
}

thaw_status thaw_log_begin_events(const thaw_log_file *events, thaw_log_moment now)
{
    unsigned char *content;
    size_t bytes;
    thaw_status status = thaw_log_file_read(events, &content, &bytes);
    if (status != THAW_OK)
        return status;
    const size_t kept = thaw_events_until(content, bytes, now.step);
    thaw_release(events->context, content);
    status = thaw_log_file_cut(events, kept);
    if (status != THAW_OK || kept)
        return status;
    thaw_event_file first = { .context = events->context };
    thaw_event_begin(&first);
    status = first.failed ? THAW_OUT_OF_MEMORY : thaw_log_file_append(events, first.bytes, first.count);
    thaw_event_release(&first);
    return status;
}
