/* Text as a terminal may see it: names come from files and folders, and may hold what a terminal obeys. */
#ifndef THAW_CORE_PRINTABLE_H
#define THAW_CORE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Copies `text`, cut to `capacity` bytes with its zero. Printable ASCII and well-formed UTF-8 stay. Each byte of control
   characters (C0, DEL, C1), of marks that change the direction of text or break lines, and of what is no UTF-8 becomes
   \xNN. A second call changes nothing. */
void thaw_copy_printable(char *to, size_t capacity, const char *text);

/* Whether all of it stays. */
bool thaw_is_printable(const char *text);

#endif
