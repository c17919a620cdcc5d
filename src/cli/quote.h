/* Command lines as text. */
#ifndef THAW_CLI_QUOTE_H
#define THAW_CLI_QUOTE_H

/* A command line as a shell would take it, with `name` in the place of its first word; NULL when memory is short. The
   caller frees it. */
char *cli_quote(int argc, char **argv, const char *name);

#endif
