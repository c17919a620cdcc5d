/* Averaged weights beside PyTorch's AveragedModel, which tests/golden/averages.py runs. */
#include <math.h>

#include "support/golden.h"
#include "support/network.h"
#include "support/parity_network.h"

enum { BATCH = 16, BATCHES = 10, CLASSES = 5, PIXELS = 64, SAMPLES = BATCH * BATCHES, LAYERS = 3, MOST_CHANGES = 4 };
enum { CONV1 = 1, CONV2 = 2, DENSE = 4, ALL = 7, MOST_VALUES = 216 };

static const char *const layers[LAYERS] = { "conv1", "conv2", "dense" };

static const struct {
    const char *name;
    struct {
        size_t step;
        unsigned trains; /* from then on */
    } changes[MOST_CHANGES];
    size_t change_count;
} schedules[] = {
    { "all", { { 0, ALL } }, 1 },
    { "late", { { 0, ALL }, { 15, DENSE }, { 30, ALL } }, 3 },
    { "gradual", { { 0, DENSE }, { 10, DENSE | CONV2 }, { 25, ALL }, { 40, CONV1 } }, 4 },
};

static thaw_dataset *all_batches(thaw_context *context)
{
    static float images[SAMPLES * PIXELS];
    static int32_t labels[SAMPLES];
    const int64_t count = SAMPLES;
    thaw_dataset *data;
    for (uint32_t batch = 0; batch < BATCHES; batch++) {
        float uniform[BATCH];
        support_fill(images + batch * BATCH * PIXELS, BATCH * PIXELS, 100 + batch);
        support_fill(uniform, BATCH, 200 + batch);
        for (uint32_t i = 0; i < BATCH; i++)
            labels[batch * BATCH + i] = (int32_t)((uniform[i] + 1) * CLASSES / 2);
    }
    const thaw_tensor inputs = thaw_view_f32(images, 4, (int64_t[]){ count, 8, 8, 1 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, &count);
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, CLASSES, &data));
    return data;
}

static void take_steps(thaw_trainer *trainer, thaw_model *model, size_t schedule)
{
    thaw_context *context = thaw_model_context(model);
    for (size_t step = 0; step < PARITY_STEPS; step++) {
        for (size_t i = 0; i < schedules[schedule].change_count; i++)
            for (size_t k = 0; k < LAYERS && schedules[schedule].changes[i].step == step; k++)
                assert_ok(context,
                          (schedules[schedule].changes[i].trains >> k & 1 ? thaw_model_unfreeze
                                                                          : thaw_model_freeze)(model, layers[k]));
        assert_ok(context, thaw_trainer_step(trainer, NULL));
    }
}

static void compare(FILE *golden, size_t schedule, double decay)
{
    static const char *const names[] = { "0.weight", "0.bias", "2.weight", "2.bias", "6.weight", "6.bias" };
    char settings[64];
    thaw_context *context = support_context(2);
    thaw_model *model = support_parity_network(context);
    thaw_dataset *data = all_batches(context);
    thaw_trainer *trainer;
    support_optimize(model, "sgd:lr=0.05,momentum=0.9");
    const thaw_fit_options options = {
        .epochs = PARITY_STEPS / BATCHES, .batch = BATCH, .no_shuffle = true, .average_decay = decay, .test = data
    };
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    take_steps(trainer, model, schedule);
    snprintf(settings, sizeof settings, "%s %g", schedules[schedule].name, decay);
    golden_case(golden, settings);
    assert_ok(context, thaw_trainer_use_average(trainer, true));
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        float expected[MOST_VALUES];
        golden_read(golden, names[i], expected, count);
        assert_close(thaw_parameter_data(parameter), expected, count, 2e-4, settings);
    }
    float loss;
    golden_read(golden, "loss", &loss, 1);
    const double found = thaw_trainer_result(trainer)->test_loss;
    cr_assert(fabs(found - (double)loss) <= 1e-4, "%s: loss %g, PyTorch's %g", settings, found, (double)loss);
    thaw_trainer_destroy(trainer);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(average_golden, follows_pytorch)
{
    FILE *golden = golden_open("averages.txt");
    for (size_t schedule = 0; schedule < THAW_COUNT(schedules); schedule++) {
        compare(golden, schedule, 0.9);
        compare(golden, schedule, 0.3);
    }
    fclose(golden);
}
