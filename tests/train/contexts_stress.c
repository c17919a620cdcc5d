/* Two contexts in two threads, each with a team of two OpenMP threads, for ThreadSanitizer, which cannot run
   Criterion's tests. It knows the barriers of clang's OpenMP alone, so the program has no use for it under another
   compiler. Without ThreadSanitizer, a check that both contexts get the same bits.

   ThreadSanitizer sees no access of more than 16 bytes, and none of oneDNN: the networks run our own loops, on vectors
   of the baseline. With the argument "team" or "contexts" there is a race on purpose, and the program fails if
   ThreadSanitizer does not report it. */
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/small_networks.h"
#include "train/planted_race.h"

enum { MEMBERS = 2, SAMPLES = 32, BATCH = 16, ROUNDS = 2, MOST_ROUNDS = 20, SKIPPED = 77 };

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

static void fail(const char *format, ...)
{
    va_list arguments;
    fputs("contexts_stress: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(1);
}

static void require(const thaw_context *context, thaw_status status, const char *what)
{
    if (status != THAW_OK)
        fail("%s: %s", what, context ? thaw_context_message(context) : thaw_status_name(status));
}

/* ---------------------------------------------------------------- networks */

#define TRY(call)                         \
    do {                                  \
        const thaw_status tried = (call); \
        if (tried != THAW_OK)             \
            return tried;                 \
    } while (0)

/* Winograd's convolutions and gradients, outer products, and, frozen, the product by rows. */
static thaw_status wide(thaw_model *model, thaw_node x)
{
    const thaw_conv2d_options conv = { .name = "first", .filters = 32, .kernel = { 3, 3 }, .same = true };
    const thaw_conv2d_options second = { .filters = 32, .kernel = { 3, 3 }, .same = true };
    TRY(thaw_conv2d(model, x, &conv, &x));
    if (race_wanted != NO_RACE)
        TRY(thaw_model_append(model, &race_layer, NULL, &x, 1, NULL, &x));
    TRY(thaw_relu(model, x, NULL, &x));
    TRY(thaw_conv2d(model, x, &second, &x));
    TRY(thaw_group_norm(model, x, &(thaw_group_norm_options){ .groups = 4 }, &x));
    TRY(thaw_relu(model, x, NULL, &x));
    TRY(thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.25 }, &x));
    TRY(thaw_global_average_pool2d(model, x, NULL, &x));
    TRY(thaw_dense(model, x, &(thaw_dense_options){ .units = 48 }, &x));
    TRY(thaw_dense(model, x, &(thaw_dense_options){ .units = SMALL_NETWORK_CLASSES }, &x));
    return thaw_softmax_cross_entropy(model, x, NULL, &x);
}

/* A team shares the product of each step, and frozen weights are multiplied by rows. */
static thaw_status long_memory(thaw_model *model, thaw_node x)
{
    TRY(thaw_dense(model, x, &(thaw_dense_options){ .name = "first", .units = 128 }, &x));
    TRY(thaw_lstm(model, x, &(thaw_recurrent_options){ .units = 64 }, &x));
    TRY(thaw_gru(model, x, &(thaw_recurrent_options){ .units = 64, .last_only = true, .bidirectional = true }, &x));
    TRY(thaw_dense(model, x, &(thaw_dense_options){ .units = SMALL_NETWORK_CLASSES }, &x));
    return thaw_softmax_cross_entropy(model, x, NULL, &x);
}

static const small_network large[] = {
    { "wide", { .rank = 3, .dims = { 10, 12, 32 } }, wide },
    { "long_memory", { .rank = 2, .dims = { 3, 64 } }, long_memory },
};
static const char *const small[] = { "dense", "convolutional", "residual", "recurrent", "decoder", "adapted" };

enum { NETWORKS = THAW_COUNT(large) + THAW_COUNT(small), MOST_VALUES = SAMPLES * 10 * 12 * 32 };

static const small_network *network_at(size_t index)
{
    return index < THAW_COUNT(large) ? &large[index] : small_network_find(small[index - THAW_COUNT(large)]);
}

/* ---------------------------------------------------------------- runs */

/* What one of the two threads has. */
typedef struct member {
    char folder[64]; /* of checkpoints */
    thaw_context *context;
    thaw_dataset *data;
    double sums[NETWORKS]; /* of the outputs in the end */
    bool ran_ours[2];      /* the kernels of `ours` */
} member;

static const char *const ours[] = { "winograd 2x2", "row product" };

static float values[MOST_VALUES];
static int32_t labels[SAMPLES];

static void note_kernels(member *m, thaw_model *model, bool inference)
{
    const thaw_plan *plan;
    require(m->context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH, .inference = inference }, &plan),
            "plan");
    for (size_t i = 0; i < thaw_plan_entry_count(plan); i++) {
        thaw_plan_entry row;
        require(m->context, thaw_plan_entry_at(plan, i, &row), "entry");
        for (size_t k = 0; k < THAW_COUNT(ours); k++)
            m->ran_ours[k] = m->ran_ours[k] || strstr(row.kernel, ours[k]);
    }
}

/* All layers train, in shards, then the rest, from the feature cache. Another thread writes checkpoints of one network:
   to ThreadSanitizer, files that are closed and opened bring the contexts' threads in an order, which hides races. */
