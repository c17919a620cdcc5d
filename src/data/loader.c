#include "data/loader.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "data/dataset.h"
#include "data/shuffle.h"

/* One batch with the caller, one ready, one being read. Without a thread, only the first is needed. */
enum { SLOTS = 3 };

typedef struct slot {
    size_t begin, count; /* the part of the epoch's order that it holds */
    bool failed;
    float *samples;
    char *targets;
} slot;

struct thaw_loader {
    thaw_context *context;
    thaw_dataset *dataset;
    thaw_loader_options options;
    size_t steps;
    size_t *order;
    slot slots[SLOTS];
    size_t slot_count;
    char message[THAW_SOURCE_MESSAGE_BYTES + 64]; /* of the slot that failed */

    pthread_t thread;
    pthread_mutex_t lock; /* guards the fields below */
    pthread_cond_t to_reader, to_caller;
    uint64_t epoch;
    size_t filled;   /* batches of this epoch that have been read */
    size_t released; /* batches that the caller no longer uses */
    size_t taken;    /* batches that the caller received; at most one more than `released` */
    bool ordered;    /* the order of the epoch is ready */
    bool broken;     /* the source failed: nothing more is read in this epoch */
    bool busy;       /* the reader works without holding the lock */
    bool stop;
};

/* ---------------------------------------------------------------- the reader's thread */

/* Finds the sample at which the source fails, by reading them one by one. */
static void explain(thaw_loader *loader, uint64_t epoch, const slot *into, const char *reason)
{
    char again[THAW_SOURCE_MESSAGE_BYTES];
    const size_t *indices = loader->order + into->begin;
    for (size_t i = 0; i < into->count; i++) {
        if (thaw_dataset_fetch(loader->dataset, epoch, indices + i, 1, into->samples, into->targets, again,
                               sizeof again))
            continue;
        snprintf(loader->message, sizeof loader->message, "data set: sample %zu: %s", indices[i],
                 again[0] ? again : "the source gave no reason");
        return;
    }
    snprintf(loader->message, sizeof loader->message, "data set: the batch that begins with sample %zu: %s", indices[0],
             reason[0] ? reason : "the source gave no reason");
}

static void read_slot(thaw_loader *loader, uint64_t epoch, slot *into, size_t step)
{
    const size_t count = loader->dataset->source.count, batch = loader->options.batch;
    char reason[THAW_SOURCE_MESSAGE_BYTES];
    into->begin = step * batch;
    into->count = count - into->begin < batch ? count - into->begin : batch;
    into->failed = !thaw_dataset_fetch(loader->dataset, epoch, loader->order + into->begin, into->count, into->samples,
                                       into->targets, reason, sizeof reason);
    if (into->failed)
        explain(loader, epoch, into, reason);
}

static void begin_epoch(thaw_loader *loader, uint64_t epoch)
{
    const size_t count = loader->dataset->source.count;
    if (loader->options.shuffle)
        thaw_shuffle(loader->context, loader->options.seed, epoch, loader->order, count);
    else
        for (size_t i = 0; i < count; i++)
            loader->order[i] = i;
}

static bool has_work(const thaw_loader *loader)
{
    return loader->filled < loader->steps && loader->filled - loader->released < SLOTS && !loader->broken;
}

static void *run_reader(void *argument)
{
    thaw_loader *loader = argument;
    pthread_mutex_lock(&loader->lock);
    while (!loader->stop) {
        if (!has_work(loader)) {
            pthread_cond_wait(&loader->to_reader, &loader->lock);
            continue;
        }
        slot *into = &loader->slots[loader->filled % SLOTS];
        const size_t step = loader->filled;
        const uint64_t epoch = loader->epoch;
        const bool ordered = loader->ordered;
        loader->busy = true;
        pthread_mutex_unlock(&loader->lock);
        if (!ordered)
            begin_epoch(loader, epoch);
        read_slot(loader, epoch, into, step);
        pthread_mutex_lock(&loader->lock);
        loader->busy = false;
        loader->ordered = true;
        loader->broken = into->failed;
        loader->filled++;
        pthread_cond_signal(&loader->to_caller);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* ---------------------------------------------------------------- life */

static thaw_status allocate(thaw_loader *loader)
{
    thaw_dataset *dataset = loader->dataset;
    const size_t batch = loader->options.batch;
    size_t sample_bytes, target_bytes;
    if (!thaw_multiply_sizes(batch, dataset->sample_elements, &sample_bytes) ||
        !thaw_multiply_sizes(sample_bytes, sizeof(float), &sample_bytes) ||
        !thaw_multiply_sizes(batch, dataset->target_bytes, &target_bytes))
        return thaw_fail(loader->context, THAW_OUT_OF_MEMORY, "batches of %zu samples overflow a size", batch);
    loader->order = thaw_allocate_array(loader->context, dataset->source.count, sizeof *loader->order);
    if (!loader->order)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < loader->slot_count; i++) {
        loader->slots[i].samples = thaw_allocate_raw(loader->context, sample_bytes);
        loader->slots[i].targets = thaw_allocate_raw(loader->context, target_bytes);
        if (!loader->slots[i].samples || !loader->slots[i].targets)
            return THAW_OUT_OF_MEMORY;
    }
    return THAW_OK;
}

static void release(thaw_loader *loader)
{
    for (size_t i = 0; i < SLOTS; i++) {
        thaw_release(loader->context, loader->slots[i].samples);
        thaw_release(loader->context, loader->slots[i].targets);
    }
    thaw_release(loader->context, loader->order);
    thaw_release(loader->context, loader);
}

/* Starts the thread with all signals blocked: signals are the host's, for its own threads to handle. */
static thaw_status start(thaw_loader *loader)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->to_reader, NULL);
    pthread_cond_init(&loader->to_caller, NULL);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&loader->thread, NULL, run_reader, loader);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0)
        return THAW_OK;
    pthread_mutex_destroy(&loader->lock);
    pthread_cond_destroy(&loader->to_reader);
    pthread_cond_destroy(&loader->to_caller);
    return thaw_fail(loader->context, THAW_OUT_OF_MEMORY, "cannot start a thread to read data: %s", strerror(error));
}

