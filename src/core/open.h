/* Opening files. A descriptor of the library is never 0, 1 or 2: if the host has closed one of these, the next file
   would get its number, and what the host prints would go into that file. */
#ifndef THAW_CORE_OPEN_H
#define THAW_CORE_OPEN_H

#include <stdio.h>
#include <sys/types.h>

/* openat with O_CLOEXEC, repeated if a signal interrupts it; `directory` may be AT_FDCWD. Returns -1 after an error,
   with errno set. */
int thaw_open(int directory, const char *path, int flags, mode_t permissions);

/* dup, with O_CLOEXEC. Errors: as above. */
int thaw_duplicate(int descriptor);

/* The same as a stream for reading; NULL after an error. */
FILE *thaw_open_stream(const char *path);

/* Writes all bytes, in as many calls as it takes. Returns errno after an error; 0: all are written. */
int thaw_write_all(int descriptor, const void *bytes, size_t count);

/* posix_fallocate, repeated if a signal interrupts it. Returns an errno; 0: the file has its space. A size beyond the
   process's limit is EFBIG, and sends no SIGXFSZ, which would end the process. */
int thaw_reserve(int descriptor, off_t bytes);

#endif
