/* Files that cannot be the feature cache: they are left alone, and the run is refused or goes on without. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>

#include "train/filed_run.h"

TestSuite(cache_file_refusals, .init = filed_begin, .fini = filed_end);

static void assert_refused(const char *file, thaw_status status, const char *text)
{
    const filed_setting told = { .file = file };
    char message[512] = "";
    filed_outcome result;
    cr_assert_eq(filed_try(&told, &result, message), status, "%s", message);
    cr_assert_not_null(strstr(message, text), "\"%s\" lacks \"%s\"", message, text);
    cr_assert_not_null(strstr(message, file), "\"%s\" does not name the file", message);
    free(result.weights);
}

Test(cache_file_refusals, that_is_something_else_is_left_alone)
{
    static const char letter[] = "Dear reader, these are no features.", beginning[] = "THAWFEA";
    char found[sizeof letter];
    support_write_file(filed_path, letter, sizeof letter);
    assert_refused(filed_path, THAW_BAD_FORMAT, "is not a feature cache");
    cr_assert_eq(support_read_file(filed_path, found, sizeof found), sizeof letter);
    cr_assert_str_eq(found, letter);
    for (size_t bytes = 1; bytes < sizeof beginning; bytes++) {
        support_write_file(filed_path, beginning, bytes);
        assert_refused(filed_path, THAW_BAD_FORMAT, "is not a feature cache");
        cr_assert_eq(support_read_file(filed_path, found, sizeof found), (long)bytes);
    }
    support_write_file(filed_path, "", 0);
    filed_check_equal(&(filed_setting){ .file = filed_path });
}

Test(cache_file_refusals, that_cannot_be_is_refused_before_training)
{
    assert_refused(filed_directory, THAW_IO_ERROR, "cannot open");
    assert_refused("/dev/null", THAW_IO_ERROR, "not a regular file");
    assert_refused("/nowhere/features", THAW_IO_ERROR, "No such file");
}

Test(cache_file_refusals, of_another_process_is_refused)
{
    const int other = open(filed_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(other, 0);
    cr_assert_eq(flock(other, LOCK_EX), 0);
    assert_refused(filed_path, THAW_IO_ERROR, "another process");
    char warning[512] = "";
    cr_assert_not(filed_check_equal(&(filed_setting){ .file = filed_path, .optional = true, .warning = warning }));
    cr_assert_not_null(strstr(warning, "another process"), "warned: \"%s\"", warning);
    cr_assert_not_null(strstr(warning, "training goes on without"), "warned: \"%s\"", warning);
    close(other);
    const filed_setting told = { .file = filed_path };
    filed_check_equal(&told);
}

Test(cache_file_refusals, without_room_is_refused_before_training)
{
    struct rlimit limit; /* SIGXFSZ would end the process */
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = FILED_HEADER + 100;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_refused(filed_path, THAW_IO_ERROR, "make room");
    char byte;
    cr_assert_eq(support_read_file(filed_path, &byte, 1), 0, "something was left");
}

Test(cache_file_refusals, that_takes_no_more_rows_does_not_stop_training)
{
    char warning[512] = "";
    signal(SIGXFSZ, SIG_IGN);
    const filed_setting told = { .file = filed_path, .limit = FILED_HEADER + 100, .warning = warning };
    cr_assert_not(filed_check_equal(&told));
    cr_assert_not_null(strstr(warning, "training goes on without"), "warned: \"%s\"", warning);
}
