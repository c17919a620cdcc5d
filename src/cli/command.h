/* The sub-commands. Each reads its own arguments, argv[0] included, and returns an exit code. */
#ifndef THAW_CLI_COMMAND_H
#define THAW_CLI_COMMAND_H

int cli_train(int argc, char **argv);
int cli_finetune(int argc, char **argv);
int cli_evaluate(int argc, char **argv);
int cli_summary(int argc, char **argv);
int cli_plan(int argc, char **argv);
int cli_demo(int argc, char **argv);
int cli_bench(int argc, char **argv);
int cli_report(int argc, char **argv);

#endif
