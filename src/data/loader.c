#include "data/loader.h"

#include <pthread.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/own_thread.h"
#include "data/batch_reader.h"

struct thaw_loader {
    thaw_context *context;
    thaw_batch_reader reader;
    bool on_caller; /* there is no thread, and no lock */
    size_t steps;   /* of an epoch */
    size_t views;   /* of the epochs to come; 0: any */

    pthread_t thread;
    pthread_mutex_t lock; /* guards the fields below */
    pthread_cond_t to_reader, to_caller;
    thaw_batch_epoch epoch;
    size_t past;     /* the batches of this epoch that are wanted end here */
    size_t filled;   /* batches of this epoch that have been read */
    size_t released; /* batches that the caller no longer uses */
    size_t taken;    /* batches that the caller received; at most one more than `released` */
    bool ordered;    /* the order of the epoch is ready */
    bool broken;     /* the source failed: nothing more is read in this epoch */
    bool busy;       /* the reader works without holding the lock */
    bool stop;
};

/* ---------------------------------------------------------------- the reader's thread */

static bool has_work(const thaw_loader *loader)
{
    return loader->filled < loader->past && loader->filled - loader->released < THAW_BATCH_SLOTS && !loader->broken;
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
        thaw_batch_slot *into = &loader->reader.slots[loader->filled % THAW_BATCH_SLOTS];
        const size_t step = loader->filled;
        const thaw_batch_epoch epoch = loader->epoch;
        const bool ordered = loader->ordered;
        loader->busy = true;
        pthread_mutex_unlock(&loader->lock);
        if (!ordered)
            thaw_batch_reader_order(&loader->reader, epoch);
        thaw_batch_reader_read(&loader->reader, epoch, step, into);
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

static void release(thaw_loader *loader)
{
    thaw_batch_reader_release(&loader->reader);
    thaw_release(loader->context, loader);
}

static thaw_status start(thaw_loader *loader)
{
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->to_reader, NULL);
    pthread_cond_init(&loader->to_caller, NULL);
    const int error = thaw_own_thread_create(&loader->thread, run_reader, loader);
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
    const size_t batch = options->batch < count ? options->batch : count;
    made->context = context;
    made->on_caller = options->on_caller;
    made->steps = count / batch + (!options->drop_last && count % batch);
    made->filled = made->released = made->taken = made->past = made->steps;
    made->reader =
        (thaw_batch_reader){ .context = context,
                             .dataset = dataset,
                             .batch = batch,
                             .shuffle = options->shuffle,
                             .by_length = options->by_length,
                             .seed = options->seed,
                             .share = options->share.shards > 0 ? options->share : (thaw_shard_range){ 1, 0, 1 } };
    thaw_status status = thaw_batch_reader_allocate(&made->reader, options->on_caller ? 1 : THAW_BATCH_SLOTS);
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
    if (!loader->on_caller)
        stop(loader);
    release(loader);
}

/* ---------------------------------------------------------------- the caller's side */

void thaw_loader_start_epoch(thaw_loader *loader, uint64_t epoch)
{
    thaw_loader_start_epoch_at(loader, epoch, 0);
}

void thaw_loader_start_epoch_at(thaw_loader *loader, uint64_t epoch, size_t step)
{
    thaw_loader_start_epoch_between(loader, epoch, step, loader->steps);
}

void thaw_loader_set_views(thaw_loader *loader, size_t views)
{
    loader->views = views;
}

void thaw_loader_start_epoch_between(thaw_loader *loader, uint64_t number, size_t step, size_t past)
{
    const thaw_batch_epoch epoch = { .number = number, .samples = loader->views ? number % loader->views : number };
    const size_t end = past < loader->steps ? past : loader->steps, first = step < end ? step : end;
    if (loader->on_caller) {
        loader->past = end;
        thaw_batch_reader_order(&loader->reader, epoch);
        loader->epoch = epoch;
        loader->taken = first;
        loader->broken = false;
        return;
    }
    pthread_mutex_lock(&loader->lock);
    loader->released = loader->filled = loader->past; /* no work: the reader stops after the current batch */
    while (loader->busy)
        pthread_cond_wait(&loader->to_caller, &loader->lock);
    loader->epoch = epoch;
    loader->past = end;
    loader->filled = loader->released = loader->taken = first;
    loader->ordered = loader->broken = false;
    pthread_cond_signal(&loader->to_reader);
    pthread_mutex_unlock(&loader->lock);
}

static void hand_over(thaw_loader *loader, const thaw_batch_slot *from, thaw_batch *batch)
{
    *batch = (thaw_batch){
        .count = from->count,
        .first = from->first,
        .all = from->all,
        .indices = from->indices,
        .samples = from->samples,
        .targets = from->targets,
    };
    loader->taken++;
}

/* Announces the batch after the next read, if the source wants to know. */
static void announce(const thaw_loader *loader)
{
    const thaw_dataset *dataset = loader->reader.dataset;
    if (!dataset->expect || loader->taken + 1 >= loader->past)
        return;
    size_t count;
    const size_t *indices = thaw_batch_reader_indices(&loader->reader, loader->taken + 1, &count);
    dataset->expect(dataset->source.user, indices, count);
}

static thaw_status read_next(thaw_loader *loader, thaw_batch *batch)
{
    if (loader->taken >= loader->past)
        return THAW_OK;
    thaw_batch_slot *next = &loader->reader.slots[0];
    if (!loader->broken) {
        announce(loader);
        thaw_batch_reader_read(&loader->reader, loader->epoch, loader->taken, next);
        loader->broken = next->failed;
    }
    if (loader->broken)
        return thaw_fail(loader->context, THAW_IO_ERROR, "%s", loader->reader.message);
    hand_over(loader, next, batch);
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
    if (loader->taken < loader->past) {
        while (loader->filled == loader->taken)
            pthread_cond_wait(&loader->to_caller, &loader->lock);
        const thaw_batch_slot *next = &loader->reader.slots[loader->taken % THAW_BATCH_SLOTS];
        if (next->failed) {
            status = thaw_fail(loader->context, THAW_IO_ERROR, "%s", loader->reader.message);
        } else {
            hand_over(loader, next, batch);
        }
    }
    pthread_mutex_unlock(&loader->lock);
    return status;
}

thaw_status thaw_loader_next(thaw_loader *loader, thaw_batch *batch)
{
    *batch = (thaw_batch){ 0 };
    const thaw_status status = loader->on_caller ? read_next(loader, batch) : wait_for_next(loader, batch);
    thaw_dataset_log_findings(loader->reader.dataset);
    return status;
}

size_t thaw_loader_steps(const thaw_loader *loader)
{
    return loader->steps;
}
