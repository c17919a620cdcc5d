/* Shared by tests of files: a context of one thread, and the path of a file in a directory of its own. */
#ifndef THAW_TESTS_IO_FIXTURE_H
#define THAW_TESTS_IO_FIXTURE_H

#include "support/files.h"
#include "support/support.h"

extern thaw_context *io_context;
extern char io_directory[SUPPORT_PATH_BYTES], io_path[SUPPORT_PATH_BYTES];

void io_begin(void);
void io_end(void);

#endif
