/* Texts on the command line: the tokenizer that comes with a network. */
#ifndef THAW_CLI_TEXTS_H
#define THAW_CLI_TEXTS_H

#include "cli/session.h"

/* The tokenizer of --model if that is a folder with one: its path. NULL: there is none, or the file of --load notes its
   own. */
const char *cli_default_tokenizer(const cli_session *session);

/* Completes the descriptions of texts in --data and --test-data by it. Returns an exit code. */
int cli_texts_complete(cli_session *session);

#endif
