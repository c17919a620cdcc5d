/* Threads as ranks, for tests. Messages are copied when they are sent, unlike in examples/threads_as_ranks.c, so that
   sending never waits. */
#ifndef THAW_TESTS_SUPPORT_RANKS_H
#define THAW_TESTS_SUPPORT_RANKS_H

#include "support/support.h"

enum { MOST_RANKS = 12 };

/* What a rank does, on a thread of its own. */
typedef void rank_body(void *argument, const thaw_communicator *communicator);

/* Runs so many ranks to their ends. */
void run_ranks(int ranks, rank_body *body, void *argument);

#endif
