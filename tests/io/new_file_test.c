/* Replacing a file as a whole: where it lands, with which permissions, and what refuses it. */
#include "io/new_file.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/files.h"
#include "support/max_cpu.h"
#include "support/support.h"

static thaw_context *context;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    context = support_context(1);
    support_make_directory(directory);
    support_path(path, directory, "file");
}

static void end(void)
{
    support_remove_directory(directory);
    thaw_context_destroy(context);
}

static thaw_status put(const char *where, const char *text)
{
    thaw_new_file file;
    thaw_status status = thaw_new_file_create(context, where, strlen(text), &file);
    if (status != THAW_OK)
        return status;
    status = thaw_new_file_write(&file, text, strlen(text));
    if (status == THAW_OK)
        return thaw_new_file_commit(&file);
    thaw_new_file_discard(&file);
    return status;
}

static void assert_holds(const char *where, const char *text)
{
    char found[64] = "";
    const long count = support_read_file(where, found, sizeof found - 1);
    cr_assert_eq(count, (long)strlen(text), "%s has %ld bytes", where, count);
    cr_assert_str_eq(found, text);
}

static mode_t permissions(const char *where)
{
    struct stat about;
    cr_assert_eq(stat(where, &about), 0);
    return about.st_mode & 07777;
}

Test(new_file, permissions_are_kept, .init = begin, .fini = end)
{
    umask(027);
    assert_ok(context, put(path, "one"));
    cr_assert_eq(permissions(path), 0640);
    cr_assert_eq(chmod(path, 0604), 0);
    assert_ok(context, put(path, "two"));
    cr_assert_eq(permissions(path), 0604);
    assert_holds(path, "two");
}

Test(new_file, a_discarded_file_leaves_nothing, .init = begin, .fini = end)
{
    thaw_new_file file;
    const size_t descriptors = support_count_entries("/proc/self/fd");
    assert_ok(context, thaw_new_file_create(context, path, 100, &file));
    assert_ok(context, thaw_new_file_write(&file, "half", 4));
    cr_assert_eq(support_count_entries(directory), 1);
    thaw_new_file_discard(&file);
    cr_assert_eq(support_count_entries(directory), 0);
    cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors);
}

Test(new_file, links_stay_links, .init = begin, .fini = end)
{
    char link[SUPPORT_PATH_BYTES], dangling[SUPPORT_PATH_BYTES];
    struct stat about;
    cr_assert_eq(symlink("file", support_path(link, directory, "latest")), 0);
    cr_assert_eq(symlink("nothing", support_path(dangling, directory, "dangling")), 0);
    assert_ok(context, put(path, "one"));
    assert_ok(context, put(link, "two"));
    assert_holds(path, "two");
    cr_assert(lstat(link, &about) == 0 && S_ISLNK(about.st_mode));
    assert_ok(context, put(dangling, "three"));
    assert_holds(dangling, "three");
    cr_assert(lstat(dangling, &about) == 0 && S_ISLNK(about.st_mode));
    assert_holds(support_path(path, directory, "nothing"), "three");
    cr_assert_eq(support_count_entries(directory), 4);
}

/* From one folder into another and on, by a relative and an absolute link; and round and round. */
Test(new_file, links_that_lead_to_nothing_are_followed, .init = begin, .fini = end)
{
    char first[SUPPORT_PATH_BYTES], second[SUPPORT_PATH_BYTES], folder[SUPPORT_PATH_BYTES];
    cr_assert_eq(mkdir(support_path(folder, directory, "folder"), 0777), 0);
    cr_assert_eq(symlink("folder/second", support_path(first, directory, "first")), 0);
    cr_assert_eq(symlink(path, support_path(second, folder, "second")), 0);
    assert_ok(context, put(first, "one"));
    assert_holds(path, "one");
    cr_assert_eq(support_count_entries(directory), 3);
    cr_assert_eq(support_count_entries(folder), 1);
    cr_assert_eq(unlink(second), 0);
    cr_assert_eq(symlink("../first", second), 0);
    assert_fails(context, put(first, "two"), THAW_IO_ERROR, "Too many levels of symbolic links");
    support_remove_directory(folder);
}

Test(new_file, a_name_without_a_directory, .init = begin, .fini = end)
{
    cr_assert_eq(chdir(directory), 0);
    assert_ok(context, put("file", "one"));
    assert_holds(path, "one");
    assert_ok(context, put("./file", "two"));
    assert_holds(path, "two");
}

