#include <math.h>
#include <stdio.h>

#include "support/files.h"
#include "support/support.h"

enum { EPOCH_STEPS = 4, STEPS = 20 };

static thaw_schedule parse(thaw_context *context, const char *text)
{
    thaw_schedule schedule;
    assert_ok(context, thaw_schedule_parse(context, text, &schedule));
    return schedule;
}

Test(schedule, follows_pytorch)
{
    thaw_context *context = support_context(1);
    char path[SUPPORT_PATH_BYTES], name[80];
    FILE *golden = fopen(support_golden(path, "schedules.txt"), "r");
    cr_assert_not_null(golden);
    size_t rows = 0;
    for (; fscanf(golden, "%79s", name) == 1; rows++) {
        const thaw_schedule schedule = parse(context, name);
        for (uint64_t step = 0; step < STEPS; step++) {
            double expected;
            cr_assert_eq(fscanf(golden, "%lf", &expected), 1);
            const double found = thaw_schedule_factor(&schedule, step, EPOCH_STEPS, STEPS);
            cr_assert(fabs(found - expected) < 1e-12, "%s at step %d: %.17g, PyTorch has %.17g", name, (int)step, found,
                      expected);
        }
    }
    cr_assert_eq(rows, 4);
    fclose(golden);
    thaw_context_destroy(context);
}

Test(schedule, is_constant_by_default)
{
    const thaw_schedule schedule = { 0 };
    for (uint64_t step = 0; step < STEPS; step++)
        cr_assert_eq(thaw_schedule_factor(&schedule, step, EPOCH_STEPS, STEPS), 1);
}

Test(schedule, warms_up_in_a_line_and_then_begins)
{
    thaw_context *context = support_context(1);
    const thaw_schedule schedule = parse(context, "cosine:warmup_epochs=1");
    const thaw_schedule cosine = parse(context, "cosine");
    for (uint64_t step = 0; step < EPOCH_STEPS; step++)
        cr_assert_float_eq(thaw_schedule_factor(&schedule, step, EPOCH_STEPS, STEPS), (double)(step + 1) / 5, 1e-15);
    for (uint64_t step = EPOCH_STEPS; step < STEPS; step++)
        cr_assert_float_eq(thaw_schedule_factor(&schedule, step, EPOCH_STEPS, STEPS),
                           thaw_schedule_factor(&cosine, step - EPOCH_STEPS, EPOCH_STEPS, STEPS - EPOCH_STEPS), 1e-15);
    thaw_context_destroy(context);
}

Test(schedule, is_finite_at_the_edges)
{
    thaw_context *context = support_context(1);
    static const char *const texts[] = {
        "constant", "step", "cosine", "one-cycle", "one-cycle:rising=1", "cosine:warmup_epochs=100"
    };
    for (size_t i = 0; i < THAW_COUNT(texts); i++) {
        const thaw_schedule schedule = parse(context, texts[i]);
        for (uint64_t steps = 0; steps < 4; steps++)
            for (uint64_t step = 0; step < 6; step++) {
                const double factor = thaw_schedule_factor(&schedule, step, 1, steps);
                cr_assert(isfinite(factor) && factor >= 0 && factor <= 1 + 1e-12, "%s: %g at step %d of %d", texts[i],
                          factor, (int)step, (int)steps);
            }
    }
    thaw_context_destroy(context);
}

Test(schedule, refuses_what_it_does_not_know)
{
    static const struct {
        const char *text;
        thaw_status status;
        const char *message;
    } cases[] = {
        { "", THAW_NOT_FOUND, "one-cycle" },
        { "linear", THAW_NOT_FOUND, "unknown schedule \"linear\"" },
        { "cosin", THAW_NOT_FOUND, "did you mean \"cosine\"?" },
        { "step:gama=0.5", THAW_NOT_FOUND, "did you mean \"gamma\"?" },
        { "step:gama=1", THAW_NOT_FOUND, "gama" },
        { "step:floor=0.1", THAW_NOT_FOUND, "floor" },
        { "step:every=1.5", THAW_INVALID_ARGUMENT, "every" },
        { "step:every", THAW_INVALID_ARGUMENT, "every" },
        { "cosine:floor=2", THAW_INVALID_ARGUMENT, "from 0 to 1" },
        { "cosine:floor=nan", THAW_INVALID_ARGUMENT, "floor" },
        { "cosine:", THAW_NOT_FOUND, "unknown setting of this schedule" },
        { "cosine:floor=0.1,", THAW_NOT_FOUND, "unknown setting of this schedule" },
        { "constant:warmup_epochs=-1", THAW_INVALID_ARGUMENT, "warmup_epochs" },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_schedule schedule = { .kind = THAW_SCHEDULE_COSINE };
        assert_fails(context, thaw_schedule_parse(context, cases[i].text, &schedule), cases[i].status,
                     cases[i].message);
        cr_assert_eq(schedule.kind, THAW_SCHEDULE_COSINE);
    }
    thaw_context_destroy(context);
}
