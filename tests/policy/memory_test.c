/* Each allocation of a run with a policy fails in turn: the run says so, and nothing leaks. */
#include <thaw/thaw.h>

#include "support/allocator.h"
#include "support/support.h"

enum { SAMPLES = 8, FEATURES = 5, CLASSES = 3 };

static thaw_context *context;
static const char *wanted, *network;

static thaw_status fit(thaw_model *model, thaw_dataset *data, thaw_policy *policy)
{
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_optimizer_create(context, "adam", &optimizer);
    if (status == THAW_OK)
        status = thaw_select_optimizer(model, "*", optimizer);
    const thaw_fit_options options = { .epochs = 2, .batch = 4, .policy = policy, .cache_bytes = 1 << 16 };
    if (status == THAW_OK)
        status = thaw_fit(model, data, &options, NULL);
    thaw_optimizer_destroy(optimizer);
    return status;
}

static thaw_status run(void *user)
{
    (void)user;
    static float values[SAMPLES * FEATURES];
    static int32_t labels[SAMPLES];
    thaw_model *model = NULL;
    thaw_dataset *data = NULL;
    thaw_policy *policy = NULL;
    const thaw_shape shape = { 1, { FEATURES } };
    const thaw_tensor inputs = { THAW_F32, { 2, { SAMPLES, FEATURES } }, values };
    const thaw_tensor targets = { THAW_I32, { 1, { SAMPLES } }, labels };
    support_fill(values, SAMPLES * FEATURES, 3);
    for (size_t i = 0; i < SAMPLES; i++)
        labels[i] = (int32_t)(i % CLASSES);
    thaw_status status = thaw_model_create(context, &model);
    if (status == THAW_OK)
        status = thaw_zoo_build_for(model, network, &shape, CLASSES);
    if (status == THAW_OK)
        status = thaw_dataset_from_arrays(context, &inputs, &targets, CLASSES, &data);
    if (status == THAW_OK)
        status = thaw_policy_create(context, wanted, &policy);
    if (status == THAW_OK)
        status = fit(model, data, policy);
    thaw_policy_destroy(policy);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    return status;
}

static void fail_each(const char *policy, const char *of)
{
    support_allocator allocator = { 0 };
    wanted = policy;
    network = of;
    context = support_context_on(&allocator);
    cr_assert_eq(run(NULL), THAW_OK); /* the context keeps what it makes once */
    cr_assert_gt(support_fail_each(&allocator, run, NULL), 50U);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0U);
}

Test(policy_memory, of_auto)
{
    fail_each("auto:exchange=100,moving=100,measured=1", "mlp:hidden=4");
}

Test(policy_memory, of_badam)
{
    fail_each("badam:every=1", "mlp:hidden=4x4");
}
