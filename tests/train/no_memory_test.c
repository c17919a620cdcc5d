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
#include "support/files.h"
#include "support/small_networks.h"
#include "support/support.h"

enum { TRIALS = 8, SECONDS = 60, FAILURES = 3 };
enum { SAMPLES = 12, BATCH = 4 };

/* ---- what is done without memory ---- */

typedef struct subject {
    const small_network *network;
    int threads;
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    thaw_evaluation evaluation;
    thaw_epoch_result epoch;
    char weights[SUPPORT_PATH_BYTES], cache[SUPPORT_PATH_BYTES];
} subject;

static float values[SAMPLES * SMALL_NETWORK_SAMPLE];
static int32_t labels[SAMPLES];
static size_t live; /* blocks of the context's allocator */

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    void *memory = NULL;
    (void)user;
    if (posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
    __atomic_add_fetch(&live, 1, __ATOMIC_SEQ_CST);
    return memory;
}

static void release(void *user, void *memory, size_t bytes)
{
    (void)user;
    (void)bytes;
    __atomic_sub_fetch(&live, 1, __ATOMIC_SEQ_CST);
    free(memory);
}

static thaw_tensor inputs(const subject *s, int64_t count)
{
    int64_t dims[1 + THAW_MAX_RANK] = { count };
    for (int i = 0; i < s->network->sample.rank; i++)
        dims[i + 1] = s->network->sample.dims[i];
    return thaw_view_f32(values, s->network->sample.rank + 1, dims);
}

static thaw_tensor targets(int64_t count)
{
    return thaw_view_i32(labels, 1, &count);
}

static thaw_status create(subject *s)
{
    const thaw_context_options options = { .threads = s->threads, .seed = 1, .allocator = { allocate, release, NULL } };
    return thaw_context_create(&options, &s->context);
}

static thaw_status build(subject *s)
{
    thaw_model *model;
    const thaw_status status = thaw_model_create(s->context, &model);
    if (status != THAW_OK)
        return status;
    const thaw_status built = small_network_build(s->network, model);
    if (built == THAW_OK)
        s->model = model;
    else
        thaw_model_destroy(model);
    return built;
}

static thaw_status step(subject *s)
{
    const thaw_tensor samples = inputs(s, BATCH), wanted = targets(BATCH);
    return thaw_step(s->model, &samples, &wanted, NULL, NULL);
}

static thaw_status save(subject *s)
{
    return thaw_weights_save(s->model, s->weights);
}

static thaw_status load(subject *s)
{
    return thaw_weights_load(s->model, s->weights, NULL, NULL);
}

static thaw_status open_data(subject *s)
{
    const thaw_tensor samples = inputs(s, SAMPLES), wanted = targets(SAMPLES);
    return thaw_dataset_from_arrays(s->context, &samples, &wanted, SMALL_NETWORK_CLASSES, &s->data);
}

static thaw_status evaluate(subject *s)
{
    return thaw_evaluate(s->model, s->data, 5, &s->evaluation);
}

static thaw_status freeze(subject *s)
{
    return thaw_model_freeze(s->model, "first");
}

static thaw_status fit(subject *s)
{
    const thaw_fit_options options = {
        .epochs = 2, .batch = BATCH, .cache_bytes = 1 << 20, .average_decay = 0.5, .test = s->data
    };
    return thaw_fit(s->model, s->data, &options, &s->epoch);
}

static thaw_status fit_with_file(subject *s)
{
    const thaw_fit_options options = { .epochs = 2, .batch = BATCH, .cache_file = s->cache };
    unlink(s->cache);
    return thaw_fit(s->model, s->data, &options, &s->epoch);
}

typedef thaw_status action(subject *s);

typedef struct phase {
    const char *name;
    action *before[6]; /* with memory */
    action *run, *after;
    bool goes_on; /* a second try trains from where the first ended */
} phase;

