#include "train/checkpoint_writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "core/allocation.h"
#include "core/context.h"
#include "graph/model.h"
#include "train/checkpoint_folder.h"

struct thaw_checkpoint_writer {
    thaw_context *context; /* of the thread: the trainer's has one message for one thread */
    thaw_context *memory;  /* the trainer's, for what the trainer's thread allocates */
    const char *folder;
    size_t keep;
    thaw_snapshot snapshot;
    uint64_t steps; /* of the snapshot */
    char *path, *written;

    pthread_t thread;
    bool started; /* and not joined */
    atomic_bool done;
    thaw_status status; /* of the last file, until it is told */
};

thaw_status thaw_checkpoint_writer_create(thaw_context *context, const char *folder, size_t keep,
                                          thaw_checkpoint_writer **writer)
{
    *writer = NULL;
    thaw_checkpoint_writer *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_checkpoint_writer){ .memory = context, .folder = folder, .keep = keep };
    const thaw_context_options options = { .threads = 1, .allocator = context->allocator };
    const thaw_status status = thaw_context_create(&options, &made->context);
    if (status != THAW_OK) {
        thaw_release(context, made);
        return thaw_fail(context, status, "no memory to write checkpoints");
    }
    *writer = made;
    return THAW_OK;
}

void thaw_checkpoint_writer_destroy(thaw_checkpoint_writer *writer)
{
    if (!writer)
        return;
    if (writer->started)
        pthread_join(writer->thread, NULL);
    thaw_context *memory = writer->memory;
    thaw_snapshot_release(&writer->snapshot, memory);
    thaw_release(memory, writer->path);
    thaw_release(memory, writer->written);
    thaw_context_destroy(writer->context);
    thaw_release(memory, writer);
}

bool thaw_checkpoint_writer_busy(const thaw_checkpoint_writer *writer)
{
    return writer->started && !atomic_load(&writer->done);
}

static void *run(void *argument)
{
    thaw_checkpoint_writer *writer = argument;
    writer->status = thaw_snapshot_write(&writer->snapshot, writer->context, writer->path);
    if (writer->status == THAW_OK)
        thaw_checkpoint_folder_thin(writer->context, writer->folder, writer->steps, writer->keep);
    atomic_store(&writer->done, true);
    return NULL;
}

thaw_status thaw_checkpoint_writer_wait(thaw_checkpoint_writer *writer, thaw_context *context)
{
    if (writer->started) {
        pthread_join(writer->thread, NULL);
        writer->started = false;
    }
    const thaw_status status = writer->status;
    if (writer->path && status == THAW_OK) {
        thaw_release(writer->memory, writer->written);
        writer->written = writer->path;
    } else {
        thaw_release(writer->memory, writer->path);
    }
    writer->path = NULL;
    writer->status = THAW_OK;
    return status == THAW_OK ? THAW_OK : thaw_fail(context, status, "%s", thaw_context_message(writer->context));
}

/* With all signals blocked: they are the host's. Without a thread, the caller writes. */
static void start(thaw_checkpoint_writer *writer)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_store(&writer->done, false);
    writer->started = pthread_create(&writer->thread, NULL, run, writer) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!writer->started)
        run(writer);
}

thaw_status thaw_checkpoint_writer_start(thaw_checkpoint_writer *writer, thaw_trainer *trainer)
{
    writer->steps = trainer->position.all_steps;
    thaw_status status = thaw_checkpoint_folder_path(writer->memory, writer->folder, writer->steps, &writer->path);
    if (status == THAW_OK)
        status = thaw_snapshot_take(&writer->snapshot, trainer);
    if (status == THAW_OK) {
        start(writer);
        return THAW_OK;
    }
    thaw_release(writer->memory, writer->path);
    writer->path = NULL;
    return status;
}

const char *thaw_checkpoint_writer_path(const thaw_checkpoint_writer *writer)
{
    return writer->written;
}
