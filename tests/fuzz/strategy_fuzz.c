/* Any bytes as a file of strategies: whatever is read has rules that can be carried out, or says why not. */
#include <unistd.h>

#include "core/printable.h"
#include "fuzz/fuzz.h"
#include "policy/strategy.h"

static thaw_model *make_model(thaw_context *context)
{
    thaw_model *model;
    fuzz_demand(thaw_model_create(context, &model) == THAW_OK && thaw_zoo_build(model, "mlp-500", 10) == THAW_OK,
                "a network is built");
    return model;
}

static void check(thaw_context *context, thaw_model *model, const thaw_strategy *strategy)
{
    fuzz_demand(*strategy->name && thaw_is_printable(strategy->name), "a strategy has a name");
    for (int epoch = 1; epoch <= 2; epoch++)
        fuzz_demand_message(context, thaw_strategy_apply(strategy, model, NULL, epoch, 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_BYTES];
    const int file = fuzz_file(path, data, size);
    thaw_context *context = fuzz_context(1 << 24);
    thaw_strategy **strategies;
    size_t count;
    const thaw_status status = thaw_strategy_read(context, path, &strategies, &count);
    fuzz_demand_message(context, status);
    fuzz_demand(status == THAW_OK || (!strategies && count == 0), "nothing is left");
    thaw_model *model = count ? make_model(context) : NULL;
    for (size_t i = 0; i < count; i++)
        check(context, model, strategies[i]);
    thaw_model_destroy(model);
    thaw_strategy_release_all(context, strategies, count);
    thaw_context_destroy(context);
    close(file);
    return 0;
}
