/* SIGINT and SIGTERM ask training to stop after the step it is at; the second one ends the process as usual. SIGPIPE
   is ignored. */
#ifndef THAW_CLI_INTERRUPT_H
#define THAW_CLI_INTERRUPT_H

/* Before any other thread exists. Signals do what they usually do, until they are caught. */
void cli_interrupt_begin(void);

void cli_interrupt_catch(void);

/* The signal that was caught, or 0. */
int cli_interrupt_signal(void);

#endif
