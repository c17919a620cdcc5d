#include "core/context.h"

#include <omp.h>
#include <thaw/runtime.h>

#include "core/cpu.h"
#include "core/system_memory.h"

enum { MOST_THREADS = 1024 };

/* At most what OpenMP may start: oneDNN's kernels wait for every thread that was announced. */
static int usable_threads(int wanted)
{
    const int limit = omp_get_thread_limit();
    return wanted < limit ? wanted : limit;
}

/* A limit of V4 excludes the level above it. A library built for one level has no other: HIGHEST says that the CPU
   or the limit is below it. */
static thaw_cpu_level usable_level(thaw_cpu_level most)
{
    const thaw_cpu_level machine = thaw_cpu_detect();
    const thaw_cpu_level usable = most == THAW_CPU_HIGHEST || machine < most ? machine : most;
#ifdef THAW_ONLY_LEVEL
    return usable < THAW_ONLY_LEVEL ? THAW_CPU_HIGHEST : THAW_ONLY_LEVEL;
#else
    return usable;
#endif
}

thaw_status thaw_context_create(const thaw_context_options *options, thaw_context **context)
{
    const thaw_context_options settings = options ? *options : (thaw_context_options){ 0 };
    *context = NULL;
    thaw_allocator allocator = settings.allocator;
    if (!allocator.allocate != !allocator.release || settings.threads < 0 || settings.threads > MOST_THREADS ||
        (unsigned)settings.max_cpu > THAW_CPU_V4)
        return THAW_INVALID_ARGUMENT;
    const thaw_cpu_level level = usable_level(settings.max_cpu);
    if (level == THAW_CPU_HIGHEST)
        return THAW_UNSUPPORTED;
    if (!allocator.allocate)
        allocator = thaw_system_memory;

    thaw_context *made = allocator.allocate(allocator.user, sizeof *made, 64);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    const int threads = usable_threads(settings.threads ? settings.threads : omp_get_max_threads());
    *made = (thaw_context){
        .allocator = allocator,
        .log = settings.log,
        .log_user = settings.log_user,
        .most_threads = threads,
        .threads = threads,
        .level = level,
        .seed = settings.seed,
    };
    *context = made;
    return THAW_OK;
}

void thaw_context_destroy(thaw_context *context)
{
    if (!context)
        return;
    if (context->release_dnn)
        context->release_dnn(context);
    context->allocator.release(context->allocator.user, context, sizeof *context);
}

int thaw_context_threads(const thaw_context *context)
{
    return context->most_threads;
}

thaw_cpu_level thaw_context_cpu_level(const thaw_context *context)
{
    return context->level;
}

uint64_t thaw_context_seed(const thaw_context *context)
{
    return context->seed;
}

void thaw_text_destroy(thaw_context *context, char *text)
{
    thaw_release(context, text);
}
