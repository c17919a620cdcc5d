/* The loss of a network: --loss, --class-weights and --label-smoothing. */
#ifndef THAW_CLI_LOSS_H
#define THAW_CLI_LOSS_H

#include "cli/session.h"

/* Checks the options as far as they need no data. */
int cli_check_loss(const cli_options *options);

/* Appends the loss that the options ask for, by default the one that the file of --load notes, or that suits the data's
   task. Without data (NULL), that of classes. */
int cli_append_loss(cli_session *session, thaw_dataset *dataset, thaw_node outputs);

/* The outputs that the network needs for the data; 0: its own number. */
size_t cli_outputs_of(const thaw_dataset *dataset);

/* The network's description, and what the options say of its loss, for checkpoints: the caller frees it. NULL: no
   memory. */
char *cli_describe_training(const cli_options *options);

#endif
