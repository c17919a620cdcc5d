/* Updates are the same to the bit however many threads share them. */
#include <string.h>

#include "core/threads.h"
#include "support/parameters.h"

static const size_t sizes[] = { 1, 15, 16, 17, 63, 100003, 64, 65, 4096, 4097, 2 };
enum { COUNT = THAW_COUNT(sizes), STEPS = 3 };

static const char *const descriptions[] = {
    "sgd:lr=0.1,weight_decay=0.01",
    "sgd:lr=0.1,momentum=0.9,nesterov=1",
    "adam:amsgrad=1,weight_decay=0.01",
    "adamw",
    "rmsprop:momentum=0.9,centered=1",
    "rprop",
    "adan:weight_decay=0.1",
    "adagrad:initial_accumulator_value=0.5",
};

/* Trains every parameter for some steps and gives back the set. */
static thaw_parameter_set train(thaw_context *context, const char *description)
{
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    parameters_optimize(&set, 0, COUNT, description);
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    for (uint32_t step = 0; step < STEPS; step++) {
        parameters_fill_gradients(&set, 1000 * step);
        assert_ok(context, thaw_update_list_run(list, 0.5, 1));
    }
    thaw_update_list_release(list);
    return set;
}

/* The same by the module's own arithmetic, each parameter as a whole. */
static thaw_parameter_set train_whole(thaw_context *context, const char *description)
{
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    parameters_optimize(&set, 0, COUNT, description);
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    const thaw_optimizer *optimizer = set.groups[0]->optimizer;
    for (uint32_t step = 0; step < STEPS; step++) {
        parameters_fill_gradients(&set, 1000 * step);
        for (size_t i = 0; i < COUNT; i++) {
            thaw_parameter *parameter = set.parameters[i];
            double values[THAW_MAX_HYPERPARAMETERS], scalars[THAW_MAX_HYPERPARAMETERS];
            memcpy(values, optimizer->values, sizeof values);
            values[thaw_hyperparameter_index(optimizer->module, "lr")] *= 0.5;
            memcpy(scalars, values, sizeof scalars);
            if (optimizer->module->prepare)
                optimizer->module->prepare(values, step + 1, scalars);
            thaw_update update = { .count = parameter->count,
                                   .parameter = parameter->data,
                                   .gradient = parameter->gradient,
                                   .hyperparameter = values,
                                   .step = step + 1 };
            for (size_t k = 0; k < THAW_MAX_HYPERPARAMETERS; k++)
                update.scalar[k] = (float)scalars[k];
            memcpy(update.slot, parameter->slot, sizeof update.slot);
            for (size_t k = 0; k < optimizer->module->slot_count; k++) {
                update.slot_step[k] = step + 1;
                if (step == 0 && optimizer->module->begin)
                    optimizer->module->begin(&update, k);
            }
            optimizer->module->update(&update);
        }
    }
    thaw_update_list_release(list);
    return set;
}

static void assert_same_bits(const thaw_parameter_set *set, const thaw_parameter_set *expected, const char *what)
{
    for (size_t i = 0; i < COUNT; i++) {
        const thaw_parameter *a = set->parameters[i], *b = expected->parameters[i];
        cr_assert_eq(memcmp(a->data, b->data, a->count * sizeof(float)), 0, "%s: size %zu", what, a->count);
        for (size_t k = 0; k < THAW_MAX_SLOTS; k++) {
            cr_assert_eq(a->slot[k] != NULL, b->slot[k] != NULL);
            if (a->slot[k])
                cr_assert_eq(memcmp(a->slot[k], b->slot[k], a->count * sizeof(float)), 0, "%s: slot %zu", what, k);
        }
    }
}

Test(update, gives_the_same_bits_for_any_number_of_threads)
{
    const int threads[] = { 1, 2, 3, 7 };
    for (size_t d = 0; d < THAW_COUNT(descriptions); d++) {
        thaw_context *reference = support_context(1);
        thaw_parameter_set expected = train_whole(reference, descriptions[d]);
        for (size_t t = 0; t < THAW_COUNT(threads); t++) {
            thaw_context *context = support_context(threads[t]);
            thaw_parameter_set set = train(context, descriptions[d]);
            assert_same_bits(&set, &expected, descriptions[d]);
            thaw_set_release(&set);
            thaw_context_destroy(context);
        }
        thaw_set_release(&expected);
        thaw_context_destroy(reference);
    }
}

typedef struct guest {
    thaw_context *context;
    thaw_parameter_set set;
} guest;

static void train_as_guest(void *argument, int thread, int threads)
{
    guest *inside = argument;
    (void)threads;
    if (thread == 0)
        inside->set = train(inside->context, descriptions[2]);
}

Test(update, works_alone_inside_a_parallel_region_of_the_host)
{
    thaw_context *context = support_context(3);
    thaw_parameter_set expected = train(context, descriptions[2]);
    guest inside = { .context = context };
    thaw_parallel(context, train_as_guest, &inside);
    assert_same_bits(&inside.set, &expected, "inside a parallel region");
    thaw_set_release(&inside.set);
    thaw_set_release(&expected);
    thaw_context_destroy(context);
}