static const phase phases[] = {
    { .name = "create", .run = create },
    { .name = "build", .before = { create }, .run = build, .after = step },
    { .name = "first step", .before = { create, build }, .run = step },
    { .name = "later step", .before = { create, build, step }, .run = step },
    { .name = "save", .before = { create, build, step }, .run = save },
    { .name = "load", .before = { create, build, step, save, step }, .run = load, .after = step },
    { .name = "evaluate", .before = { create, build, step, open_data }, .run = evaluate, .after = step },
    { .name = "fit", .before = { create, build, open_data, freeze }, .run = fit, .goes_on = true },
    { .name = "fit with a file",
      .before = { create, build, open_data, freeze },
      .run = fit_with_file,
      .goes_on = true },
};

static uint64_t digest_parameters(const subject *s)
{
    uint64_t hash = 14695981039346656037U; /* FNV-1a's */
    for (size_t i = 0; s->model && i < thaw_model_parameter_count(s->model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(s->model, i);
        const uint8_t *bytes = (const void *)thaw_parameter_data(parameter);
        for (size_t k = 0; k < thaw_shape_count(thaw_parameter_shape(parameter)) * sizeof(float); k++)
            hash = (hash ^ bytes[k]) * 1099511628211U;
    }
    return hash;
}

/* Of all parameters and of what was found. */
static uint64_t digest(const subject *s)
{
    const double found[] = { s->evaluation.loss, s->epoch.loss, s->epoch.test_loss };
    uint64_t hash = digest_parameters(s);
    for (size_t i = 0; i < sizeof found; i++)
        hash = (hash ^ ((const uint8_t *)found)[i]) * 1099511628211U;
    return hash;
}

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
static void complain(const subject *s, const char *what, thaw_status status)
{
    snprintf(told->complaint, sizeof told->complaint, "%s: %s: %s", what, thaw_status_name(status),
             s->context ? thaw_context_message(s->context) : "");
    _exit(EXIT_FAILURE);
}

static void expect(const subject *s, const char *what, thaw_status status)
{
    if (status != THAW_OK)
        complain(s, what, status);
}

static void prepare(subject *s, const phase *p)
{
    for (size_t i = 0; i < THAW_COUNT(p->before) && p->before[i]; i++)
        expect(s, "before", p->before[i](s));
}

static void close_subject(subject *s)
{
    thaw_dataset_destroy(s->data);
    thaw_model_destroy(s->model);
    thaw_context_destroy(s->context);
    s->context = NULL;
    if (live > 0) {
        snprintf(told->complaint, sizeof told->complaint, "%zu blocks leaked", live);
        _exit(EXIT_FAILURE);
    }
}

static void try(subject *s, const phase *p, heap_failure failure, size_t at)
{
    alarm(SECONDS);
    const uint64_t before = digest_parameters(s);
    failing_heap_arm(failure, at);
    const thaw_status status = told->status = p->run(s);
    told->calls = failing_heap_disarm(&told->most_bytes);
    if (status != THAW_OK && status != THAW_OUT_OF_MEMORY)
        complain(s, "failed", status);
    if (status != THAW_OK && s->context && !thaw_context_message(s->context)[0])
        complain(s, "without a message", status);
    if (status != THAW_OK && !p->goes_on && digest_parameters(s) != before)
        complain(s, "changed parameters", status);
    if (status != THAW_OK)
        expect(s, "again", p->run(s));
    if (p->after)
        expect(s, "after", p->after(s));
    told->digest = digest(s);
    close_subject(s);
    _exit(EXIT_SUCCESS);
}

/* Returns what is wrong, or NULL. */
static const char *fork_trial(subject *s, const phase *p, heap_failure failure, size_t at)
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
static size_t trials_of_phase(const subject *s)
{
    const char *wanted = getenv("THAW_SWEEP");
    return wanted ? (size_t)strtoul(wanted, NULL, 10) : s->threads > 1 ? 1 : TRIALS;
}

static void sweep(subject *s, const phase *p)
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
    subject s = { .network = network, .threads = threads };
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
    support_fill(values, THAW_COUNT(values), 7);
    for (size_t i = 0; i < SAMPLES; i++)
        labels[i] = (int32_t)((i * 7 + i / 3) % SMALL_NETWORK_CLASSES);
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert(told != MAP_FAILED);
    for (size_t i = 0; i < THAW_COUNT(phases); i++)
        sweep_phase(small_network_find(name), threads, &phases[i], directory);
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
