#include "core/threads.h"

#include <omp.h>

#include "core/context.h"

/* Regions inside an active region are never active here, even if the host allows it: oneDNN runs serially in one.
   Inside a league of teams (omp teams thread_limit), the limit may be lower than when the context was made. */
static int team_size(const thaw_context *context)
{
    const bool alone = omp_in_parallel() || omp_get_active_level() >= omp_get_max_active_levels();
    const int limit = omp_get_thread_limit();
    return alone ? 1 : context->most_threads < limit ? context->most_threads : limit;
}

thaw_thread_scope thaw_threads_enter(thaw_context *context)
{
    const thaw_thread_scope scope = {
        .context = context,
        .threads = context->threads,
        .host_threads = omp_get_max_threads(),
        .host_dynamic = omp_get_dynamic(),
    };
    context->threads = team_size(context);
    omp_set_num_threads(context->threads);
    omp_set_dynamic(0);
    return scope;
}

void thaw_threads_leave(thaw_thread_scope scope)
{
    scope.context->threads = scope.threads;
    omp_set_num_threads(scope.host_threads);
    omp_set_dynamic(scope.host_dynamic);
}

int thaw_threads_available(void)
{
    return omp_get_num_procs();
}

bool thaw_threads_bound(void)
{
    return omp_get_proc_bind() != omp_proc_bind_false;
}

typedef struct team {
    void (*body)(void *argument, int thread, int threads);
    void *argument;
} team;

static void run_member(void *argument)
{
    const team *members = argument;
    members->body(members->argument, omp_get_thread_num(), omp_get_num_threads());
}

#ifdef __clang__
/* oneDNN loads libgomp. With clang's pragmas a second runtime would be loaded, and the threads of the two would
   compete. libgomp's entry point for a parallel region, which libomp also has, avoids the second runtime. */
extern void GOMP_parallel(void (*body)(void *), void *argument, unsigned threads, unsigned flags);
extern void GOMP_barrier(void);

static void run_team(team *members, int threads)
{
    GOMP_parallel(run_member, members, (unsigned)threads, 0);
}

static void wait_for_team(void)
{
    GOMP_barrier();
}
#else
static void run_team(team *members, int threads)
{
#pragma omp parallel num_threads(threads)
    run_member(members);
}

static void wait_for_team(void)
{
#pragma omp barrier
}
#endif

void thaw_parallel(thaw_context *context, void (*body)(void *argument, int thread, int threads), void *argument)
{
    if (context->threads == 1 || omp_in_parallel()) {
        body(argument, 0, 1);
        return;
    }
    run_team(&(team){ .body = body, .argument = argument }, context->threads);
}

/* A thread that runs alone may belong to a team of the host, whose barriers are not ours. */
void thaw_barrier(int threads)
{
    if (threads > 1)
        wait_for_team();
}

typedef struct loop {
    size_t count, grain;
    void (*body)(void *argument, size_t begin, size_t end);
    void *argument;
} loop;

static void run_share(void *argument, int thread, int threads)
{
    const loop *whole = argument;
    const size_t grains = (whole->count + whole->grain - 1) / whole->grain;
    const size_t team_size = (size_t)threads, member = (size_t)thread;
    const size_t begin = grains * member / team_size * whole->grain;
    const size_t past = grains * (member + 1) / team_size * whole->grain;
    const size_t end = past < whole->count ? past : whole->count;
    if (begin < end)
        whole->body(whole->argument, begin, end);
}

void thaw_parallel_for(thaw_context *context, size_t count, size_t grain,
                       void (*body)(void *argument, size_t begin, size_t end), void *argument)
{
    if (count == 0)
        return;
    const size_t step = grain ? grain : 1;
    loop whole = { .count = count, .grain = step, .body = body, .argument = argument };
    if (count / step < (size_t)context->threads)
        body(argument, 0, count);
    else
        thaw_parallel(context, run_share, &whole);
}
