/* Exchanges with other ranks. */
#ifndef THAW_DISTRIBUTED_EXCHANGE_H
#define THAW_DISTRIBUTED_EXCHANGE_H

#include <thaw/distributed.h>

/* Whether a communicator can be used. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_communicator_check(thaw_context *context, const thaw_communicator *communicator);

/* An exchange that may be under way. */
typedef struct thaw_request {
    void *of; /* the communicator's */
    bool started;
} thaw_request;

/* Starts to exchange messages, which stay as they are until it has ended. Errors: THAW_IO_ERROR. */
thaw_status thaw_exchange_start(thaw_context *context, const thaw_communicator *communicator,
                                const thaw_message *messages, size_t count, thaw_request *request);

/* Waits until all has been sent and received. Errors: THAW_IO_ERROR. */
thaw_status thaw_exchange_wait(thaw_context *context, const thaw_communicator *communicator, thaw_request *request);

/* Waits for the end of an exchange, if it is under way, after another one has failed. */
void thaw_exchange_end(const thaw_communicator *communicator, thaw_request *request);

/* Starts to exchange messages and waits. Errors: THAW_IO_ERROR. */
thaw_status thaw_exchange(thaw_context *context, const thaw_communicator *communicator, const thaw_message *messages,
                          size_t count);

/* `all` has a piece of so many bytes for each rank, by rank: sends this rank's to all others and receives theirs. Room
   for a message for each rank is in `messages`. Errors: THAW_IO_ERROR. */
thaw_status thaw_share(thaw_context *context, const thaw_communicator *communicator, void *all, size_t bytes,
                       thaw_message *messages);

/* Sends a piece of so many bytes to all other ranks and receives theirs: `*all`, which the caller releases, holds one
   of each rank, by rank; NULL after an error. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_gather(thaw_context *context, const thaw_communicator *communicator, const void *own, size_t bytes,
                        void **all);

/* Tells the others that this rank has failed. NULL is allowed. */
void thaw_give_up(const thaw_communicator *communicator, const char *reason);

#endif