Test(new_file, the_longest_name, .init = begin, .fini = end)
{
    char name[257];
    memset(name, 'x', 256);
    name[255] = '\0';
    support_path(path, directory, name);
    assert_ok(context, put(path, "one"));
    assert_holds(path, "one");
    name[255] = 'x';
    name[256] = '\0';
    assert_fails(context, put(support_path(path, directory, name), "one"), THAW_IO_ERROR, "too long");
}

/* Also one with this process's own number, which an earlier process had; not what only looks like one. */
Test(new_file, what_killed_processes_left_is_removed, .init = begin, .fini = end)
{
    static const char *const stays[] = { ".thaw-1-0.tmp.gz", ".thaw--1-0.tmp", ".thaw-x-0.tmp", "thaw-1-0.tmp" };
    char name[64], place[SUPPORT_PATH_BYTES];
    snprintf(name, sizeof name, ".thaw-%ld-0.tmp", (long)getpid());
    support_write_file(support_path(place, directory, name), "stale", 5);
    support_write_file(support_path(place, directory, ".thaw-1-99.tmp"), "stale", 5);
    cr_assert_eq(symlink("file", support_path(place, directory, ".thaw-2-0.tmp")), 0);
    for (size_t i = 0; i < THAW_COUNT(stays); i++)
        support_write_file(support_path(place, directory, stays[i]), "mine", 4);
    assert_ok(context, put(path, "one"));
    assert_holds(path, "one");
    for (size_t i = 0; i < THAW_COUNT(stays); i++)
        assert_holds(support_path(place, directory, stays[i]), "mine");
    cr_assert_eq(support_count_entries(directory), 2 + THAW_COUNT(stays), "file, link, and what is not ours");
}

Test(new_file, a_temporary_file_in_use_is_not_removed, .init = begin, .fini = end)
{
    thaw_new_file slow;
    char other[SUPPORT_PATH_BYTES];
    assert_ok(context, thaw_new_file_create(context, path, 4, &slow));
    assert_ok(context, put(support_path(other, directory, "other"), "two"));
    assert_ok(context, thaw_new_file_write(&slow, "slow", 4));
    assert_ok(context, thaw_new_file_commit(&slow));
    assert_holds(path, "slow");
    assert_holds(other, "two");
}

/* What the host prints must not go into the file. */
Test(new_file, takes_no_number_of_a_standard_stream, .init = begin, .fini = end)
{
    const int kept[] = { dup(0), dup(1), dup(2) };
    thaw_new_file file;
    for (int i = 0; i < 3; i++)
        close(i);
    const thaw_status status = thaw_new_file_create(context, path, 4, &file);
    const int descriptor = file.descriptor, place = file.directory;
    for (int i = 0; i < 3; i++)
        dup2(kept[i], i);
    cr_assert_eq(status, THAW_OK);
    cr_assert(descriptor > 2 && place > 2, "descriptors %d and %d", descriptor, place);
    thaw_new_file_discard(&file);
}

Test(new_file, places_that_cannot_be, .init = begin, .fini = end, .timeout = 20)
{
    char fifo[SUPPORT_PATH_BYTES], under_file[SUPPORT_PATH_BYTES], no_directory[SUPPORT_PATH_BYTES];
    char slash[SUPPORT_PATH_BYTES];
    cr_assert_eq(mkfifo(support_path(fifo, directory, "fifo"), 0600), 0);
    assert_ok(context, put(path, "one"));
    const struct {
        const char *where, *message;
    } places[] = {
        { support_path(no_directory, directory, "none/file"), "cannot open its directory: No such file" },
        { support_path(under_file, directory, "file/x"), "Not a directory" },
        { support_path(slash, directory, "new/"), "is not the name of a file" },
        { directory, "is not a regular file" },
        { fifo, "is not a regular file" },
        { "/dev/full", "is not a regular file" },
        { "/dev/null", "is not a regular file" },
        { "/", "is not the name of a file" },
        { "", "is not the name of a file" },
    };
    const size_t descriptors = support_count_entries("/proc/self/fd");
    for (size_t i = 0; i < THAW_COUNT(places); i++)
        assert_fails(context, put(places[i].where, "two"), THAW_IO_ERROR, places[i].message);
    assert_holds(path, "one");
    cr_assert_eq(support_count_entries(directory), 2);
    cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors);
}

