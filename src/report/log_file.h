/* A file that only grows, and that another run of the same log can cut back and continue. */
#ifndef THAW_REPORT_LOG_FILE_H
#define THAW_REPORT_LOG_FILE_H

#include <thaw/runtime.h>

typedef struct thaw_log_file {
    thaw_context *context;
    char *path;
    int descriptor; /* -1: closed */
} thaw_log_file;

/* Opens FOLDER/NAME, or makes it. The caller closes it with thaw_log_file_close. `file` holds nothing after an error.
   Errors: THAW_IO_ERROR (also if it is a link or no regular file), THAW_OUT_OF_MEMORY. */
thaw_status thaw_log_file_open(thaw_context *context, const char *folder, const char *name, thaw_log_file *file);

/* Its whole content, with a zero after it. The caller releases it. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_log_file_read(const thaw_log_file *file, unsigned char **content, size_t *bytes);

/* Keeps its first bytes. Errors: THAW_IO_ERROR. */
thaw_status thaw_log_file_cut(const thaw_log_file *file, size_t bytes);

/* Appends. What a killed process has not written whole, the next run cuts off. Errors: THAW_IO_ERROR. */
thaw_status thaw_log_file_append(const thaw_log_file *file, const void *content, size_t bytes);

void thaw_log_file_close(thaw_log_file *file);

#endif
