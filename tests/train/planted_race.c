#include "train/planted_race.h"

#include <sched.h>
#include <unistd.h>

#include "core/threads.h"

race race_wanted;

/* What the threads write at the same time. */
static float planted[RACE_TEAM];

#ifdef SANITIZED
extern int __tsan_get_report_mop(void *report, size_t index, int *thread, void **address, int *bytes, int *write,
                                 int *atomic, void **trace, size_t trace_count);

/* Called before ThreadSanitizer prints a report. */
void __tsan_on_report(void *report);
void __tsan_on_report(void *report)
{
    int thread, bytes, write, atomic;
    void *address, *trace[1];
    if (race_wanted == NO_RACE ||
        !__tsan_get_report_mop(report, 0, &thread, &address, &bytes, &write, &atomic, trace, 1))
        return;
    const uintptr_t at = (uintptr_t)address, first = (uintptr_t)planted;
    _exit(at >= first && at < first + sizeof planted ? 0 : 1);
}
#endif

static thaw_status build_racing(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_output(builder, thaw_builder_input(builder, 0));
}

static thaw_status prepare_racing(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_status status = thaw_context_threads(demand->context) == RACE_TEAM ? THAW_OK : THAW_INTERNAL;
    needs->in_place = true;
    needs->gradient_in_place = true;
    needs->kernel = "racing";
    return status;
}

static void write_planted(void *argument, int thread, int threads)
{
    (void)argument, (void)threads;
    for (int i = 0; i < 100; i++) {
        planted[race_wanted == RACE_IN_TEAM ? 0 : thread] = (float)i;
        sched_yield();
    }
}

static thaw_status race_in_step(const thaw_layer_run *run)
{
    thaw_parallel(run->context, write_planted, NULL);
    return THAW_OK;
}

const thaw_layer_module race_layer = {
    THAW_LAYER_MODULE_HEAD,    .name = "racing",        .build = build_racing,
    .prepare = prepare_racing, .forward = race_in_step, .backward = race_in_step,
};
