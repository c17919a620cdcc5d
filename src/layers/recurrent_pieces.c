/* How a recurrent layer divides its memory and its work: regions of a buffer, and pieces of a step. */
#include "core/context.h"
#include "core/threads.h"
#include "layers/recurrent.h"

size_t thaw_recurrent_reserve(size_t *memory, size_t bytes)
{
    const size_t begin = *memory;
    *memory = thaw_align(begin + bytes);
    return begin;
}

void thaw_recurrent_share(const thaw_recurrent *r, int thread, int threads, thaw_recurrent_piece *work,
                          const void *argument, size_t step)
{
    const size_t members = (size_t)threads, member = (size_t)thread;
    const size_t wanted = (members + r->blocks - 1) / r->blocks, most = (r->batch + 7) / 8;
    const size_t groups = wanted < most ? wanted : most, pieces = r->blocks * groups;
    for (size_t piece = pieces * member / members; piece < pieces * (member + 1) / members; piece++) {
        const size_t group = piece % groups;
        work(argument, step, piece / groups, r->batch * group / groups, r->batch * (group + 1) / groups);
    }
}

void thaw_recurrent_run(const thaw_recurrent *r, thaw_context *context,
                        void (*body)(void *argument, int thread, int threads), void *argument)
{
    if (r->alone)
        body(argument, 0, 1);
    else
        thaw_parallel(context, body, argument);
}
