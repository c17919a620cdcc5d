/* Times steps of training on several ranks, for network.py, which starts it with mpirun. Prints one line of JSON.

   usage: network-steps NETWORK all|head BATCH STEPS overlap|wait [THAW_AT]

   BATCH is of each rank. With `wait`, an exchange starts only when Thaw waits for it: then nothing travels while
   backward computes. With THAW_AT, all layers train from that step on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/mpi.h>
#include <thaw/thaw.h>
#include <time.h>

enum { MOST_STEPS = 1000, WARM = 2 };

/* ---- a communicator that puts off starting ---- */

typedef struct late_exchange {
    const thaw_message *messages;
    size_t count;
    void *request; /* once it has started */
    bool used, started;
} late_exchange;

typedef struct late {
    const thaw_communicator *inner;
    late_exchange exchanges[THAW_MOST_EXCHANGES]; /* by number */
    size_t next;
} late;

static bool start_late(void *user, const thaw_message *messages, size_t count, void **request, char *reason)
{
    late *own = user;
    (void)reason;
    late_exchange *made = &own->exchanges[own->next++ % THAW_MOST_EXCHANGES];
    *made = (late_exchange){ .messages = messages, .count = count, .used = true };
    *request = made;
    return true;
}

/* Starts all up to this one, in their order. */
static bool wait_late(void *user, void *request, char *reason)
{
    late *own = user;
    late_exchange *wanted = request;
    for (size_t i = 0; i < THAW_MOST_EXCHANGES; i++) {
        late_exchange *one = &own->exchanges[(own->next + i) % THAW_MOST_EXCHANGES];
        if (one->used && !one->started &&
            !own->inner->start(own->inner->user, one->messages, one->count, &one->request, reason))
            return false;
        one->started = one->used;
        if (one == wanted)
            break;
    }
    wanted->used = false;
    return own->inner->wait(own->inner->user, wanted->request, reason);
}

/* ---- steps ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The median of the last `count` times. */
static double median(const double *times, size_t count)
{
    double sorted[MOST_STEPS];
    memcpy(sorted, times, count * sizeof *times);
    qsort(sorted, count, sizeof *sorted, compare);
    return count ? sorted[count / 2] : 0;
}

static thaw_status build(thaw_model *model, const char *network, bool head)
{
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_zoo_build(model, network, 0);
    if (status == THAW_OK)
        status = thaw_optimizer_create(thaw_model_context(model), "sgd:lr=0.01,momentum=0.9", &optimizer);
    if (status == THAW_OK)
        status = thaw_select_optimizer(model, "*", optimizer);
    thaw_optimizer_destroy(optimizer);
    if (status == THAW_OK && head)
        status = thaw_model_freeze_before(model,
                                          thaw_group_name(thaw_model_group(model, thaw_model_group_count(model) - 1)));
    return status;
}

/* Of what trains. */
static size_t count_gradient_bytes(thaw_model *model)
{
    size_t bytes = 0;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        if (thaw_parameter_trainable(parameter))
            bytes += thaw_shape_count(thaw_parameter_shape(parameter)) * sizeof(float);
    }
    return bytes;
}

typedef struct run {
    const char *network;
    bool head;
    int64_t batch;
    size_t steps, thaw_at;
    double times[MOST_STEPS];
    size_t bytes[2]; /* of gradients, before and after layers thaw */
} run;

