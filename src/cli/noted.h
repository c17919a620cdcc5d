/* What the file of --load says of itself (thaw/notes.h): defaults, and checks of what the command line says. */
#ifndef THAW_CLI_NOTED_H
#define THAW_CLI_NOTED_H

#include "cli/session.h"

/* All return an exit code. */

/* Reads the notes, and completes --model, --data and --test-data by them. */
int cli_notes_open(cli_session *session);

/* Checks that a data set's images become samples as those of the file's training. Gives it the labels of the file's
   classes, if both have names, unless --reset or --override says otherwise. */
int cli_notes_apply(cli_session *session, const char *option, thaw_dataset **dataset);

/* Notes for files of the model's weights: the data and the command. */
int cli_notes_write(const cli_session *session);

void cli_notes_close(cli_session *session);

#endif
