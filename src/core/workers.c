#include "core/workers.h"

#include <pthread.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/own_thread.h"

typedef struct worker {
    thaw_workers *team;
    size_t number;
    pthread_t thread;
} worker;

struct thaw_workers {
    thaw_context *context;
    worker *workers; /* [0] is the caller */
    size_t worker_count;

    pthread_mutex_t lock; /* guards the fields below */
    pthread_cond_t to_workers, to_caller;
    void (*body)(void *argument, size_t worker, size_t item);
    void *argument;
    size_t next, count; /* the next item, and the number of items */
    size_t unfinished;  /* items not done yet */
    bool stop;
};

/* Takes items until none is left. The lock is held on entry and on return. */
static void work(thaw_workers *team, size_t number)
{
    while (team->next < team->count) {
        const size_t item = team->next++;
        pthread_mutex_unlock(&team->lock);
        team->body(team->argument, number, item);
        pthread_mutex_lock(&team->lock);
        if (--team->unfinished == 0)
            pthread_cond_signal(&team->to_caller);
    }
}

static void *run_worker(void *argument)
{
    const worker *self = argument;
    thaw_workers *team = self->team;
    pthread_mutex_lock(&team->lock);
    while (!team->stop) {
        work(team, self->number);
        if (!team->stop)
            pthread_cond_wait(&team->to_workers, &team->lock);
    }
    pthread_mutex_unlock(&team->lock);
    return NULL;
}

void thaw_workers_run(thaw_workers *team, size_t count, void (*body)(void *argument, size_t worker, size_t item),
                      void *argument)
{
    pthread_mutex_lock(&team->lock);
    team->body = body;
    team->argument = argument;
    team->next = 0;
    team->count = team->unfinished = count;
    if (count > 1)
        pthread_cond_broadcast(&team->to_workers);
    work(team, 0);
    while (team->unfinished > 0)
        pthread_cond_wait(&team->to_caller, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

static int start(thaw_workers *team, size_t threads)
{
    int error = 0;
    for (size_t i = 1; i < threads && error == 0; i++) {
        team->workers[i] = (worker){ .team = team, .number = i };
        error = thaw_own_thread_create(&team->workers[i].thread, run_worker, &team->workers[i]);
        team->worker_count += error == 0;
    }
    return error;
}

thaw_status thaw_workers_create(thaw_context *context, int threads, thaw_workers **team)
{
    *team = NULL;
    thaw_workers *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->context = context;
    made->worker_count = 1;
    pthread_mutex_init(&made->lock, NULL);
    pthread_cond_init(&made->to_workers, NULL);
    pthread_cond_init(&made->to_caller, NULL);
    made->workers = thaw_allocate_array(context, (size_t)threads, sizeof *made->workers);
    const int error = made->workers ? start(made, (size_t)threads) : 0;
    if (made->workers && error == 0) {
        *team = made;
        return THAW_OK;
    }
    thaw_workers_destroy(made);
    return error ? thaw_fail(context, THAW_OUT_OF_MEMORY, "cannot start a thread: %s", strerror(error))
                 : THAW_OUT_OF_MEMORY;
}

void thaw_workers_destroy(thaw_workers *team)
{
    if (!team)
        return;
    pthread_mutex_lock(&team->lock);
    team->stop = true;
    pthread_cond_broadcast(&team->to_workers);
    pthread_mutex_unlock(&team->lock);
    for (size_t i = 1; i < team->worker_count; i++)
        pthread_join(team->workers[i].thread, NULL);
    pthread_mutex_destroy(&team->lock);
    pthread_cond_destroy(&team->to_workers);
    pthread_cond_destroy(&team->to_caller);
    thaw_release(team->context, team->workers);
    thaw_release(team->context, team);
}