thaw_status thaw_loader_create(thaw_context *context, thaw_dataset *dataset, const thaw_loader_options *options,
                               thaw_loader **loader)
{
    *loader = NULL;
    const size_t count = dataset->source.count;
    if (options->batch == 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "batch is 0, must be at least 1");
    if (options->drop_last && options->batch > count)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "no batch is left: %zu samples do not fill a batch of %zu, and the last, smaller one is "
                         "dropped",
                         count, options->batch);
    thaw_loader *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->context = context;
    made->dataset = dataset;
    made->options = *options;
    if (made->options.batch > count)
        made->options.batch = count;
    made->steps = count / made->options.batch;
    if (!options->drop_last && count % made->options.batch)
        made->steps++;
    made->filled = made->released = made->taken = made->steps;
    made->slot_count = options->on_caller ? 1 : SLOTS;
    thaw_status status = allocate(made);
    if (status == THAW_OK && !options->on_caller)
        status = start(made);
    if (status == THAW_OK)
        *loader = made;
    else
        release(made);
    return status;
}

static void stop(thaw_loader *loader)
{
    pthread_mutex_lock(&loader->lock);
    loader->stop = true;
    pthread_cond_signal(&loader->to_reader);
    pthread_mutex_unlock(&loader->lock);
    pthread_join(loader->thread, NULL);
    pthread_mutex_destroy(&loader->lock);
    pthread_cond_destroy(&loader->to_reader);
    pthread_cond_destroy(&loader->to_caller);
}

void thaw_loader_destroy(thaw_loader *loader)
{
    if (!loader)
        return;
    if (!loader->options.on_caller)
        stop(loader);
    release(loader);
}

/* ---------------------------------------------------------------- the caller's side */

void thaw_loader_start_epoch(thaw_loader *loader, uint64_t epoch)
{
    if (loader->options.on_caller) {
        begin_epoch(loader, epoch);
        loader->epoch = epoch;
        loader->taken = 0;
        loader->broken = false;
        return;
    }
    pthread_mutex_lock(&loader->lock);
    loader->released = loader->filled = loader->steps; /* no work: the reader stops after the current batch */
    while (loader->busy)
        pthread_cond_wait(&loader->to_caller, &loader->lock);
    loader->epoch = epoch;
    loader->filled = loader->released = loader->taken = 0;
    loader->ordered = loader->broken = false;
    pthread_cond_signal(&loader->to_reader);
    pthread_mutex_unlock(&loader->lock);
}

static void hand_over(const thaw_loader *loader, const slot *from, thaw_batch *batch)
{
    *batch = (thaw_batch){
        .count = from->count,
        .indices = loader->order + from->begin,
        .samples = from->samples,
        .targets = from->targets,
    };
}

/* Announces the batch after the next read, if the source wants to know. */
static void announce(const thaw_loader *loader)
{
    const thaw_dataset *dataset = loader->dataset;
    const size_t begin = (loader->taken + 1) * loader->options.batch, count = dataset->source.count;
    if (!dataset->expect || loader->taken + 1 >= loader->steps)
        return;
    const size_t left = count - begin;
    dataset->expect(dataset->source.user, loader->order + begin,
                    left < loader->options.batch ? left : loader->options.batch);
}

static thaw_status read_next(thaw_loader *loader, thaw_batch *batch)
{
    if (loader->taken >= loader->steps)
        return THAW_OK;
    slot *next = &loader->slots[0];
    if (!loader->broken) {
        announce(loader);
        read_slot(loader, loader->epoch, next, loader->taken);
        loader->broken = next->failed;
    }
    if (loader->broken)
        return thaw_fail(loader->context, THAW_IO_ERROR, "%s", loader->message);
    hand_over(loader, next, batch);
    loader->taken++;
    return THAW_OK;
}

static thaw_status wait_for_next(thaw_loader *loader, thaw_batch *batch)
{
    thaw_status status = THAW_OK;
    pthread_mutex_lock(&loader->lock);
    if (loader->taken > loader->released) {
        loader->released = loader->taken;
        pthread_cond_signal(&loader->to_reader);
    }
    if (loader->taken < loader->steps) {
        while (loader->filled == loader->taken)
            pthread_cond_wait(&loader->to_caller, &loader->lock);
        const slot *next = &loader->slots[loader->taken % SLOTS];
        if (next->failed) {
            status = thaw_fail(loader->context, THAW_IO_ERROR, "%s", loader->message);
        } else {
            hand_over(loader, next, batch);
            loader->taken++;
        }
    }
    pthread_mutex_unlock(&loader->lock);
    return status;
}

thaw_status thaw_loader_next(thaw_loader *loader, thaw_batch *batch)
{
    *batch = (thaw_batch){ 0 };
    const thaw_status status = loader->options.on_caller ? read_next(loader, batch) : wait_for_next(loader, batch);
    thaw_dataset_log_findings(loader->dataset);
    return status;
}

size_t thaw_loader_steps(const thaw_loader *loader)
{
    return loader->steps;
}
