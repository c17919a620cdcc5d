/* Schedules of freezing and of learning rates beside PyTorch's, which tests/golden/thawing.py runs. */
#include <math.h>
#include <stdio.h>

#include "support/golden.h"
#include "support/network.h"
#include "support/parity_network.h"

enum { MOST_CHANGES = 4, LAYERS = 3 };
enum { CONV1 = 1, CONV2 = 2, DENSE = 4, ALL = 7 };

static const char *const layers[LAYERS] = { "conv1", "conv2", "dense" };

typedef struct change {
    uint32_t step;
    unsigned trains; /* from then on */
} change;

typedef struct schedule {
    const char *name;
    change changes[MOST_CHANGES];
    size_t change_count;
    double factors[LAYERS]; /* of the layers' learning rates */
    double decay;           /* of all, with each step */
} schedule;

static const schedule schedules[] = {
    { "gradual", { { 0, DENSE }, { 10, DENSE | CONV2 }, { 25, ALL } }, 3, { 1, 1, 1 }, 1 },
    { "discriminative", { { 0, ALL } }, 1, { 0.1, 0.3, 1 }, 1 },
    { "late", { { 0, ALL }, { 15, DENSE }, { 30, ALL } }, 3, { 1, 1, 1 }, 1 },
    { "all of it", { { 0, DENSE }, { 10, DENSE | CONV2 }, { 25, ALL }, { 40, CONV1 } }, 4, { 0.25, 0.5, 1 }, 0.98 },
};

static const struct {
    const char *name, *description;
    double rate;
} optimizers[] = {
    { "sgd", "sgd:lr=0.05,momentum=0.9,weight_decay=1e-3", 0.05 },
    { "adam", "adam:lr=2e-2,weight_decay=1e-3", 2e-2 },
    { "adamw", "adamw:lr=2e-2", 2e-2 },
    { "rmsprop", "rmsprop:lr=1e-2,momentum=0.5", 1e-2 },
};

static void train_only(thaw_model *model, unsigned trains)
{
    for (size_t i = 0; i < LAYERS; i++)
        assert_ok(thaw_model_context(model),
                  (trains >> i & 1 ? thaw_model_unfreeze : thaw_model_freeze)(model, layers[i]));
}

static void compare(const schedule *s, size_t optimizer)
{
    char run[64];
    double expected[PARITY_STEPS];
    snprintf(run, sizeof run, "%s %s", s->name, optimizers[optimizer].name);
    golden_losses("thawing.txt", run, expected, PARITY_STEPS);
    thaw_context *context = support_context(2);
    thaw_model *model = support_parity_network(context);
    support_optimize(model, optimizers[optimizer].description);
    for (size_t i = 0; i < LAYERS; i++)
        assert_ok(context, thaw_select_learning_rate(model, layers[i], optimizers[optimizer].rate * s->factors[i]));
    for (uint32_t step = 0; step < PARITY_STEPS; step++) {
        for (size_t i = 0; i < s->change_count; i++)
            if (s->changes[i].step == step)
                train_only(model, s->changes[i].trains);
        const double loss = support_parity_step(model, step, pow(s->decay, step));
        cr_assert(fabs(loss - expected[step]) <= 1e-4 * expected[step], "%s, step %u: loss %.9g, PyTorch's %.9g", run,
                  step + 1, loss, expected[step]);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void compare_all(size_t index)
{
    for (size_t optimizer = 0; optimizer < THAW_COUNT(optimizers); optimizer++)
        compare(&schedules[index], optimizer);
}

Test(thawing, gradual_unfreezing)
{
    compare_all(0);
}

Test(thawing, discriminative_rates)
{
    compare_all(1);
}

Test(thawing, freezing_and_late_thawing)
{
    compare_all(2);
}

Test(thawing, all_of_it_with_a_schedule_of_rates)
{
    compare_all(3);
}
