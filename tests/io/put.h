/* Texts that replace files as a whole. */
#ifndef THAW_TESTS_IO_PUT_H
#define THAW_TESTS_IO_PUT_H

#include <thaw/base.h>

/* Replaces a file by this text. */
thaw_status io_put(const char *where, const char *text);

/* Asserts that the file holds this text, of fewer than 64 bytes. */
void io_assert_holds(const char *where, const char *text);

#endif
