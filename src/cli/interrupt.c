#include "cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static atomic_bool catching;
static atomic_int received;
static sigset_t awaited;

/* A handler would run on the stack of a computing thread. Kernels of oneDNN 2.6 keep values below the stack pointer,
   and the handler would overwrite them. A thread that only waits for signals has no such values. */
static void *wait_for_signals(void *unused)
{
    (void)unused;
    while (true) {
        int found, none = 0;
        if (sigwait(&awaited, &found) != 0)
            continue;
        const bool caught = atomic_load(&catching);
        if (caught && atomic_compare_exchange_strong(&received, &none, found))
            continue;
        if (caught && found == SIGHUP)
            continue; /* a terminal that goes away sends it twice: the shell does, and the kernel */
        pthread_sigmask(SIG_UNBLOCK, &awaited, NULL);
        pthread_kill(pthread_self(), found);
        pthread_sigmask(SIG_BLOCK, &awaited, NULL);
    }
    return NULL;
}

/* Unless the process was started with the signal ignored, as by nohup. */
static void await(int signal)
{
    struct sigaction now;
    if (sigaction(signal, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
        sigaddset(&awaited, signal);
}

void cli_interrupt_begin(void)
{
    pthread_t thread;
    sigemptyset(&awaited);
    await(SIGHUP);
    await(SIGINT);
    await(SIGQUIT);
    await(SIGTERM);
    signal(SIGXFSZ, SIG_IGN);                   /* a file that grows too large is an error of its writer */
    pthread_sigmask(SIG_BLOCK, &awaited, NULL); /* inherited by all threads */
    if (pthread_create(&thread, NULL, wait_for_signals, NULL) == 0)
        pthread_detach(thread);
    else
        pthread_sigmask(SIG_UNBLOCK, &awaited, NULL); /* they end the process */
}

void cli_interrupt_catch(void)
{
    atomic_store(&catching, true);
    /* A closed output pipe is no reason to lose trained weights. */
    signal(SIGPIPE, SIG_IGN);
}

int cli_interrupt_signal(void)
{
    return atomic_load(&received);
}
