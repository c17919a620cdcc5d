/* How OpenMP's threads wait for each other in the command. */
#ifndef THAW_CLI_WAITING_H
#define THAW_CLI_WAITING_H

/* Starts the command again with a waiting policy that suits the machine, unless the environment has a setting of
   OpenMP's threads. Returns if there is nothing to change, or if that fails: the command works all the same. */
void cli_choose_waiting(char **argv);

#endif
