#include "distributed/exchange.h"

#include <string.h>
#include <thaw/runtime.h>

thaw_status thaw_communicator_check(thaw_context *context, const thaw_communicator *communicator)
{
    if (communicator->size != sizeof *communicator || communicator->abi != THAW_COMMUNICATOR_ABI)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "the communicator has %zu bytes and abi %#x, must have %zu and %#x: it was made for another "
                         "version of Thaw",
                         communicator->size, (unsigned)communicator->abi, sizeof *communicator,
                         (unsigned)THAW_COMMUNICATOR_ABI);
    if (communicator->ranks < 1 || communicator->rank < 0 || communicator->rank >= communicator->ranks)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "rank is %d of %d, must be from 0 to their number less one",
                         communicator->rank, communicator->ranks);
    if (!communicator->start || !communicator->wait)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the communicator must have `start` and `wait`");
    return THAW_OK;
}

static thaw_status fail(thaw_context *context, const thaw_communicator *communicator, const char *reason)
{
    return thaw_fail(context, THAW_IO_ERROR, "rank %d of %d cannot reach the others: %s", communicator->rank,
                     communicator->ranks, reason[0] ? reason : "no reason was given");
}

thaw_status thaw_exchange_start(thaw_context *context, const thaw_communicator *communicator,
                                const thaw_message *messages, size_t count, thaw_request *request)
{
    char reason[THAW_REASON_BYTES] = "";
    request->started = communicator->start(communicator->user, messages, count, &request->of, reason);
    return request->started ? THAW_OK : fail(context, communicator, reason);
}

thaw_status thaw_exchange_wait(thaw_context *context, const thaw_communicator *communicator, thaw_request *request)
{
    char reason[THAW_REASON_BYTES] = "";
    request->started = false;
    return communicator->wait(communicator->user, request->of, reason) ? THAW_OK : fail(context, communicator, reason);
}

void thaw_exchange_end(const thaw_communicator *communicator, thaw_request *request)
{
    char reason[THAW_REASON_BYTES];
    if (request->started)
        communicator->wait(communicator->user, request->of, reason);
    request->started = false;
}

thaw_status thaw_exchange(thaw_context *context, const thaw_communicator *communicator, const thaw_message *messages,
                          size_t count)
{
    thaw_request request;
    const thaw_status status = thaw_exchange_start(context, communicator, messages, count, &request);
    return status == THAW_OK ? thaw_exchange_wait(context, communicator, &request) : status;
}

thaw_status thaw_share(thaw_context *context, const thaw_communicator *communicator, void *all, size_t bytes,
                       thaw_message *messages)
{
    size_t count = 0;
    char *pieces = all;
    for (int rank = 0; rank < communicator->ranks; rank++)
        if (rank != communicator->rank)
            messages[count++] = (thaw_message){ .rank = rank,
                                                .send = pieces + (size_t)communicator->rank * bytes,
                                                .send_bytes = bytes,
                                                .receive = pieces + (size_t)rank * bytes,
                                                .receive_bytes = bytes };
    return thaw_exchange(context, communicator, messages, count);
}

thaw_status thaw_gather(thaw_context *context, const thaw_communicator *communicator, const void *own, size_t bytes,
                        void **all)
{
    const size_t ranks = (size_t)communicator->ranks;
    char *pieces = thaw_allocate_array(context, ranks, bytes);
    thaw_message *messages = thaw_allocate_array(context, ranks, sizeof *messages);
    thaw_status status = pieces && messages ? THAW_OK : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK) {
        memcpy(pieces + (size_t)communicator->rank * bytes, own, bytes);
        status = thaw_share(context, communicator, pieces, bytes, messages);
    }
    thaw_release(context, messages);
    if (status != THAW_OK) {
        thaw_release(context, pieces);
        pieces = NULL;
    }
    *all = pieces;
    return status;
}

void thaw_give_up(const thaw_communicator *communicator, const char *reason)
{
    if (communicator && communicator->abort)
        communicator->abort(communicator->user, reason);
}
