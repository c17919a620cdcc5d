/* Modules of the caller's, in shared objects and linked: what is taken, and what is not what this library wants. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/allocator.h"
#include "support/files.h"
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
        { "newer",
          "its struct has 240 bytes, must have at most 232: it was compiled with the headers of a newer Thaw" },
        { "cut", "its thaw_module has 64 bytes, its size says 232" },
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

Test(modules, refuses_what_is_no_shared_object)
{
    thaw_optimizer *optimizer = NULL;
    assert_fails(context, thaw_optimizer_create(context, "./nowhere/none.so:lr=1", &optimizer), THAW_IO_ERROR,
                 "./nowhere/none.so: cannot open: No such file");
    assert_fails(context, thaw_optimizer_create(context, "/", &optimizer), THAW_IO_ERROR, "/: is not a regular file");

    char path[] = "/tmp/thaw-module-XXXXXX";
    const int file = mkstemp(path);
    cr_assert_geq(file, 0);
    cr_assert_eq(write(file, "not ELF", 7), 7);
    close(file);
    assert_fails(context, thaw_optimizer_create(context, path, &optimizer), THAW_BAD_FORMAT, path);
    unlink(path);
    cr_assert_null(optimizer);
}

Test(modules, does_not_wait_for_a_fifo, .timeout = 20)
{
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    thaw_optimizer *optimizer = NULL;
    support_make_directory(directory);
    cr_assert_eq(mkfifo(support_path(path, directory, "fifo.so"), 0600), 0);
    assert_fails(context, thaw_optimizer_create(context, path, &optimizer), THAW_IO_ERROR,
                 "fifo.so: is not a regular file");
    support_remove_directory(directory);
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

static void shrink(const thaw_matrix_update *m)
{
    *m->parameter /= 2;
}

static const thaw_hyperparameter rate[] = { { "lr", 0.5, 0, 1 } };
static const thaw_hyperparameter twice[] = { { "lr", 0.5, 0, 1 }, { "lr", 0.5, 0, 1 } };
static const thaw_hyperparameter outside[] = { { "lr", 2, 0, 1 } };
static const thaw_hyperparameter endless[] = { { "lr", INFINITY, 0, INFINITY } };
static const thaw_hyperparameter nameless[] = { { NULL, 0, 0, 1 } };
static const thaw_hyperparameter unwritable[] = { { "l=r", 0, 0, 1 } };

static const char *refuse(const double *hyperparameters)
{
    (void)hyperparameters;
    return "a field past the module's size was read";
}

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

Test(modules, accepts_a_module_of_the_callers)
{
    static const thaw_optimizer_module module = { .size = sizeof(thaw_optimizer_module),
                                                  .abi = THAW_OPTIMIZER_ABI,
                                                  .name = "descent",
                                                  .hyperparameters = rate,
                                                  .hyperparameter_count = 1,
                                                  .update = descend };
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create_from(context, &module, NULL, &optimizer));
    cr_assert(thaw_optimizer_get(optimizer, "lr") == 0.5);
    cr_assert_eq(thaw_optimizer_module_of(optimizer), &module);
    thaw_optimizer_destroy(optimizer);
    assert_ok(context, thaw_optimizer_create_from(context, &module, "lr=0.125", &optimizer));
    cr_assert(thaw_optimizer_get(optimizer, "lr") == 0.125);
    thaw_optimizer_destroy(optimizer);
    assert_fails(context, thaw_optimizer_create_from(context, &module, "lr=2", &optimizer), THAW_INVALID_ARGUMENT,
                 "descent: lr is 2");
    assert_fails(context, thaw_optimizer_create_from(context, &module, "x=2", &optimizer), THAW_NOT_FOUND,
                 "unknown hyper-parameter of descent \"x\"; known: lr");
    cr_assert_null(optimizer);
}

Test(modules, refuses_modules_that_break_the_rules)
{
    static const char *const same_slots[] = { "a", "b", "a" };
    static const char *const empty_slots[] = { "" }, *const one_slot[] = { "a" };
    static const thaw_slot_shape one_number = THAW_SLOT_ONE, shared_number = THAW_SLOT_SHARED;
    static const thaw_slot_range any_sign = THAW_SLOT_SIGNED, no_range = (thaw_slot_range)3;
    static const thaw_hyperparameter state[] = { { "state", 0, 0, 1 } };
    static const struct {
        thaw_optimizer_module module;
        const char *message;
    } cases[] = {
        { { THAW_OPTIMIZER_MODULE_HEAD, .update = descend }, "name" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "", .update = descend }, "name" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "a:b", .update = descend }, "name" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x" }, "no update" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .hyperparameters = rate,
            .hyperparameter_count = 17 },
          "limits" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .slots = same_slots, .slot_count = 9 },
          "limits" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .sum_count = 9 }, "limits" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .sum_count = 1 }, "without the others" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .own_sums = true }, "own_sums, and no sums" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .hyperparameter_count = 1 }, "than it has" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .slot_count = 1 }, "than it has" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .hyperparameters = twice,
            .hyperparameter_count = 2 },
          "one name" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .hyperparameters = outside,
            .hyperparameter_count = 1 },
          "range" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .hyperparameters = endless,
            .hyperparameter_count = 1 },
          "range" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .hyperparameters = nameless,
            .hyperparameter_count = 1 },
          "name" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .hyperparameters = unwritable,
            .hyperparameter_count = 1 },
          "name" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .slots = same_slots, .slot_count = 3 },
          "one name" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .slots = empty_slots, .slot_count = 1 },
          "slot's name" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .slots = one_slot, .slot_count = 1,
            .slot_shapes = &one_number },
          "for one number conclude" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .matrix = shrink, .slots = one_slot, .slot_count = 1,
            .slot_shapes = &shared_number },
          "a slot that is shared needs conclude" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .matrix = shrink, .slots = one_slot, .slot_count = 1,
            .slot_ranges = &any_sign },
          "it has slot_ranges, and with them matrix" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .wraps = true, .slots = one_slot,
            .slot_count = 1, .slot_ranges = &any_sign },
          "it has slot_ranges, and with them matrix, conclude, view or wraps" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .hyperparameters = state,
            .hyperparameter_count = 1, .slots = one_slot, .slot_count = 1, .slot_ranges = &any_sign },
          "a hyper-parameter named state" },
        { { THAW_OPTIMIZER_MODULE_HEAD, .name = "x", .update = descend, .slots = one_slot, .slot_count = 1,
            .slot_ranges = &no_range },
          "a range that there is not" },
    };
    thaw_optimizer *optimizer = NULL;
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        assert_fails(context, thaw_optimizer_create_from(context, &cases[i].module, NULL, &optimizer),
                     THAW_INVALID_ARGUMENT, cases[i].message);
    assert_fails(context, thaw_optimizer_create_from(context, NULL, NULL, &optimizer), THAW_INVALID_ARGUMENT,
                 "missing");
}
