/* Modules whose first fields are not what this library wants, in shared objects and linked. */
#include <stdio.h>
#include <stdlib.h>

#include "support/allocator.h"
#include "support/optimizers.h"

static thaw_context *context;
static support_allocator allocator;

static void set_up(void)
{
    context = support_context_on(&allocator);
}

static void tear_down(void)
{
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}

TestSuite(modules, .init = set_up, .fini = tear_down);

static char *object(const char *name, char path[1024])
{
    snprintf(path, 1024, "%s/module-%s.so", getenv("THAW_MODULES"), name);
    return path;
}

Test(modules, refuses_shared_objects_of_other_kinds)
{
    static const struct {
        const char *object, *message;
    } cases[] = {
        { "other_abi", "it was compiled for version 2 of the abi, must be version 1" },
        { "layer", "it is not an optimizer module: its abi is 0x4c410001, must be 0x4f500001" },
        { "headless", "it is not an optimizer module: its abi is 0x00000000, must be 0x4f500001" },
        { "short", "its struct has 56 bytes, must have at least 64" },
        { "newer", "its struct has 104 bytes, must have at most 96: it was compiled with the headers of a newer Thaw" },
        { "cut", "its thaw_module has 64 bytes, its size says 96" },
        { "tiny", "its thaw_module has 4 bytes, must have at least 16" },
        { "earliest", "it is not an optimizer module: its abi is 0x" },
        { "function", "its thaw_module is not a readable object" },
        { "resolved", "its thaw_module is not a readable object" },
        { "nothing", "it does not define thaw_module" },
        { "integer", "its thaw_module has 4 bytes, must have at least 16" },
        { "address", "its thaw_module has 8 bytes, must have at least 16" },
        { "letters", "its thaw_module has 3 bytes, must have at least 16" },
        { "string", "it is not an optimizer module: its abi is 0x" },
        { "floats", "it is not an optimizer module: its abi is 0x40400000" },
        { "own_thread", "its thaw_module is not a readable object" },
        { "absolute", "its thaw_module is not a readable object" },
        { "untyped", "its thaw_module is not a readable object" },
        { "boundless", "its thaw_module is not a readable object" },
        { "odd_place", "its thaw_module is not aligned" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        char path[1024];
        thaw_optimizer *optimizer = NULL;
        object(cases[i].object, path);
        assert_fails(context, thaw_optimizer_create(context, path, &optimizer), THAW_BAD_FORMAT, cases[i].message);
        cr_assert_null(optimizer);
        assert_fails(context, thaw_optimizer_create(context, path, &optimizer), THAW_BAD_FORMAT, path);
    }
}

/* One step from 3 with a gradient of 4 and a rate of 0.25 or, by default, 0.5. */
static float step_of(const thaw_optimizer *optimizer)
{
    float value = 3, gradient = 4;
    optimizer_arrays arrays = { .count = 1, .parameter = &value, .gradient = &gradient };
    support_update(optimizer, thaw_optimizer_module_of(optimizer), &arrays, 1, 0, 1);
    return value;
}

Test(modules, takes_an_older_shared_object)
{
    char path[1024], description[1040];
    thaw_optimizer *optimizer = NULL;
    snprintf(description, sizeof description, "%s:lr=0.25", object("older", path));
    assert_ok(context, thaw_optimizer_create(context, description, &optimizer));
    cr_assert_eq(step_of(optimizer), 2);
    const thaw_optimizer_module *module = thaw_optimizer_module_of(optimizer);
    cr_assert_str_eq(module->name, "descent");
    cr_assert_null(module->prepare);
    cr_assert_null(module->check);
    thaw_optimizer_destroy(optimizer);
}

static void descend(const thaw_update *u)
{
    for (size_t i = 0; i < u->count; i++)
        u->parameter[i] -= u->scalar[0] * u->gradient[i];
}

static const char *refuse(const double *hyperparameters)
{
    (void)hyperparameters;
    return "a field past the module's size was read";
}

static const thaw_hyperparameter rate[] = { { "lr", 0.5, 0, 1 } };

Test(modules, reads_no_field_past_the_size_of_a_linked_optimizer)
{
    const thaw_optimizer_module module = {
        .size = offsetof(thaw_optimizer_module, uses_slot),
        .abi = THAW_OPTIMIZER_ABI,
        .name = "descent",
        .hyperparameters = rate,
        .hyperparameter_count = 1,
        .update = descend,
        .check = refuse,
    };
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create_from(context, &module, NULL, &optimizer));
    assert_ok(context, thaw_optimizer_set(optimizer, "lr", 0.5));
    cr_assert_eq(step_of(optimizer), 1);
    thaw_optimizer_destroy(optimizer);
}

Test(modules, refuses_linked_optimizers_of_other_kinds)
{
    const thaw_optimizer_module sound = { THAW_OPTIMIZER_MODULE_HEAD, .name = "descent", .update = descend };
    thaw_optimizer_module module = sound;
    thaw_optimizer *optimizer = NULL;
    module.abi = THAW_LAYER_ABI;
    assert_fails(context, thaw_optimizer_create_from(context, &module, NULL, &optimizer), THAW_INVALID_ARGUMENT,
                 "it is not an optimizer module");
    module.abi = THAW_OPTIMIZER_ABI + 6;
    assert_fails(context, thaw_optimizer_create_from(context, &module, NULL, &optimizer), THAW_INVALID_ARGUMENT,
                 "version 7");
    module = sound;
    module.size = 0;
    assert_fails(context, thaw_optimizer_create_from(context, &module, NULL, &optimizer), THAW_INVALID_ARGUMENT,
                 "its struct has 0 bytes");
    module.size = sizeof module + 1;
    assert_fails(context, thaw_optimizer_create_from(context, &module, NULL, &optimizer), THAW_INVALID_ARGUMENT,
                 "newer Thaw");
    cr_assert_null(optimizer);
}
