/* Further calls that a test may let fail: those of the journal, the results and the report. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/faults.h"

WRAP(int, fstatat64, (int directory, const char *path, struct stat *about, int flags))
{
    return support_faults_refuse() ? -1 : __real_fstatat64(directory, path, about, flags);
}

WRAP(int, stat64, (const char *path, struct stat *about))
{
    return support_faults_refuse() ? -1 : __real_stat64(path, about);
}

WRAP(FILE *, fdopen, (int descriptor, const char *mode))
{
    return support_faults_refuse() ? NULL : __real_fdopen(descriptor, mode);
}

WRAP(int, mkdir, (const char *path, mode_t mode))
{
    return support_faults_refuse() ? -1 : __real_mkdir(path, mode);
}

WRAP(off_t, lseek64, (int descriptor, off_t offset, int whence))
{
    return support_faults_refuse() ? -1 : __real_lseek64(descriptor, offset, whence);
}

WRAP(int, unlink, (const char *path))
{
    return support_faults_refuse() ? -1 : __real_unlink(path);
}

WRAP(int, fdatasync, (int descriptor))
{
    (void)descriptor;
    return support_faults_refuse() ? -1 : 0;
}
