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
#elif defined RESOLVED
static void function(void)
{
}
/* clang does not see that the dynamic linker calls it. */
__attribute__((used)) static void (*resolve(void))(void)
{
    return function;
}
THAW_API void thaw_module(void) __attribute__((ifunc("resolve")));
#elif defined NOTHING
THAW_API extern const int another_name;
const int another_name = 1;
#elif defined INTEGER
MODULE(int) = 7;
#elif defined ADDRESS
static const thaw_optimizer_module hidden = { THAW_OPTIMIZER_MODULE_HEAD, .name = "hidden" };
MODULE(thaw_optimizer_module *const) = &hidden;
#elif defined STRING
typedef char text[160];
MODULE(text) = "This library freezes and thaws; it is about ice, and describes itself in a text of more bytes than a "
               "module has.";
#elif defined LETTERS
typedef char letters[3];
MODULE(letters) = "ice";
#elif defined FLOATS
typedef float table[64];
MODULE(table) = { 1, 2, 3, 4 };
#elif defined OWN_THREAD
THAW_API extern _Thread_local thaw_optimizer_module thaw_module;
_Thread_local thaw_optimizer_module thaw_module = { THAW_OPTIMIZER_MODULE_HEAD, .name = "one a thread" };
#elif defined ABSOLUTE
__asm__(".globl thaw_module\n.type thaw_module, @object\n.size thaw_module, 96\n.set thaw_module, 0x1230\n");
#elif defined UNTYPED
__asm__(".data\n.globl thaw_module\nthaw_module: .fill 96, 1, 0\n");
#elif defined BOUNDLESS
/* Says that it goes on past its segment. */
__asm__(".data\n.globl thaw_module\n.type thaw_module, @object\n.size thaw_module, 0x40000000\n"
        ".balign 8\nthaw_module: .quad 96\n.long 0x4f500001\n.long 0\n");
#elif defined ODD_PLACE
__asm__(".data\n.globl thaw_module\n.type thaw_module, @object\n.size thaw_module, 96\n"
        ".balign 8\n.byte 0\nthaw_module: .quad 96\n.long 0x4f500001\n.fill 84, 1, 0\n");
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

#if defined EARLIEST
/* The struct before it began with its size. */
typedef struct earliest {
    const char *name;
    const thaw_hyperparameter *hyperparameters;
    size_t hyperparameter_count;
    const char *const *slots;
    size_t slot_count;
    void (*update)(const thaw_update *update);
    void *others[4];
} earliest;
MODULE(earliest) = { FIELDS };
#elif defined OTHER_ABI
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
