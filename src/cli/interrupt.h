/* SIGHUP, SIGINT, SIGQUIT and SIGTERM ask training to stop after the current step; a second one, but for SIGHUP, ends
   the process as usual. A signal that the process was started to ignore stays ignored. SIGPIPE and SIGXFSZ are
   ignored. */
#ifndef THAW_CLI_INTERRUPT_H
#define THAW_CLI_INTERRUPT_H

/* Call before any other thread exists. Signals keep their default effect until training catches them. */
void cli_interrupt_begin(void);

void cli_interrupt_catch(void);

/* The signal that was caught, or 0. */
int cli_interrupt_signal(void);

#endif
