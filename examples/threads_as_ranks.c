/* Threads of one process as ranks: a communicator (thaw/distributed.h) in 100 lines, without MPI or sockets. Each
   thread has a context, a model and a data set of its own, and trains on its share of every batch. The program trains
   with 1, 2 and 4 ranks, and the weights are the same to the bit.

   cc -std=c11 -O2 threads_as_ranks.c -o threads_as_ranks $(pkg-config --cflags --libs thaw) -lpthread -lm */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

enum { MOST_RANKS = 4, SHARDS = 4, SAMPLES = 200, FEATURES = 16, CLASSES = 3, BATCH = 32 };

/* ---- the communicator ---- */

/* What a rank has started to send: its messages, of which others take those for them, in order. */
typedef struct post {
    const thaw_message *messages;
    size_t count, taken; /* `taken`: of those that have bytes to send */
    size_t exchange;     /* its number, from 1 */
} post;

typedef struct ranks {
    int count;
    size_t started[MOST_RANKS];                  /* exchanges of each rank */
    post posts[MOST_RANKS][THAW_MOST_EXCHANGES]; /* those under way, by number */
    char reason[THAW_REASON_BYTES];              /* why a rank has failed; "": none has */
    pthread_mutex_t lock;
    pthread_cond_t changed;
} ranks;

typedef struct rank {
    ranks *all;
    int number;
} rank;

static size_t count_sent(const thaw_message *messages, size_t count)
{
    size_t sent = 0;
    for (size_t i = 0; i < count; i++)
        sent += messages[i].send_bytes > 0;
    return sent;
}

static bool start(void *user, const thaw_message *messages, size_t count, void **request, char *reason)
{
    const rank *own = user;
    (void)reason;
    pthread_mutex_lock(&own->all->lock);
    const size_t exchange = ++own->all->started[own->number];
    post *made = &own->all->posts[own->number][exchange % THAW_MOST_EXCHANGES];
    *made = (post){ messages, count, 0, exchange };
    *request = made;
    pthread_cond_broadcast(&own->all->changed);
    pthread_mutex_unlock(&own->all->lock);
    return true;
}

/* Copies what `from` sends to this rank. Messages between two ranks are in one order on both sides. */
static void receive(post *from, int number, const post *into, int sender)
{
    size_t at = 0;
    for (size_t i = 0; i < into->count; i++) {
        const thaw_message *wanted = &into->messages[i];
        if (wanted->rank != sender || wanted->receive_bytes == 0)
            continue;
        while (from->messages[at].rank != number || from->messages[at].send_bytes == 0)
            at++;
        memcpy(wanted->receive, from->messages[at++].send, wanted->receive_bytes);
        from->taken++;
    }
}

static bool receives_from(const post *into, int sender)
{
    for (size_t i = 0; i < into->count; i++)
        if (into->messages[i].rank == sender && into->messages[i].receive_bytes > 0)
            return true;
    return false;
}

/* While another thread copies from its messages, a rank waits: all of them hold the lock in turn. */
static bool wait_for_all(void *user, void *request, char *reason)
{
    const rank *own = user;
    ranks *all = own->all;
    post *made = request;
    pthread_mutex_lock(&all->lock);
    for (int sender = 0; sender < all->count && !all->reason[0]; sender++) {
        if (!receives_from(made, sender))
            continue;
        while (all->started[sender] < made->exchange && !all->reason[0])
            pthread_cond_wait(&all->changed, &all->lock);
        if (!all->reason[0])
            receive(&all->posts[sender][made->exchange % THAW_MOST_EXCHANGES], own->number, made, sender);
    }
    pthread_cond_broadcast(&all->changed);
    while (made->taken < count_sent(made->messages, made->count) && !all->reason[0])
        pthread_cond_wait(&all->changed, &all->lock);
    snprintf(reason, THAW_REASON_BYTES, "%s", all->reason);
    pthread_mutex_unlock(&all->lock);
    return !reason[0];
}

static void give_up(void *user, const char *reason)
{
    const rank *own = user;
    pthread_mutex_lock(&own->all->lock);
    if (!own->all->reason[0])
        snprintf(own->all->reason, sizeof own->all->reason, "rank %d: %.200s", own->number, reason);
    pthread_cond_broadcast(&own->all->changed);
    pthread_mutex_unlock(&own->all->lock);
}

/* ---- what each rank does ---- */

typedef struct run {
    rank own;
    float *weights; /* what it ends with */
    size_t count;
    thaw_status status;
    char message[THAW_REASON_BYTES];
} run;

/* The same on each rank. */
static void make_samples(float *values, int32_t *labels)
{
    uint32_t random = 1;
    for (size_t i = 0; i < SAMPLES * FEATURES; i++) {
        random = random * 1664525U + 1013904223U;
        values[i] = (float)(random >> 8) * 0x1p-23F - 1;
    }
    for (size_t n = 0; n < SAMPLES; n++)
        labels[n] = (int32_t)(fabsf(values[n * FEATURES] + values[n * FEATURES + 1]) * 1.5F) % CLASSES;
}

