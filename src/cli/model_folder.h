/* --model FOLDER[:OPTIONS]: a network as downloaded from the Hub (thaw/model_folder.h). */
#ifndef THAW_CLI_MODEL_FOLDER_H
#define THAW_CLI_MODEL_FOLDER_H

#include "cli/session.h"

/* Whether the text of --model is a folder, with or without options: not a name of the zoo, and a folder on disk. */
bool cli_is_model_folder(const char *model);

/* Whether the text of --model is a path, and nothing is there. */
bool cli_model_path_is_missing(const char *model);

/* Both return an exit code. */

/* Opens the folder, if --model is one, and replaces --model by its network. Without --load its weights are those that
   are loaded. */
int cli_folder_open(cli_session *session);

/* The folder's notes become those of --load; borrowed. */
int cli_folder_take_notes(cli_session *session);

#endif
