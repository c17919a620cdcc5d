#include "train/rank_run.h"

#include <stdio.h>
#include <stdlib.h>

#include "support/network.h"

thaw_model *rank_run_network(thaw_context *context)
{
    return support_network(context, true);
}

void rank_run_train(void *argument, const thaw_communicator *communicator)
{
    rank_run *taken = argument;
    const int own = communicator ? communicator->rank : 0;
    const bool last = communicator && own == communicator->ranks - 1;
    thaw_context *context = support_context(1);
    thaw_model *model = taken->build(context);
    thaw_dataset *data = support_samples(context, taken->samples - (last ? taken->fewer : 0), 3);
    support_optimize(model, taken->optimizer);
    if (taken->frozen)
        assert_ok(context, thaw_model_freeze(model, taken->frozen));
    thaw_fit_options options = taken->options;
    options.communicator = communicator;
    if (last && taken->spoil)
        taken->spoil(model, &options);
    taken->statuses[own] = thaw_fit(model, data, &options, &taken->results[own]);
    snprintf(taken->messages[own], THAW_REASON_BYTES, "%s", thaw_context_message(context));
    taken->weights[own] = support_weights(model, &taken->counts[own]);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

void rank_run_release(const rank_run *taken)
{
    for (int i = 0; i < MOST_RANKS; i++)
        free(taken->weights[i]);
}
