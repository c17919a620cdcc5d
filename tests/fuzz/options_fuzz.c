/* Any bytes as a description, by the first byte: d a data set, o an optimizer, s a schedule, n a network, t a
   strategy. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"

static thaw_status open_data(thaw_context *context, const char *text)
{
    thaw_dataset *training, *test;
    const thaw_status status = thaw_dataset_open(context, text, &training, &test);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    return status;
}

static thaw_status make_optimizer(thaw_context *context, const char *text)
{
    thaw_optimizer *optimizer = NULL;
    const thaw_status status = thaw_optimizer_create(context, text, &optimizer);
    fuzz_demand((status == THAW_OK) == (optimizer != NULL), "an optimizer, or none");
    if (optimizer)
        for (size_t i = 0; i < thaw_optimizer_module_of(optimizer)->hyperparameter_count; i++)
            fuzz_demand(isfinite(thaw_optimizer_get(optimizer,
                                                    thaw_optimizer_module_of(optimizer)->hyperparameters[i].name)),
                        "its values are finite");
    thaw_optimizer_destroy(optimizer);
    return status;
}

static thaw_status parse_schedule(thaw_context *context, const char *text)
{
    thaw_schedule schedule;
    const thaw_status status = thaw_schedule_parse(context, text, &schedule);
    for (uint64_t step = 0; status == THAW_OK && step < 30; step++)
        fuzz_demand(isfinite(thaw_schedule_factor(&schedule, step, 10, 30)), "a factor is finite");
    return status;
}

static thaw_status make_strategy(thaw_context *context, const char *text)
{
    thaw_strategy *strategy = NULL;
    const thaw_status status = thaw_strategy_create(context, text, NULL, &strategy);
    if (status == THAW_OK)
        thaw_strategy_destroy(context, strategy);
    return status;
}

static thaw_status parse(thaw_context *context, char kind, const char *text)
{
    switch (kind) {
    case 'd':
        return open_data(context, text);
    case 'o':
        return make_optimizer(context, text);
    case 's':
        return parse_schedule(context, text);
    case 'n':
        return thaw_zoo_check(context, text);
    case 't':
        return make_strategy(context, text);
    default:
        return THAW_OK;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    /* Paths lead out of what the fuzzer may touch. */
    if (*text && !strpbrk(text, "/.~")) {
        thaw_context *context = fuzz_context(1 << 24);
        thaw_context_limit_data(context, 1 << 20);
        fuzz_demand_message(context, parse(context, text[0], text + 1));
        thaw_context_destroy(context);
    }
    free(text);
    return 0;
}
