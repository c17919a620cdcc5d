/* Command lines as text. */
#ifndef THAW_CLI_QUOTE_H
#define THAW_CLI_QUOTE_H

/* The command line, quoted for a shell, with `name` in place of its first word. NULL if memory is short. The caller
   frees it. */
char *cli_quote(int argc, char **argv, const char *name);

#endif
