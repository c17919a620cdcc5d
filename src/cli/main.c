/* The thaw command: finds and runs a sub-command. */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/base.h>
#include <thaw/zoo.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/generate.h"
#include "cli/interrupt.h"
#include "cli/ranks.h"
#include "cli/version.h"
#include "cli/waiting.h"
#include "core/nearest.h"

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    cli_print_version(stream);
}

/* What follows --version. */
static int show_version(int argc, char **argv)
{
    if (argc == 0) {
        cli_print_version(stdout);
        return CLI_DONE;
    }
    if (argc == 1 && (strcmp(argv[0], "--verbose") == 0 || strcmp(argv[0], "-v") == 0))
        return cli_print_machine(stdout);
    return cli_misuse(argv[0], "after --version, there may only be --verbose");
}

static void print_help(FILE *stream)
{
    fputs("Usage: thaw COMMAND [OPTION...]\n"
          "Train and fine-tune neural networks on multicore CPUs; freezing is compiled.\n\n",
          stream);
    for (size_t i = 0; i < cli_command_count; i++)
        fprintf(stream, "  %-11s %s\n", cli_commands[i]->name, cli_commands[i]->summary);
    fputs("\nNetworks, for --model (with options: resnet18:size=64, vgg16:dropout=0):\n", stream);
    const thaw_zoo_entry *network;
    for (size_t i = 0; (network = thaw_zoo_entry_at(i)); i++)
        fprintf(stream, "  %-18s %s\n", network->name, network->description);
    fputs("\n'thaw COMMAND --help' lists a command's options; 'thaw --version' prints the version,\n"
          "with --verbose also what Thaw computes with on this machine, and why.\n"
          "Environment: THAW_MAX_CPU limits the CPU's instructions that Thaw's own kernels use:\n"
          "baseline, v3 (AVX2 and FMA) or v4 (AVX-512).\n"
          "Exit codes: 0 done, 1 failed, 2 bad usage, 130 interrupted.\n",
          stream);
}

static int find_command(const char *name, const cli_command **found)
{
    const char *names[32];
    const size_t count = cli_command_count < THAW_COUNT(names) ? cli_command_count : THAW_COUNT(names);
    *found = cli_command_named(name);
    if (*found)
        return CLI_DONE;
    for (size_t i = 0; i < count; i++)
        names[i] = cli_commands[i]->name;
    const char *nearest = thaw_nearest(name, names, count);
    if (nearest)
        return cli_misuse(name, "no such command, did you mean %s? See 'thaw --help'", nearest);
    return cli_misuse(name, "no such command; see 'thaw --help'");
}

/* Each process would do the same. One of them says so. */
static int check_launcher(const cli_command *command)
{
    if (cli_ranks_launched() < 2 || command->takes & (CLI_TRAINING | CLI_BENCH))
        return CLI_DONE;
    if (cli_ranks_launched_rank() > 0)
        return CLI_MISUSED;
    return cli_misuse(command->name,
                      "cannot be spread over the %d processes that mpirun has started; thaw train, "
                      "finetune and bench can",
                      cli_ranks_launched());
}

/* Under mpirun, a failure is held until the ranks meet, so that one of them says it. */
static int run(const cli_command *command, int argc, char **argv)
{
    cli_options options;
    const bool spread = cli_ranks_launched() > 1;
    if (cli_ranks_launched_rank() > 0 && cli_options_ask_for_help(argc, argv))
        return CLI_DONE;
    int code = check_launcher(command);
    if (code != CLI_DONE)
        return code;
    if (spread)
        cli_hold();
    code = cli_options_parse(argc, argv, command, &options);
    if (code == CLI_DONE)
        code = command->run(&options);
    else if (spread)
        code = cli_ranks_refuse(code);
    cli_options_release(&options);
    return code;
}

static bool output_checked;

/* Output may still be lost, for example on a full disk. */
static int close_output(int code)
{
    output_checked = true;
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == CLI_DONE)
        return cli_fail("standard output", "could not be written in full");
    return code;
}

/* argp exits by itself after --help. */
static void check_output(void)
{
    if (!output_checked && close_output(CLI_DONE) != CLI_DONE)
        _exit(CLI_FAILED);
}

/* The next file that is opened would get the number of a closed standard stream, and what is printed would go into it.
   Each is opened for the other direction, so that using it is an error as before. */
static bool fill_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        const bool closed = fcntl(stream, F_GETFD) < 0 && errno == EBADF;
        if (closed && open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) != stream)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    if (!fill_streams() || atexit(check_output) != 0)
        return cli_fail("start", "no standard streams");
    argp_err_exit_status = CLI_MISUSED;
    argp_program_version_hook = print_version;
    if (argc < 2) {
        print_help(stderr);
        return CLI_MISUSED;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return close_output(CLI_DONE);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return close_output(show_version(argc - 2, argv + 2));
    /* Files installed with the command; see src/cli/meson.build. */
    if (strcmp(argv[1], "--generate") == 0)
        return close_output(cli_generate(argc == 3 ? argv[2] : "", stdout));
    const cli_command *command;
    const int code = find_command(argv[1], &command);
    if (code != CLI_DONE)
        return code;
    cli_choose_waiting(argv);
    cli_interrupt_begin();
    return close_output(run(command, argc - 1, argv + 1));
}
