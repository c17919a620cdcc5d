/* Text that is safe to print on a terminal: names come from files and folders, and may contain control sequences. */
#ifndef THAW_CORE_PRINTABLE_H
#define THAW_CORE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `text`, cut to `capacity` bytes including its zero. Printable ASCII and well-formed UTF-8 are kept. Each
   byte of control characters (C0, DEL, C1), of marks that change the direction of text or break lines, and of
   invalid UTF-8 becomes \xNN. A second call changes nothing. */
void thaw_copy_printable(char *to, size_t capacity, const char *text);

/* Whether all of it is printable. */
bool thaw_is_printable(const char *text);

#endif
