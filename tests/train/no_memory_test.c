/* Memory runs out anywhere, in oneDNN as well: at each call of malloc and its relatives, once, from there on, and as a
   heap that is full. Whatever Thaw was doing then returns THAW_OUT_OF_MEMORY, has changed nothing, and works when it is
   tried again. Each trial is a process of its own, so that an abort, a signal or a hang is seen. THAW_SWEEP sets how
   many trials a phase has for each kind of failure; with one that is large enough every allocation fails. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/failing_heap.h"
#include "support/support.h"
#include "train/phases.h"

enum { TRIALS = 8, SECONDS = 60, FAILURES = 3 };

/* ---- a trial, in a process of its own ---- */

/* Shared with the parent. */
typedef struct outcome {
    size_t calls, most_bytes;
    uint64_t digest;
    thaw_status status;
    char complaint[256]; /* "": none */
} outcome;

static outcome *told;

/* Ends the trial. */
static void complain(const phase_subject *s, const char *what, thaw_status status)
{
    snprintf(told->complaint, sizeof told->complaint, "%s: %s: %s", what, thaw_status_name(status),
             s->context ? thaw_context_message(s->context) : "");
    _exit(EXIT_FAILURE);
}

static void expect(const phase_subject *s, const char *what, thaw_status status)
{
    if (status != THAW_OK)
        complain(s, what, status);
}

static void prepare(phase_subject *s, const phase *p)
{
    for (size_t i = 0; i < THAW_COUNT(p->before) && p->before[i]; i++)
        expect(s, "before", p->before[i](s));
}

static void close_subject(phase_subject *s)
{
    thaw_dataset_destroy(s->data);
    thaw_model_destroy(s->model);
    thaw_context_destroy(s->context);
    s->context = NULL;
    if (phase_live_blocks > 0) {
        snprintf(told->complaint, sizeof told->complaint, "%zu blocks leaked", phase_live_blocks);
        _exit(EXIT_FAILURE);
    }
}

static void try(phase_subject *s, const phase *p, heap_failure failure, size_t at)
{
    alarm(SECONDS);
    const uint64_t before = phase_digest_parameters(s);
    failing_heap_arm(failure, at);
    const thaw_status status = told->status = p->run(s);
    told->calls = failing_heap_disarm(&told->most_bytes);
    if (status != THAW_OK && status != THAW_OUT_OF_MEMORY)
        complain(s, "failed", status);
    if (status != THAW_OK && s->context && !thaw_context_message(s->context)[0])
        complain(s, "without a message", status);
    if (status != THAW_OK && !p->goes_on && phase_digest_parameters(s) != before)
        complain(s, "changed parameters", status);
    if (status != THAW_OK)
        expect(s, "again", p->run(s));
    if (p->after)
        expect(s, "after", p->after(s));
    told->digest = phase_digest(s);
    close_subject(s);
    _exit(EXIT_SUCCESS);
}

/* Returns what is wrong, or NULL. */
static const char *fork_trial(phase_subject *s, const phase *p, heap_failure failure, size_t at)
{
    static char signalled[64];
    memset(told, 0, sizeof *told);
    const pid_t child = fork();
    if (child == 0) {
        /* Threads of OpenMP do not survive a fork: a subject with several begins in the child. */
        if (s->threads > 1)
            prepare(s, p);
        try(s, p, failure, at);
    }
    int ended;
    waitpid(child, &ended, 0);
    if (WIFSIGNALED(ended))
        snprintf(signalled, sizeof signalled, "signal %d%s", WTERMSIG(ended),
                 WTERMSIG(ended) == SIGALRM ? ", a hang" : "");
    else if (WEXITSTATUS(ended) != EXIT_SUCCESS && !told->complaint[0])
        snprintf(signalled, sizeof signalled, "exit code %d", WEXITSTATUS(ended));
    else
        return told->complaint[0] ? told->complaint : NULL;
    return signalled;
}

/* ---- all trials of a phase ---- */

/* Few of several threads, which wait long for each other beside other tests. */
static size_t trials_of_phase(const phase_subject *s)
{
    const char *wanted = getenv("THAW_SWEEP");
    return wanted ? (size_t)strtoul(wanted, NULL, 10) : s->threads > 1 ? 1 : TRIALS;
}

static void sweep(phase_subject *s, const phase *p)
{
    static const char *const names[FAILURES] = { "once at allocation", "from allocation", "with bytes" };
    const char *wrong = fork_trial(s, p, HEAP_FAILS_ONCE, 0);
    cr_assert(!wrong, "%s, %s: with memory: %s", s->network->name, p->name, wrong);
    const outcome expected = *told;
    size_t failed = 0;
    for (heap_failure failure = HEAP_FAILS_ONCE; failure <= HEAP_IS_FULL; failure++) {
        const size_t past = failure == HEAP_IS_FULL ? expected.most_bytes : expected.calls + 1;
        const size_t stride = past / trials_of_phase(s) + 1;
        for (size_t at = 1; at < past; at += stride) {
            wrong = fork_trial(s, p, failure, at);
            cr_assert(!wrong, "%s, %s, %s %zu: %s", s->network->name, p->name, names[failure], at, wrong);
            failed += told->status != THAW_OK;
            if (told->status == THAW_OK || !p->goes_on)
                cr_assert_eq(told->digest, expected.digest, "%s, %s, %s %zu: %s, and other results", s->network->name,
                             p->name, names[failure], at, thaw_status_name(told->status));
        }
    }
    cr_assert(failed > 0, "%s, %s: nothing failed in %zu allocations", s->network->name, p->name, expected.calls);
}

static void sweep_phase(const small_network *network, int threads, const phase *p, const char *directory)
{
    phase_subject s = { .network = network, .threads = threads };
    support_path(s.weights, directory, "weights.safetensors");
    support_path(s.cache, directory, "features");
    if (threads == 1)
        prepare(&s, p);
    sweep(&s, p);
    thaw_dataset_destroy(s.data);
    thaw_model_destroy(s.model);
    thaw_context_destroy(s.context);
}

static void sweep_network(const char *name, int threads)
{
    char directory[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    phase_fill_samples();
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(told != MAP_FAILED);
    for (size_t i = 0; i < PHASES; i++)
        sweep_phase(small_network_find(name), threads, &phase_list[i], directory);
    support_remove_tree(directory);
}

Test(no_memory, dense_layers_survive)
{
    sweep_network("dense", 1);
}

Test(no_memory, convolutions_survive)
{
    sweep_network("convolutional", 1);
}

Test(no_memory, a_residual_network_survives)
{
    sweep_network("residual", 1);
}

Test(no_memory, recurrent_layers_survive)
{
    sweep_network("recurrent", 1);
}

Test(no_memory, a_decoder_survives)
{
    sweep_network("decoder", 1);
}

Test(no_memory, adapters_survive)
{
    sweep_network("adapted", 1);
}

Test(no_memory, two_threads_survive)
{
    sweep_network("convolutional", 2);
}
