#include <thaw/schedule.h>

#include <math.h>

static const double pi = 3.14159265358979323846;

/* Half a cosine from `start` to `end`, as `share` goes from 0 to 1. */
static double anneal(double start, double end, double share)
{
    return end + (start - end) / 2 * (1 + cos(pi * share));
}

static double one_cycle(const thaw_schedule *schedule, double step, double steps)
{
    const double rising = schedule->rising != 0 ? schedule->rising : 0.3;
    const double start = 1 / (schedule->start_divisor != 0 ? schedule->start_divisor : 25);
    const double end = start / (schedule->end_divisor != 0 ? schedule->end_divisor : 1e4);
    const double top = rising * steps - 1, last = steps - 1;
    if (step <= top)
        return anneal(start, 1, top > 0 ? step / top : 1);
    return anneal(1, end, last > top ? fmin((step - top) / (last - top), 1) : 1);
}

double thaw_schedule_factor(const thaw_schedule *schedule, uint64_t step, uint64_t epoch_steps, uint64_t steps)
{
    const double warmup = floor(schedule->warmup_epochs * (double)epoch_steps + 0.5);
    const double now = (double)step - warmup, all = (double)steps - warmup;
    if (now < 0)
        return ((double)step + 1) / (warmup + 1);
    switch (schedule->kind) {
    case THAW_SCHEDULE_CONSTANT:
        break;
    case THAW_SCHEDULE_STEP: {
        const double every = schedule->every > 0 ? schedule->every : 1;
        const double epoch = floor(now / (double)(epoch_steps ? epoch_steps : 1));
        return pow(schedule->gamma != 0 ? schedule->gamma : 0.1, floor(epoch / every));
    }
    case THAW_SCHEDULE_COSINE:
        return anneal(1, schedule->floor, all > 0 ? fmin(now / all, 1) : 1);
    case THAW_SCHEDULE_ONE_CYCLE:
        return one_cycle(schedule, now, all);
    }
    return 1;
}