static void train(member *m, thaw_model *model, bool checkpoints)
{
    thaw_fit_options options = {
        .epochs = 2,
        .batch = BATCH,
        .shards = 2,
        .clip_norm = 1,
        .test = m->data,
        .cache_bytes = 1 << 24,
        .time_phases = true,
    };
    if (checkpoints)
        options.checkpoint = (thaw_checkpoint_options){ .folder = m->folder, .every_steps = 1, .keep = 1 };
    require(m->context, thaw_fit(model, m->data, &options, NULL), "all layers");
    require(m->context, thaw_model_freeze(model, "first"), "freezing");
    options.shards = 0;
    options.checkpoint = (thaw_checkpoint_options){ 0 };
    require(m->context, thaw_fit(model, m->data, &options, NULL), "the rest");
}

static void remove_folder(const char *folder)
{
    char line[128];
    snprintf(line, sizeof line, "rm -rf '%s'", folder);
    if (system(line) != 0)
        fail("cannot remove %s", folder);
}

static double sum_of(const float *outputs)
{
    double sum = 0;
    for (size_t i = 0; i < (size_t)BATCH * SMALL_NETWORK_CLASSES; i++)
        sum += (double)(i + 1) * (double)outputs[i];
    return sum;
}

static void run_network(member *m, size_t index)
{
    const small_network *network = network_at(index);
    thaw_shape shape = { .rank = network->sample.rank + 1, .dims = { SAMPLES } };
    memcpy(shape.dims + 1, network->sample.dims, (size_t)network->sample.rank * sizeof *shape.dims);
    const thaw_tensor inputs = { THAW_F32, shape, values };
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ SAMPLES });
    require(m->context, thaw_dataset_from_arrays(m->context, &inputs, &targets, SMALL_NETWORK_CLASSES, &m->data),
            "data");
    thaw_model *model;
    require(m->context, thaw_model_create(m->context, &model), "model");
    require(m->context, small_network_build(network, model), network->name);
    train(m, model, index == 0 && race_wanted == NO_RACE);
    note_kernels(m, model, false);
    note_kernels(m, model, true);

    float outputs[BATCH * SMALL_NETWORK_CLASSES];
    shape.dims[0] = BATCH;
    const thaw_tensor batch = { THAW_F32, shape, values };
    const thaw_tensor results = thaw_view_f32(outputs, 2, (const int64_t[]){ BATCH, SMALL_NETWORK_CLASSES });
    require(m->context, thaw_model_freeze(model, "*"), "freezing all");
    require(m->context, thaw_predict(model, &batch, &results), "predictions");
    m->sums[index] = sum_of(outputs);
    thaw_model_destroy(model);
    thaw_dataset_destroy(m->data);
}

static void *run_member(void *argument)
{
    member *m = argument;
    snprintf(m->folder, sizeof m->folder, "/tmp/contexts_stress.XXXXXX");
    if (!mkdtemp(m->folder))
        fail("no folder");
    const thaw_context_options options = { .threads = RACE_TEAM, .max_cpu = THAW_CPU_BASELINE };
    require(NULL, thaw_context_create(&options, &m->context), "context");
    for (size_t i = 0; i < NETWORKS * (size_t)(race_wanted == NO_RACE ? ROUNDS : MOST_ROUNDS); i++) {
        run_network(m, i % NETWORKS);
        if (i % NETWORKS == 0)
            remove_folder(m->folder);
    }
    thaw_context_destroy(m->context);
    return NULL;
}

static race race_named(const char *name)
{
    if (strcmp(name, "team") != 0 && strcmp(name, "contexts") != 0)
        fail("%s: must be team or contexts", name);
    return name[0] == 't' ? RACE_IN_TEAM : RACE_OF_CONTEXTS;
}

static bool useful(void)
{
#ifdef SANITIZED
#ifdef __clang__
    return true;
#else
    return false;
#endif
#else
    return race_wanted == NO_RACE;
#endif
}

int main(int count, char **arguments)
{
    static member members[MEMBERS];
    pthread_t threads[MEMBERS];
    race_wanted = count > 1 ? race_named(arguments[1]) : NO_RACE;
    if (!useful())
        return SKIPPED;
    for (size_t i = 0; i < MOST_VALUES; i++)
        values[i] = (float)(i * 7919 % 1009) / 1009 - 0.5F;
    for (int32_t i = 0; i < SAMPLES; i++)
        labels[i] = i % SMALL_NETWORK_CLASSES;
    const size_t started = race_wanted == RACE_IN_TEAM ? 1 : MEMBERS;
    for (size_t i = 0; i < started; i++)
        if (pthread_create(&threads[i], NULL, run_member, &members[i]) != 0)
            fail("no thread");
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    if (race_wanted != NO_RACE)
        fail("the race was not reported");
    for (size_t i = 0; i < NETWORKS; i++)
        if (members[0].sums[i] != members[1].sums[i])
            fail("%s: %.17g and %.17g", network_at(i)->name, members[0].sums[i], members[1].sums[i]);
    for (size_t k = 0; k < THAW_COUNT(ours); k++)
        if (!members[0].ran_ours[k])
            fail("nothing ran %s", ours[k]);
    return 0;
}
