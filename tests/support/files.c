#include "support/files.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

void support_make_directory(char directory[SUPPORT_PATH_BYTES])
{
    const char *root = getenv("TMPDIR");
    snprintf(directory, SUPPORT_PATH_BYTES, "%s/thaw-test-XXXXXX", root ? root : "/tmp");
    cr_assert_not_null(mkdtemp(directory), "%s", directory);
}

void support_remove_directory(const char *directory)
{
    DIR *entries = opendir(directory);
    cr_assert_not_null(entries, "%s", directory);
    for (const struct dirent *entry; (entry = readdir(entries));) {
        char path[SUPPORT_PATH_BYTES];
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            cr_assert_eq(unlink(support_path(path, directory, entry->d_name)), 0, "%s", path);
    }
    closedir(entries);
    cr_assert_eq(rmdir(directory), 0, "%s", directory);
}

static int remove_entry(const char *path, const struct stat *found, int kind, struct FTW *place)
{
    (void)found, (void)kind, (void)place;
    return remove(path);
}

void support_remove_tree(const char *directory)
{
    enum { DESCRIPTORS = 16 };
    cr_assert_eq(nftw(directory, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS), 0, "%s", directory);
}

const char *support_path(char path[SUPPORT_PATH_BYTES], const char *directory, const char *name)
{
    const int length = snprintf(path, SUPPORT_PATH_BYTES, "%s/%s", directory, name);
    cr_assert(length > 0 && length < SUPPORT_PATH_BYTES);
    return path;
}

const char *support_golden(char path[SUPPORT_PATH_BYTES], const char *name)
{
    const char *root = getenv("THAW_SOURCE_ROOT");
    cr_assert_not_null(root, "THAW_SOURCE_ROOT is not set: run the tests through meson");
    const int length = snprintf(path, SUPPORT_PATH_BYTES, "%s/tests/golden/%s", root, name);
    cr_assert(length > 0 && length < SUPPORT_PATH_BYTES);
    return path;
}

size_t support_count_entries(const char *directory)
{
    size_t count = 0;
    DIR *entries = opendir(directory);
    cr_assert_not_null(entries, "%s", directory);
    for (const struct dirent *entry; (entry = readdir(entries));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(entries);
    return count;
}

void support_write_file(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, count, file), count);
    cr_assert_eq(fclose(file), 0);
}

int support_memory_file(char path[SUPPORT_PATH_BYTES], const void *bytes, size_t count)
{
    const int descriptor = memfd_create("thaw-test", MFD_CLOEXEC);
    cr_assert_geq(descriptor, 0);
    cr_assert_eq(write(descriptor, bytes, count), (ssize_t)count);
    snprintf(path, SUPPORT_PATH_BYTES, "/proc/self/fd/%d", descriptor);
    return descriptor;
}

long support_read_file(const char *path, void *bytes, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    (void)!fread(bytes, 1, capacity, file);
    fseek(file, 0, SEEK_END);
    const long length = ftell(file);
    fclose(file);
    return length;
}

long support_read_tensors(const char *path, void *bytes, size_t capacity)
{
    const long count = support_read_file(path, bytes, capacity);
    uint64_t header;
    cr_assert(count >= (long)sizeof header && (size_t)count <= capacity, "%s: %ld bytes", path, count);
    memcpy(&header, bytes, sizeof header);
    const size_t skipped = sizeof header + (size_t)header;
    cr_assert(skipped <= (size_t)count, "%s: no weights", path);
    memmove(bytes, (char *)bytes + skipped, (size_t)count - skipped);
    return count - (long)skipped;
}

size_t support_idx(uint8_t *file, size_t rank, const uint32_t *dims, const uint8_t *elements)
{
    size_t count = 1, used = 0;
    file[used++] = 0;
    file[used++] = 0;
    file[used++] = 8;
    file[used++] = (uint8_t)rank;
    for (size_t i = 0; i < rank; i++) {
        for (int shift = 24; shift >= 0; shift -= 8)
            file[used++] = (uint8_t)(dims[i] >> shift);
        count *= dims[i];
    }
    memmove(file + used, elements, count);
    return used + count;
}

size_t support_gzip(uint8_t *packed, size_t capacity, const uint8_t *bytes, size_t count)
{
    z_stream stream = { 0 };
    cr_assert_eq(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_in = (Bytef *)(uintptr_t)bytes;
    stream.avail_in = (uInt)count;
    stream.next_out = packed;
    stream.avail_out = (uInt)capacity;
    cr_assert_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}
