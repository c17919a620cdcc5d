#include "cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t received;

static void remember(int signal)
{
    received = signal;
}

void cli_interrupt_catch(void)
{
    const struct sigaction action = { .sa_handler = remember, .sa_flags = (int)SA_RESETHAND | SA_RESTART };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* A reader of the output that has gone away is no reason to lose what was trained. */
    signal(SIGPIPE, SIG_IGN);
}

int cli_interrupt_signal(void)
{
    return received;
}
