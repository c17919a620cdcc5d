/* Runs with a policy that are cut within epochs and between them, and go on from a checkpoint with the same bits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/steered.h"
#include "support/files.h"

static char folder[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(folder);
    support_path(path, folder, "run.safetensors");
}

static void end(void)
{
    support_remove_directory(folder);
}

TestSuite(policy_continuing, .init = begin, .fini = end);

static void take(steered *run, thaw_trainer *trainer, size_t steps)
{
    for (size_t i = 0; i < steps && !thaw_trainer_done(trainer); i++)
        assert_ok(run->context, thaw_trainer_step(trainer, NULL));
}

/* The weights and actions of a run that is cut after so many steps (0: never). */
static float *weights_of(const char *policy, size_t cut, size_t *count, char log[1024])
{
    steered run;
    thaw_trainer *trainer;
    *log = '\0';
    for (int part = cut ? 0 : 1; part < 2; part++) {
        steered_open(&run, policy);
        assert_ok(run.context, thaw_trainer_create(run.model, run.data, &run.options, &trainer));
        if (part == 0) {
            take(&run, trainer, cut);
            assert_ok(run.context, thaw_trainer_save(trainer, path));
        } else {
            if (cut)
                assert_ok(run.context, thaw_trainer_load(trainer, path));
            take(&run, trainer, SIZE_MAX);
        }
        for (size_t i = 0; i < run.count; i++)
            snprintf(log + strlen(log), 1024 - strlen(log), "%zu:%d%zu-%zu ", run.told[i].step, (int)run.told[i].act,
                     run.told[i].first, run.told[i].last);
        if (part == 1)
            *count = 0;
        float *weights = part ? support_weights(run.model, count) : NULL;
        thaw_trainer_destroy(trainer);
        steered_close(&run);
        if (part)
            return weights;
    }
    return NULL;
}

static void assert_continues(const char *policy)
{
    size_t count, again;
    char log[1024], log_again[1024];
    float *whole = weights_of(policy, 0, &count, log);
    cr_assert(*log, "%s does nothing", policy);
    static const size_t cuts[] = { 1, 4, 9, 14 };
    for (size_t i = 0; i < THAW_COUNT(cuts); i++) {
        const size_t cut = cuts[i];
        float *parts = weights_of(policy, cut, &again, log_again);
        cr_assert_eq(count, again);
        cr_assert_str_eq(log, log_again, "%s, cut after step %zu: %s, expected %s", policy, cut, log_again, log);
        cr_assert_eq(memcmp(parts, whole, count * sizeof *whole), 0, "%s, cut after step %zu", policy, cut);
        free(parts);
    }
    free(whole);
}

Test(policy_continuing, auto_continues)
{
    assert_continues("auto:exchange=0.6,moving=100");
    assert_continues("auto:exchange=100,moving=100,tolerance=0");
}

Test(policy_continuing, autofreeze_continues)
{
    assert_continues("autofreeze:percentile=60");
    assert_continues("autofreeze:percentile=60,every=4");
}

Test(policy_continuing, blockwise_policies_continue)
{
    assert_continues("badam:every=2");
    assert_continues("badam:every=2,keep_state=1,head=0");
    assert_continues("lisa:every=2,blocks=1,stem=0");
    assert_continues("random");
}

/* A checkpoint of another policy, or of none. */
Test(policy_continuing, another_policy_is_refused)
{
    steered run;
    thaw_trainer *trainer;
    steered_open(&run, "badam:every=2");
    assert_ok(run.context, thaw_trainer_create(run.model, run.data, &run.options, &trainer));
    take(&run, trainer, 4);
    assert_ok(run.context, thaw_trainer_save(trainer, path));
    thaw_trainer_destroy(trainer);
    steered_close(&run);
    static const char *const others[] = { "badam:every=3", "auto", NULL };
    for (size_t i = 0; i < THAW_COUNT(others); i++) {
        steered_open(&run, others[i] ? others[i] : "auto");
        run.options.policy = others[i] ? run.policy : NULL;
        assert_ok(run.context, thaw_trainer_create(run.model, run.data, &run.options, &trainer));
        cr_assert_eq(thaw_trainer_load(trainer, path), THAW_INVALID_ARGUMENT);
        cr_assert_not_null(strstr(thaw_context_message(run.context), "is of another run: policy: badam:every=2"), "%s",
                           thaw_context_message(run.context));
        take(&run, trainer, SIZE_MAX);
        thaw_trainer_destroy(trainer);
        steered_close(&run);
    }
}
