#include "train/tested_run.h"

#include <math.h>
#include <stdio.h>

#include "support/network.h"

typedef struct counted {
    size_t reads;
    bool spoils;
} counted;

static bool read_samples(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    counted *own = user;
    (void)message, (void)capacity;
    own->reads += count;
    for (size_t i = 0; i < count; i++) {
        support_fill(samples + i * NETWORK_SAMPLE, NETWORK_SAMPLE, (uint32_t)indices[i] + 900);
        ((int32_t *)targets)[i] = (int32_t)(indices[i] * 7 % NETWORK_CLASSES);
        if (own->spoils && indices[i] == 20)
            samples[i * NETWORK_SAMPLE] = NAN;
    }
    return true;
}

static thaw_dataset *make_data(thaw_context *context, size_t count, bool random, counted *own)
{
    thaw_dataset *made;
    const thaw_source source = { .count = count,
                                 .sample_shape = { 3, { 9, 7, 2 } },
                                 .target_dtype = THAW_I32,
                                 .classes = NETWORK_CLASSES,
                                 .identity = { count, 2 },
                                 .random = random,
                                 .read = read_samples,
                                 .user = own };
    assert_ok(context, thaw_dataset_create(context, &source, &made));
    return made;
}

static void note(void *user, thaw_log_level level, const char *message)
{
    if (level == THAW_LOG_WARNING && user)
        snprintf(user, 512, "%s", message);
}

static void take_epochs(tested_run *now, thaw_context *context, thaw_model *model, thaw_trainer *trainer)
{
    while (!thaw_trainer_done(trainer)) {
        thaw_epoch_result result;
        assert_ok(context, thaw_trainer_epoch(trainer, &result));
        now->results[result.epoch] = result;
        if (now->edits && result.epoch == 2)
            thaw_parameter_edit(thaw_model_find_parameter(model, "conv2.bias"))[0] += 1;
    }
}

void tested_train_rank(tested_run *now, const thaw_communicator *communicator)
{
    counted trained = { 0 }, tested = { .spoils = now->spoils };
    thaw_context *context;
    const thaw_context_options quiet = { .threads = 1, .seed = 1, .log = note, .log_user = now->warning };
    cr_assert_eq(thaw_context_create(&quiet, &context), THAW_OK);
    thaw_model *model = support_network(context, false);
    thaw_dataset *data = make_data(context, TESTED_TRAINED, now->random, &trained);
    thaw_dataset *test = make_data(context, TESTED_COUNT, false, &tested);
    thaw_trainer *trainer;
    thaw_fit_options options = now->options;
    options.epochs = TESTED_EPOCHS;
    options.batch = 16;
    options.test = test;
    options.communicator = communicator;
    support_optimize(model, "adam:lr=0.01");
    support_train_only(model, now->trainable ? now->trainable : 0x1C);
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    if (now->saved && !now->steps)
        assert_ok(context, thaw_trainer_load(trainer, now->saved));
    for (size_t i = 0; i < now->steps; i++)
        assert_ok(context, thaw_trainer_step(trainer, NULL));
    if (!now->steps)
        take_epochs(now, context, model, trainer);
    else if (!communicator || communicator->rank == 0)
        assert_ok(context, thaw_trainer_save(trainer, now->saved));
    now->reads = tested.reads;
    assert_ok(context, thaw_evaluate(model, test, 16, &now->evaluated));
    thaw_trainer_destroy(trainer);
    thaw_dataset_destroy(data);
    thaw_dataset_destroy(test);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

void tested_train(tested_run *now)
{
    tested_train_rank(now, NULL);
}
