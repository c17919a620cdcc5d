/* What a shared object may hold under the name of an optimizer module. Each macro makes another; tests/meson.build
   compiles one object for each. */
#include <thaw/layer_module.h>
#include <thaw/optimizer_module.h>

#define MODULE(type)                        \
    THAW_API extern const type thaw_module; \
    const type thaw_module

#if defined TINY
MODULE(uint32_t) = THAW_OPTIMIZER_ABI;
#elif defined FUNCTION
THAW_API void thaw_module(void);
void thaw_module(void)
{
}
#elif defined LAYER
MODULE(thaw_layer_module) = { THAW_LAYER_MODULE_HEAD, .name = "layer" };
#else

/* The struct when `update` was its last field. */
typedef struct older {
    size_t size;
    uint32_t abi;
    const char *name;
    const thaw_hyperparameter *hyperparameters;
    size_t hyperparameter_count;
    const char *const *slots;
    size_t slot_count;
    void (*update)(const thaw_update *update);
} older;

static void descend(const thaw_update *u)
{
    for (size_t i = 0; i < u->count; i++)
        u->parameter[i] -= u->scalar[0] * u->gradient[i];
}

static const thaw_hyperparameter rate[] = { { "lr", 0.5, 0, 1 } };

#define FIELDS .name = "descent", .hyperparameters = rate, .hyperparameter_count = 1, .update = descend

#if defined OTHER_ABI
MODULE(thaw_optimizer_module) = { .size = sizeof thaw_module, .abi = THAW_OPTIMIZER_ABI + 1, FIELDS };
#elif defined HEADLESS
MODULE(thaw_optimizer_module) = { FIELDS };
#elif defined SHORT
MODULE(thaw_optimizer_module) = { .size = offsetof(older, update), .abi = THAW_OPTIMIZER_ABI, FIELDS };
#elif defined CUT
MODULE(older) = { .size = sizeof(thaw_optimizer_module), .abi = THAW_OPTIMIZER_ABI, FIELDS };
#elif defined NEWER
typedef struct newer {
    thaw_optimizer_module known;
    void (*unknown)(void);
} newer;
MODULE(newer) = { .known = { .size = sizeof(newer), .abi = THAW_OPTIMIZER_ABI, FIELDS } };
#elif defined OLDER
MODULE(older) = { .size = sizeof(older), .abi = THAW_OPTIMIZER_ABI, FIELDS };
#endif
#endif
