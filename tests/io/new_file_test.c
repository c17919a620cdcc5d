/* Replacing a file as a whole: where it lands, with which permissions, and what happens to temporary files. */
#include "io/new_file.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fixture.h"
#include "io/put.h"
#include "support/max_cpu.h"

static mode_t permissions(const char *where)
{
    struct stat about;
    cr_assert_eq(stat(where, &about), 0);
    return about.st_mode & 07777;
}

Test(new_file, permissions_are_kept, .init = io_begin, .fini = io_end)
{
    umask(027);
    assert_ok(io_context, io_put(io_path, "one"));
    cr_assert_eq(permissions(io_path), 0640);
    cr_assert_eq(chmod(io_path, 0604), 0);
    assert_ok(io_context, io_put(io_path, "two"));
    cr_assert_eq(permissions(io_path), 0604);
    io_assert_holds(io_path, "two");
}

Test(new_file, a_discarded_file_leaves_nothing, .init = io_begin, .fini = io_end)
{
    thaw_new_file file;
    const size_t descriptors = support_count_entries("/proc/self/fd");
    assert_ok(io_context, thaw_new_file_create(io_context, io_path, 100, &file));
    assert_ok(io_context, thaw_new_file_write(&file, "half", 4));
    cr_assert_eq(support_count_entries(io_directory), 1);
    thaw_new_file_discard(&file);
    cr_assert_eq(support_count_entries(io_directory), 0);
    cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors);
}

Test(new_file, links_stay_links, .init = io_begin, .fini = io_end)
{
    char link[SUPPORT_PATH_BYTES], dangling[SUPPORT_PATH_BYTES];
    struct stat about;
    cr_assert_eq(symlink("file", support_path(link, io_directory, "latest")), 0);
    cr_assert_eq(symlink("nothing", support_path(dangling, io_directory, "dangling")), 0);
    assert_ok(io_context, io_put(io_path, "one"));
    assert_ok(io_context, io_put(link, "two"));
    io_assert_holds(io_path, "two");
    cr_assert(lstat(link, &about) == 0 && S_ISLNK(about.st_mode));
    assert_ok(io_context, io_put(dangling, "three"));
    io_assert_holds(dangling, "three");
    cr_assert(lstat(dangling, &about) == 0 && S_ISLNK(about.st_mode));
    io_assert_holds(support_path(io_path, io_directory, "nothing"), "three");
    cr_assert_eq(support_count_entries(io_directory), 4);
}

/* From one folder into another and on, by a relative and an absolute link; and round and round. */
Test(new_file, links_that_lead_to_nothing_are_followed, .init = io_begin, .fini = io_end)
{
    char first[SUPPORT_PATH_BYTES], second[SUPPORT_PATH_BYTES], folder[SUPPORT_PATH_BYTES];
    cr_assert_eq(mkdir(support_path(folder, io_directory, "folder"), 0777), 0);
    cr_assert_eq(symlink("folder/second", support_path(first, io_directory, "first")), 0);
    cr_assert_eq(symlink(io_path, support_path(second, folder, "second")), 0);
    assert_ok(io_context, io_put(first, "one"));
    io_assert_holds(io_path, "one");
    cr_assert_eq(support_count_entries(io_directory), 3);
    cr_assert_eq(support_count_entries(folder), 1);
    cr_assert_eq(unlink(second), 0);
    cr_assert_eq(symlink("../first", second), 0);
    assert_fails(io_context, io_put(first, "two"), THAW_IO_ERROR, "Too many levels of symbolic links");
    support_remove_directory(folder);
}

Test(new_file, a_name_without_a_directory, .init = io_begin, .fini = io_end)
{
    cr_assert_eq(chdir(io_directory), 0);
    assert_ok(io_context, io_put("file", "one"));
    io_assert_holds(io_path, "one");
    assert_ok(io_context, io_put("./file", "two"));
    io_assert_holds(io_path, "two");
}

