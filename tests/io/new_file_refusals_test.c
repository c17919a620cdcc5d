/* What refuses a new file, and leaves the old one in its place: places, permissions, limits, a full disk. */
#include "io/new_file.h"

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fixture.h"
#include "io/put.h"

Test(new_file_refusals, places_that_cannot_be, .init = io_begin, .fini = io_end, .timeout = 20)
{
    char fifo[SUPPORT_PATH_BYTES], under_file[SUPPORT_PATH_BYTES], no_directory[SUPPORT_PATH_BYTES];
    char slash[SUPPORT_PATH_BYTES];
    cr_assert_eq(mkfifo(support_path(fifo, io_directory, "fifo"), 0600), 0);
    assert_ok(io_context, io_put(io_path, "one"));
    const struct {
        const char *where, *message;
    } places[] = {
        { support_path(no_directory, io_directory, "none/file"), "cannot open its directory: No such file" },
        { support_path(under_file, io_directory, "file/x"), "Not a directory" },
        { support_path(slash, io_directory, "new/"), "is not the name of a file" },
        { io_directory, "is not a regular file" },
        { fifo, "is not a regular file" },
        { "/dev/full", "is not a regular file" },
        { "/dev/null", "is not a regular file" },
        { "/", "is not the name of a file" },
        { "", "is not the name of a file" },
    };
    const size_t descriptors = support_count_entries("/proc/self/fd");
    for (size_t i = 0; i < THAW_COUNT(places); i++)
        assert_fails(io_context, io_put(places[i].where, "two"), THAW_IO_ERROR, places[i].message);
    io_assert_holds(io_path, "one");
    cr_assert_eq(support_count_entries(io_directory), 2);
    cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors);
}

Test(new_file_refusals, what_its_owner_made_read_only, .init = io_begin, .fini = io_end)
{
    assert_ok(io_context, io_put(io_path, "one"));
    cr_assert_eq(chmod(io_path, 0444), 0);
    cr_assert_eq(chmod(io_directory, 0777), 0);
    const bool root = geteuid() == 0;
    cr_assert(!root || seteuid(65534) == 0);
    assert_fails(io_context, io_put(io_path, "two"), THAW_IO_ERROR, "exists and cannot be written: Permission denied");
    cr_assert(!root || seteuid(0) == 0);
    cr_assert_eq(chmod(io_path, 0666), 0);
    cr_assert_eq(chmod(io_directory, 0555), 0);
    cr_assert(!root || seteuid(65534) == 0);
    assert_fails(io_context, io_put(io_path, "two"), THAW_IO_ERROR, "cannot make a temporary file");
    cr_assert(!root || seteuid(0) == 0);
    cr_assert_eq(chmod(io_directory, 0755), 0);
    io_assert_holds(io_path, "one");
    cr_assert_eq(support_count_entries(io_directory), 1);
}

Test(new_file_refusals, a_file_larger_than_the_limit, .init = io_begin, .fini = io_end)
{
    char large[4096];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    assert_ok(io_context, io_put(io_path, "one"));
    /* SIGXFSZ would end the process here. */
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1000, RLIM_INFINITY }), 0);
    const thaw_status status = io_put(io_path, large);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }), 0);
    cr_assert_eq(status, THAW_IO_ERROR);
    cr_assert(strstr(thaw_context_message(io_context), "File too large"), "%s", thaw_context_message(io_context));
    io_assert_holds(io_path, "one");
    cr_assert_eq(support_count_entries(io_directory), 1);
}

/* A file system of its own, with room for one page: it ends with the process's name space. */
static bool mount_small_disk(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", io_directory, "tmpfs", 0, "size=4096") == 0;
}

Test(new_file_refusals, a_full_disk, .init = io_begin, .fini = io_end)
{
    if (!mount_small_disk())
        cr_skip_test("only root may mount");
    thaw_new_file file;
    char page[4096] = { 0 };
    assert_ok(io_context, io_put(io_path, "one"));
    assert_fails(io_context, io_put(io_path, "two"), THAW_IO_ERROR,
                 "cannot reserve its space: No space left on device");
    io_assert_holds(io_path, "one");
    cr_assert_eq(support_count_entries(io_directory), 1);
    cr_assert_eq(unlink(io_path), 0);
    /* A disk that fills up after the reservation: more is written than was announced. */
    assert_ok(io_context, thaw_new_file_create(io_context, io_path, sizeof page, &file));
    assert_ok(io_context, thaw_new_file_write(&file, page, sizeof page));
    assert_fails(io_context, thaw_new_file_write(&file, page, 1), THAW_IO_ERROR,
                 "cannot write: No space left on device");
    thaw_new_file_discard(&file);
    cr_assert_eq(support_count_entries(io_directory), 0);
    cr_assert_eq(umount(io_directory), 0);
}
