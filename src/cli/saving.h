/* Where weights will be written. */
#ifndef THAW_CLI_SAVING_H
#define THAW_CLI_SAVING_H

/* Finds out, before hours of training, whether a file can be made at `path`. Prints why not; returns an exit code. */
int cli_check_writable(const char *path);

#endif