static thaw_status take_steps(run *taken, thaw_model *model, const thaw_communicator *communicator)
{
    const thaw_shape *sample = thaw_model_node_shape(model, 0);
    const size_t count = (size_t)taken->batch * thaw_shape_count(sample);
    float *values = malloc(count * sizeof *values);
    int32_t *labels = calloc((size_t)taken->batch, sizeof *labels);
    thaw_status status = values && labels ? THAW_OK : THAW_OUT_OF_MEMORY;
    for (size_t i = 0; status == THAW_OK && i < count; i++)
        values[i] = (float)((i * 2654435761U + (size_t)communicator->rank * 40503U) % 1000) / 500 - 1;
    int64_t dims[THAW_MAX_RANK] = { taken->batch };
    memcpy(dims + 1, sample->dims, (size_t)sample->rank * sizeof *dims);
    const thaw_tensor inputs = thaw_view_f32(values, sample->rank + 1, dims);
    const thaw_tensor targets = thaw_view_i32(labels, 1, &taken->batch);
    for (size_t step = 0; step < taken->steps && status == THAW_OK; step++) {
        if (step == taken->thaw_at && step > 0)
            status = thaw_model_unfreeze(model, "*");
        taken->bytes[step >= taken->thaw_at] = count_gradient_bytes(model);
        const double begin = now();
        if (status == THAW_OK)
            status = thaw_step(model, &inputs, &targets, &(thaw_step_options){ .communicator = communicator }, NULL);
        taken->times[step] = now() - begin;
    }
    free(values);
    free(labels);
    return status;
}

static thaw_status train(run *taken, thaw_context *context, const thaw_communicator *communicator)
{
    thaw_model *model;
    thaw_status status = thaw_model_create(context, &model);
    if (status == THAW_OK)
        status = build(model, taken->network, taken->head);
    if (status == THAW_OK)
        status = thaw_ranks_agree(model, NULL, communicator);
    if (status == THAW_OK)
        status = take_steps(taken, model, communicator);
    thaw_model_destroy(model);
    return status;
}

static int misuse(void)
{
    fprintf(stderr, "usage: network-steps NETWORK all|head BATCH STEPS overlap|wait [THAW_AT]\n");
    return 2;
}

int main(int count, char **words)
{
    if (count < 6 || atoi(words[3]) < 1 || atoi(words[4]) <= WARM || atoi(words[4]) > MOST_STEPS)
        return misuse();
    static run taken;
    taken.network = words[1];
    taken.head = strcmp(words[2], "head") == 0;
    taken.batch = atoi(words[3]);
    taken.steps = (size_t)atoi(words[4]);
    taken.thaw_at = count > 6 ? (size_t)atoi(words[6]) : taken.steps;
    const bool overlaps = strcmp(words[5], "overlap") == 0;
    thaw_mpi_connection connection = { THAW_MPI_HEAD };
    char reason[THAW_REASON_BYTES] = "";
    if (!thaw_mpi_connect(120, &connection, reason)) {
        fprintf(stderr, "network-steps: %s\n", reason);
        return 1;
    }
    late putting_off = { .inner = &connection.communicator };
    thaw_communicator waiting = connection.communicator;
    waiting.user = &putting_off;
    waiting.start = start_late;
    waiting.wait = wait_late;
    waiting.abort = NULL;
    waiting.progress = NULL;
    thaw_context *context;
    thaw_status status = thaw_context_create(&(thaw_context_options){ .threads = 1, .seed = 1 }, &context);
    if (status == THAW_OK)
        status = train(&taken, context, overlaps ? &connection.communicator : &waiting);
    if (status != THAW_OK)
        fprintf(stderr, "network-steps: rank %d: %s\n", connection.communicator.rank, thaw_context_message(context));
    else if (connection.communicator.rank == 0)
        printf("{\"seconds\": %.6f, \"seconds_after\": %.6f, \"bytes\": %zu, \"bytes_after\": %zu}\n",
               median(taken.times + WARM, taken.thaw_at > WARM ? taken.thaw_at - WARM : 0),
               median(taken.times + taken.thaw_at + WARM,
                      taken.steps > taken.thaw_at + WARM ? taken.steps - taken.thaw_at - WARM : 0),
               taken.bytes[0], taken.bytes[1]);
    thaw_context_destroy(context);
    connection.close(connection.communicator.user, status == THAW_OK ? 0 : 1);
    return status == THAW_OK ? 0 : 1;
}