Test(new_file, the_longest_name, .init = io_begin, .fini = io_end)
{
    char name[257];
    memset(name, 'x', 256);
    name[255] = '\0';
    support_path(io_path, io_directory, name);
    assert_ok(io_context, io_put(io_path, "one"));
    io_assert_holds(io_path, "one");
    name[255] = 'x';
    name[256] = '\0';
    assert_fails(io_context, io_put(support_path(io_path, io_directory, name), "one"), THAW_IO_ERROR, "too long");
}

/* Also one with this process's own number, which an earlier process had; not what only looks like one. */
Test(new_file, what_killed_processes_left_is_removed, .init = io_begin, .fini = io_end)
{
    static const char *const stays[] = { ".thaw-1-0.tmp.gz", ".thaw--1-0.tmp", ".thaw-x-0.tmp", "thaw-1-0.tmp" };
    char name[64], place[SUPPORT_PATH_BYTES];
    snprintf(name, sizeof name, ".thaw-%ld-0.tmp", (long)getpid());
    support_write_file(support_path(place, io_directory, name), "stale", 5);
    support_write_file(support_path(place, io_directory, ".thaw-1-99.tmp"), "stale", 5);
    cr_assert_eq(symlink("file", support_path(place, io_directory, ".thaw-2-0.tmp")), 0);
    for (size_t i = 0; i < THAW_COUNT(stays); i++)
        support_write_file(support_path(place, io_directory, stays[i]), "mine", 4);
    assert_ok(io_context, io_put(io_path, "one"));
    io_assert_holds(io_path, "one");
    for (size_t i = 0; i < THAW_COUNT(stays); i++)
        io_assert_holds(support_path(place, io_directory, stays[i]), "mine");
    cr_assert_eq(support_count_entries(io_directory), 2 + THAW_COUNT(stays), "file, link, and what is not ours");
}

Test(new_file, a_temporary_file_in_use_is_not_removed, .init = io_begin, .fini = io_end)
{
    thaw_new_file slow;
    char other[SUPPORT_PATH_BYTES];
    assert_ok(io_context, thaw_new_file_create(io_context, io_path, 4, &slow));
    assert_ok(io_context, io_put(support_path(other, io_directory, "other"), "two"));
    assert_ok(io_context, thaw_new_file_write(&slow, "slow", 4));
    assert_ok(io_context, thaw_new_file_commit(&slow));
    io_assert_holds(io_path, "slow");
    io_assert_holds(other, "two");
}

/* What the host prints must not go into the file. */
Test(new_file, takes_no_number_of_a_standard_stream, .init = io_begin, .fini = io_end)
{
    const int kept[] = { dup(0), dup(1), dup(2) };
    thaw_new_file file;
    for (int i = 0; i < 3; i++)
        close(i);
    const thaw_status status = thaw_new_file_create(io_context, io_path, 4, &file);
    const int descriptor = file.descriptor, place = file.directory;
    for (int i = 0; i < 3; i++)
        dup2(kept[i], i);
    cr_assert_eq(status, THAW_OK);
    cr_assert(descriptor > 2 && place > 2, "descriptors %d and %d", descriptor, place);
    thaw_new_file_discard(&file);
}

enum { WRITERS = 4, ROUNDS = 50 };

static void *write_often(void *text)
{
    thaw_context *own = NULL;
    if (thaw_context_create(&(thaw_context_options){ .threads = 1, .max_cpu = support_max_cpu() }, &own) != THAW_OK)
        return text;
    for (int i = 0; i < ROUNDS; i++) {
        thaw_new_file file;
        if (thaw_new_file_create(own, io_path, 4, &file) != THAW_OK || thaw_new_file_write(&file, text, 4) != THAW_OK ||
            thaw_new_file_commit(&file) != THAW_OK)
            return text;
    }
    thaw_context_destroy(own);
    return NULL;
}

Test(new_file, writers_of_one_file_do_not_mix, .init = io_begin, .fini = io_end)
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
    cr_assert_eq(support_read_file(io_path, found, 4), 4);
    cr_assert(found[0] >= 'a' && found[0] <= 'd' && strspn(found, (char[]){ found[0], '\0' }) == 4, "%s", found);
    cr_assert_eq(support_count_entries(io_directory), 1);
}
