/* The directory of a ZIP archive. */
#ifndef THAW_DATA_ZIP_DIRECTORY_H
#define THAW_DATA_ZIP_DIRECTORY_H

#include <thaw/context.h>

typedef struct thaw_zip_member {
    const char *name;                  /* in `bytes` of the directory */
    uint64_t packed, unpacked, header; /* bytes in the archive, and of the content; offset of the member's own header */
    uint32_t checksum;
    unsigned method, flags;
} thaw_zip_member;

/* An archive that is open. */
typedef struct thaw_zip_file {
    thaw_context *context;
    const char *path;
    int descriptor;
    uint64_t bytes;
} thaw_zip_file;

typedef struct thaw_zip_directory {
    char *bytes; /* as in the file; names are cut out of it */
    thaw_zip_member *members;
    size_t count;
} thaw_zip_directory;

static inline uint64_t thaw_zip_number(const void *bytes, size_t width)
{
    const uint8_t *from = bytes;
    uint64_t number = 0;
    for (size_t i = width; i-- > 0;)
        number = number << 8 | from[i];
    return number;
}

/* Reads `count` bytes at an offset. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT (the file ends before). */
thaw_status thaw_zip_read_at(const thaw_zip_file *file, uint64_t offset, void *bytes, size_t count);

/* `directory` starts as zero, and is released in every case. Errors: those of thaw_zip_open. */
thaw_status thaw_zip_read_directory(const thaw_zip_file *file, thaw_zip_directory *directory);

void thaw_zip_release_directory(thaw_context *context, thaw_zip_directory *directory);

#endif
