/* Network modules that break a rule. Each macro makes another; tests/meson.build compiles one object for each. */
#include <thaw/network_module.h>

#if !defined BUILDLESS
static thaw_status build(thaw_model *model, thaw_node input, const thaw_network_request *wanted, thaw_node *output)
{
    int64_t units = wanted->outputs;
#if defined WRONG_SHAPE
    units++;
#elif defined FAILING
    units = 0;
#endif
    thaw_status status = thaw_dense(model, input, &(thaw_dense_options){ .units = units }, output);
#if defined WRONG_NODE
    *output = 77;
#elif defined INPUT_NODE
    *output = input;
#elif defined OWN_LOSS
    status = thaw_softmax_cross_entropy(model, *output, NULL, output);
#elif defined ODD_STATUS
    status = (thaw_status)1234;
#endif
    return status;
}
#endif

THAW_API extern const thaw_network_module thaw_module;

const thaw_network_module thaw_module = {
    .size = sizeof(thaw_network_module),
#if defined VERSION
    .abi = THAW_NETWORK_ABI + 1,
#else
    .abi = THAW_NETWORK_ABI,
#endif
#if !defined NAMELESS
    .name = "odd",
#endif
#if !defined BUILDLESS
    .build = build,
#endif
#if defined TOO_MANY
    .option_count = THAW_MAX_HYPERPARAMETERS + 1,
#endif
#if defined SHAPELESS
    .sample_shape = { .rank = 2, .dims = { 3, -4 } },
#elif !defined NO_INPUT
    .sample_shape = { .rank = 1, .dims = { 5 } },
#endif
};
