/* SIGINT and SIGTERM stop training after the current step. A second one ends the process as usual. SIGPIPE is
   ignored. */
#ifndef THAW_CLI_INTERRUPT_H
#define THAW_CLI_INTERRUPT_H

/* Call before any other thread exists. Signals keep their default effect until training catches them. */
void cli_interrupt_begin(void);

void cli_interrupt_catch(void);

/* The signal that was caught, or 0. */
int cli_interrupt_signal(void);

#endif
