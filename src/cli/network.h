/* The network's description: --model with what --head, --dropout and --head-init add to it. */
#ifndef THAW_CLI_NETWORK_H
#define THAW_CLI_NETWORK_H

#include "cli/session.h"

/* The first two return an exit code. */

/* Adds the options to --model. Without --model they wait for the file of --load to name the network. Checks the
   description. */
int cli_network_begin(cli_session *session);

/* After the file's notes are known: completes --model by `noted`, the file's description of its network (NULL: it has
   none). A head that the file does not have is new: --load leaves it out, as with --reset. */
int cli_network_complete(cli_session *session, const char *noted);

/* The network's description, with the shape or the size of the data's samples, or the length of its texts, if none is
   given and the network accepts one. The caller frees it; NULL: out of memory. */
char *cli_network_fit(const cli_session *session, const thaw_dataset *dataset);

/* `base`, the first `length` characters, with options, and with those of the description `noted` that these leave out,
   but for its size. The caller frees it; NULL: out of memory. */
char *cli_network_compose(const char *base, size_t length, const char *options, const char *noted);

/* The description `whole` with these options in place of its own; its size stays where there are no data. The caller
   frees it; NULL: out of memory. */
char *cli_network_with(const cli_session *session, const char *whole, const char *options);

/* Whether --head is a new head; otherwise it is a pattern of groups, for strategies. */
bool cli_is_new_head(const char *text);

#endif
