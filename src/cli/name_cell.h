/* Names in tables on the terminal. */
#ifndef THAW_CLI_NAME_CELL_H
#define THAW_CLI_NAME_CELL_H

#include <stddef.h>

/* The characters that a name takes, as it is printed. */
size_t cli_name_width(const char *name);

/* Prints a name in so many characters, filled with blanks behind it, or before it where `right`. An ellipsis stands
   for the end of one that is longer. */
void cli_print_name(const char *name, size_t width, int right);

/* The columns of the terminal on standard output; 100 where it is none. */
size_t cli_output_columns(void);

#endif