static thaw_status build(thaw_context *context, thaw_model **model)
{
    thaw_optimizer *adam = NULL;
    thaw_node x;
    thaw_status status = thaw_model_create(context, model);
    if (status == THAW_OK)
        status = thaw_input(*model, &(thaw_shape){ 1, { FEATURES } }, &x);
    if (status == THAW_OK)
        status = thaw_dense(*model, x, &(thaw_dense_options){ .units = 24 }, &x);
    if (status == THAW_OK)
        status = thaw_batch_norm(*model, x, NULL, &x);
    if (status == THAW_OK)
        status = thaw_relu(*model, x, NULL, &x);
    if (status == THAW_OK)
        status = thaw_dropout(*model, x, &(thaw_dropout_options){ .rate = 0.2 }, &x);
    if (status == THAW_OK)
        status = thaw_dense(*model, x, &(thaw_dense_options){ .units = CLASSES }, &x);
    if (status == THAW_OK)
        status = thaw_softmax_cross_entropy(*model, x, NULL, &x);
    if (status == THAW_OK)
        status = thaw_optimizer_create(context, "adam:lr=0.01", &adam);
    if (status == THAW_OK)
        status = thaw_select_optimizer(*model, "*", adam);
    thaw_optimizer_destroy(adam);
    return status;
}

static thaw_status train(run *taken, thaw_context *context, thaw_model **model, thaw_dataset **data)
{
    static float values[MOST_RANKS][SAMPLES * FEATURES];
    static int32_t labels[MOST_RANKS][SAMPLES];
    const int number = taken->own.number;
    const thaw_communicator communicator = { THAW_COMMUNICATOR_HEAD, .rank = number, .ranks = taken->own.all->count,
                                             .user = &taken->own,    .start = start, .wait = wait_for_all,
                                             .abort = give_up };
    make_samples(values[number], labels[number]);
    const thaw_tensor inputs = thaw_view_f32(values[number], 2, (int64_t[]){ SAMPLES, FEATURES });
    const thaw_tensor targets = thaw_view_i32(labels[number], 1, (int64_t[]){ SAMPLES });
    thaw_epoch_result last;
    thaw_status status = build(context, model);
    if (status == THAW_OK)
        status = thaw_dataset_from_arrays(context, &inputs, &targets, CLASSES, data);
    const thaw_fit_options options = {
        .epochs = 5, .batch = BATCH, .shards = SHARDS, .clip_norm = 1, .communicator = &communicator
    };
    if (status == THAW_OK)
        status = thaw_fit(*model, *data, &options, &last);
    if (status == THAW_OK && number == 0)
        printf("%d ranks: loss %.6f, accuracy %.1f %%\n", taken->own.all->count, last.loss, 100 * last.accuracy);
    for (size_t i = 0; status == THAW_OK && i < thaw_model_parameter_count(*model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(*model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        float *grown = realloc(taken->weights, (taken->count + count) * sizeof *grown);
        if (!grown)
            return THAW_OUT_OF_MEMORY;
        taken->weights = grown;
        memcpy(grown + taken->count, thaw_parameter_data(parameter), count * sizeof *grown);
        taken->count += count;
    }
    return status;
}

static void *run_rank(void *argument)
{
    run *taken = argument;
    thaw_context *context = NULL;
    thaw_model *model = NULL;
    thaw_dataset *data = NULL;
    taken->status = thaw_context_create(&(thaw_context_options){ .threads = 1, .seed = 7 }, &context);
    if (taken->status == THAW_OK)
        taken->status = train(taken, context, &model, &data);
    if (taken->status != THAW_OK) {
        snprintf(taken->message, sizeof taken->message, "%s", context ? thaw_context_message(context) : "no context");
        give_up(&taken->own, taken->message);
    }
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return NULL;
}

/* Trains with so many ranks. All must end with the same weights; those of rank 0 are the caller's. */
static bool run_ranks(int count, run *first)
{
    ranks all = { .count = count, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
    run runs[MOST_RANKS] = { 0 };
    pthread_t threads[MOST_RANKS];
    bool same = true;
    for (int i = 0; i < count; i++) {
        runs[i].own = (rank){ &all, i };
        if (pthread_create(&threads[i], NULL, run_rank, &runs[i]) != 0)
            abort();
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < count; i++) {
        if (runs[i].status != THAW_OK)
            fprintf(stderr, "rank %d of %d: %s\n", i, count, runs[i].message);
        same = same && runs[i].status == THAW_OK && runs[i].count == runs[0].count &&
               memcmp(runs[i].weights, runs[0].weights, runs[0].count * sizeof(float)) == 0;
        if (i > 0)
            free(runs[i].weights);
    }
    *first = runs[0];
    return same;
}

int main(void)
{
    static const int counts[] = { 1, 2, 4 };
    run runs[THAW_COUNT(counts)] = { 0 };
    bool same = true;
    for (size_t i = 0; i < THAW_COUNT(counts); i++) {
        same = run_ranks(counts[i], &runs[i]) && same;
        same = same && runs[i].count == runs[0].count &&
               memcmp(runs[i].weights, runs[0].weights, runs[0].count * sizeof(float)) == 0;
    }
    for (size_t i = 0; i < THAW_COUNT(counts); i++)
        free(runs[i].weights);
    puts(same ? "all weights are the same to the bit" : "weights differ");
    return same ? EXIT_SUCCESS : EXIT_FAILURE;
}
