/* Callbacks that change the frozen prefix while an epoch runs. */

#include "support/network.h"

enum { SAMPLES = 45, BATCH = 16 };

typedef struct meddler {
    thaw_model *model;
    int epoch;  /* in which to meddle, after its first step */
    bool thaws; /* conv2; else edits it */
    size_t cached_epochs, later_steps;
} meddler;

static bool meddle(void *user, const thaw_progress *progress)
{
    meddler *self = user;
    self->later_steps += progress->epoch == self->epoch && progress->step > 1;
    if (progress->epoch != self->epoch || progress->step != 1)
        return true;
    if (self->thaws)
        assert_ok(thaw_model_context(self->model), thaw_model_unfreeze(self->model, "conv2"));
    else
        thaw_parameter_edit(thaw_model_find_parameter(self->model, "conv2.bias"))[0] += 1;
    return true;
}

static bool count_cached(void *user, const thaw_epoch_result *epoch_result)
{
    ((meddler *)user)->cached_epochs += epoch_result->cached;
    return true;
}

/* Fits the head of a network with its convolutions frozen. */
static thaw_status fit(thaw_context *context, size_t cache_bytes, meddler *self, float *last_bias)
{
    thaw_model *model = support_network(context, false);
    thaw_dataset *data = support_samples(context, SAMPLES, 5);
    support_optimize(model, "adam:lr=0.01");
    assert_ok(context, thaw_model_freeze(model, "conv*"));
    self->model = model;
    const thaw_fit_options options = { .epochs = 3,
                                       .batch = BATCH,
                                       .cache_bytes = cache_bytes,
                                       .on_epoch = count_cached,
                                       .on_step = meddle,
                                       .user = self };
    const thaw_status status = thaw_fit(model, data, &options, NULL);
    *last_bias = thaw_parameter_data(thaw_model_find_parameter(model, "dense3.bias"))[0];
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    return status;
}

static void assert_goes_on(bool thaws, size_t cached_epochs)
{
    thaw_context *context = support_context(1);
    meddler without = { .epoch = 1, .thaws = thaws }, with = without;
    float expected, found;
    assert_ok(context, fit(context, 0, &without, &expected));
    assert_ok(context, fit(context, 1 << 24, &with, &found));
    cr_assert_eq(found, expected, "%g, without a cache %g", (double)found, (double)expected);
    cr_assert_eq(with.cached_epochs, cached_epochs, "%zu epochs were cached", with.cached_epochs);
    thaw_context_destroy(context);
}

Test(cache_changes, while_the_cache_fills_start_it_anew)
{
    assert_goes_on(true, 1);
    assert_goes_on(false, 1);
}

static void assert_refused(bool thaws)
{
    thaw_context *context = support_context(1);
    meddler self = { .epoch = 2, .thaws = thaws };
    float bias;
    assert_fails(context, fit(context, 1 << 24, &self, &bias), THAW_INVALID_ARGUMENT, "between epochs");
    cr_assert_eq(self.later_steps, 0, "%zu steps on old features", self.later_steps);
    thaw_context_destroy(context);
}

Test(cache_changes, while_the_cache_is_read_are_refused)
{
    assert_refused(true);
    assert_refused(false);
}