Test(new_file, what_its_owner_made_read_only, .init = begin, .fini = end)
{
    assert_ok(context, put(path, "one"));
    cr_assert_eq(chmod(path, 0444), 0);
    cr_assert_eq(chmod(directory, 0777), 0);
    const bool root = geteuid() == 0;
    cr_assert(!root || seteuid(65534) == 0);
    assert_fails(context, put(path, "two"), THAW_IO_ERROR, "exists and cannot be written: Permission denied");
    cr_assert(!root || seteuid(0) == 0);
    cr_assert_eq(chmod(path, 0666), 0);
    cr_assert_eq(chmod(directory, 0555), 0);
    cr_assert(!root || seteuid(65534) == 0);
    assert_fails(context, put(path, "two"), THAW_IO_ERROR, "cannot make a temporary file");
    cr_assert(!root || seteuid(0) == 0);
    cr_assert_eq(chmod(directory, 0755), 0);
    assert_holds(path, "one");
    cr_assert_eq(support_count_entries(directory), 1);
}

Test(new_file, a_file_larger_than_the_limit, .init = begin, .fini = end)
{
    char large[4096];
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    assert_ok(context, put(path, "one"));
    /* SIGXFSZ would end the process here. */
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 1000, RLIM_INFINITY }), 0);
    const thaw_status status = put(path, large);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }), 0);
    cr_assert_eq(status, THAW_IO_ERROR);
    cr_assert(strstr(thaw_context_message(context), "File too large"), "%s", thaw_context_message(context));
    assert_holds(path, "one");
    cr_assert_eq(support_count_entries(directory), 1);
}

/* A file system of its own, with room for one page: it ends with the process's name space. */
static bool mount_small_disk(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", directory, "tmpfs", 0, "size=4096") == 0;
}

Test(new_file, a_full_disk, .init = begin, .fini = end)
{
    if (!mount_small_disk())
        cr_skip_test("only root may mount");
    thaw_new_file file;
    char page[4096] = { 0 };
    assert_ok(context, put(path, "one"));
    assert_fails(context, put(path, "two"), THAW_IO_ERROR, "cannot reserve its space: No space left on device");
    assert_holds(path, "one");
    cr_assert_eq(support_count_entries(directory), 1);
    cr_assert_eq(unlink(path), 0);
    /* A disk that fills up after the reservation: more is written than was announced. */
    assert_ok(context, thaw_new_file_create(context, path, sizeof page, &file));
    assert_ok(context, thaw_new_file_write(&file, page, sizeof page));
    assert_fails(context, thaw_new_file_write(&file, page, 1), THAW_IO_ERROR, "cannot write: No space left on device");
    thaw_new_file_discard(&file);
    cr_assert_eq(support_count_entries(directory), 0);
    cr_assert_eq(umount(directory), 0);
}

enum { WRITERS = 4, ROUNDS = 50 };

static void *write_often(void *text)
{
    thaw_context *own = NULL;
    if (thaw_context_create(&(thaw_context_options){ .threads = 1, .max_cpu = support_max_cpu() }, &own) != THAW_OK)
        return text;
    for (int i = 0; i < ROUNDS; i++) {
        thaw_new_file file;
        if (thaw_new_file_create(own, path, 4, &file) != THAW_OK || thaw_new_file_write(&file, text, 4) != THAW_OK ||
            thaw_new_file_commit(&file) != THAW_OK)
            return text;
    }
    thaw_context_destroy(own);
    return NULL;
}

Test(new_file, writers_of_one_file_do_not_mix, .init = begin, .fini = end)
{
    char texts[WRITERS][5] = { "aaaa", "bbbb", "cccc", "dddd" }, found[5] = "";
    pthread_t threads[WRITERS];
    for (size_t i = 0; i < WRITERS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, write_often, texts[i]), 0);
    for (size_t i = 0; i < WRITERS; i++) {
        void *failed;
        cr_assert_eq(pthread_join(threads[i], &failed), 0);
        cr_assert_null(failed);
    }
    cr_assert_eq(support_read_file(path, found, 4), 4);
    cr_assert(found[0] >= 'a' && found[0] <= 'd' && strspn(found, (char[]){ found[0], '\0' }) == 4, "%s", found);
    cr_assert_eq(support_count_entries(directory), 1);
}
