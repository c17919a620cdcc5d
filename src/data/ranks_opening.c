/* Opening data sets on several ranks: rank 0 does it first, and tells the others what is in folders of images. */
#include <stdio.h>
#include <thaw/runtime.h>

#include "core/allocation.h"
#include "core/context.h"
#include "data/folder_lists.h"
#include "distributed/exchange.h"

typedef struct opening {
    thaw_context *context;
    const thaw_communicator *communicator;
    thaw_open_function *open;
    void *user;
} opening;

/* What rank 0 says before its lists. */
typedef struct report {
    int32_t status;
    uint64_t bytes; /* of the lists */
    char message[THAW_REASON_BYTES];
} report;

static thaw_status open_with(const opening *now, thaw_folder_lists *lists)
{
    now->context->folder_lists = lists;
    const thaw_status status = now->open(now->user);
    now->context->folder_lists = NULL;
    return status;
}

static thaw_status send_to_all(const opening *now, const void *bytes, size_t count, thaw_message *messages)
{
    for (int rank = 1; rank < now->communicator->ranks; rank++)
        messages[rank - 1] = (thaw_message){ .rank = rank, .send = bytes, .send_bytes = count };
    return thaw_exchange(now->context, now->communicator, messages, (size_t)now->communicator->ranks - 1);
}

static thaw_status receive(const opening *now, void *bytes, size_t count)
{
    const thaw_message message = { .receive = bytes, .receive_bytes = count };
    return thaw_exchange(now->context, now->communicator, &message, 1);
}

/* ---- rank 0 ---- */

/* Says how opening went, in which the context's message is. */
static thaw_status tell(const opening *now, thaw_status status, const thaw_folder_lists *lists, thaw_message *messages)
{
    report own = { .status = (int32_t)status, .bytes = status == THAW_OK ? lists->count : 0 };
    if (status != THAW_OK)
        snprintf(own.message, sizeof own.message, "%s", thaw_context_message(now->context));
    thaw_status told = send_to_all(now, &own, sizeof own, messages);
    if (told == THAW_OK && own.bytes > 0)
        told = send_to_all(now, lists->bytes, lists->count, messages);
    return status == THAW_OK ? told : thaw_fail(now->context, status, "%s", own.message);
}

static thaw_status open_first(const opening *now)
{
    thaw_folder_lists lists = { .context = now->context };
    thaw_message *messages = thaw_allocate_array(now->context, (size_t)now->communicator->ranks, sizeof *messages);
    thaw_status status = THAW_OUT_OF_MEMORY;
    if (messages)
        status = tell(now, open_with(now, &lists), &lists, messages);
    else
        thaw_give_up(now->communicator, thaw_context_message(now->context));
    thaw_release(now->context, messages);
    thaw_folder_lists_release(&lists);
    return status;
}

/* ---- the others ---- */

static thaw_status open_told(const opening *now)
{
    thaw_folder_lists lists = { .context = now->context, .told = true };
    report first;
    thaw_status status = receive(now, &first, sizeof first);
    if (status != THAW_OK)
        return status;
    first.message[sizeof first.message - 1] = '\0';
    if (first.status != THAW_OK)
        return thaw_fail(now->context, (thaw_status)first.status, "rank 0: %s", first.message);
    if (first.bytes > 0) {
        lists.bytes = thaw_allocate_raw(now->context, first.bytes);
        lists.count = lists.capacity = first.bytes;
        status = lists.bytes ? receive(now, lists.bytes, lists.count) : THAW_OUT_OF_MEMORY;
    }
    if (status == THAW_OK)
        status = open_with(now, &lists);
    else if (!lists.bytes)
        thaw_give_up(now->communicator, thaw_context_message(now->context));
    thaw_folder_lists_release(&lists);
    return status;
}

thaw_status thaw_ranks_open_data(thaw_context *context, const thaw_communicator *communicator, thaw_open_function *open,
                                 void *user)
{
    const opening now = { context, communicator, open, user };
    const thaw_status status = communicator ? thaw_communicator_check(context, communicator) : THAW_OK;
    if (status != THAW_OK)
        return status;
    if (!communicator || communicator->ranks == 1)
        return open(user);
    return communicator->rank == 0 ? open_first(&now) : open_told(&now);
}
