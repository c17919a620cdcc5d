#include "report/write.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <thaw/report.h>
#include <unistd.h>

#include "core/allocation.h"
#include "io/new_file.h"
#include "report/page.h"
#include "report/plain_locale.h"
#include "report/read.h"

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
    if (stat(directory, &found) != 0)
        return thaw_fail(context, THAW_IO_ERROR, "%s: cannot examine: %s", directory, strerror(errno));
    if (!S_ISDIR(found.st_mode))
        return thaw_fail(context, THAW_IO_ERROR, "%s: is not a folder", directory);
    if (access(directory, W_OK | X_OK) != 0)
        return thaw_fail(context, THAW_IO_ERROR, "%s: cannot be written: %s", directory, strerror(errno));
    return THAW_OK;
}

thaw_status thaw_report_make_page(thaw_context *context, const json_t *results, const json_t *measurements, char **html)
{
    thaw_report_page page;
    thaw_plain_locale locale;
    *html = NULL;
    thaw_status status = thaw_plain_locale_enter(context, &locale);
    if (status != THAW_OK)
        return status;
    status = thaw_report_page_open(context, results, measurements, &page);
    if (status == THAW_OK) {
        status = thaw_report_page_write(&page, html);
        thaw_report_page_close(&page);
    }
    thaw_plain_locale_leave(&locale);
    return status;
}

thaw_status thaw_report_write_page(thaw_context *context, const json_t *results, const json_t *measurements,
                                   const char *directory)
{
    char *html, *path = NULL;
    thaw_text text = { .context = context };
    thaw_status status = thaw_report_make_page(context, results, measurements, &html);
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

thaw_status thaw_report_write(thaw_context *context, const char *const *files, size_t count, const char *directory)
{
    thaw_report_inputs read;
    thaw_status status = thaw_report_read(context, files, count, &read);
    if (status == THAW_OK)
        status = thaw_report_make_directory(context, directory);
    if (status == THAW_OK)
        status = thaw_report_write_page(context, read.results, read.measurements, directory);
    thaw_report_inputs_release(&read);
    return status;
}
