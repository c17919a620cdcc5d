/* Optimizers from descriptions: their values, their slots, and what is refused. */
#include "params/optimizer.h"

#include <math.h>
#include <string.h>

#include "support/allocator.h"
#include "support/support.h"

static thaw_context *context;

static void set_up(void)
{
    context = support_context(1);
}

static void tear_down(void)
{
    thaw_context_destroy(context);
}

TestSuite(optimizer, .init = set_up, .fini = tear_down);

static thaw_optimizer *make(const char *description)
{
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create(context, description, &optimizer));
    cr_assert_not_null(optimizer);
    return optimizer;
}

Test(optimizer, defaults_are_pytorchs)
{
    static const struct {
        const char *name, *hyperparameter;
        double value;
    } defaults[] = {
        { "sgd", "lr", 1e-3 },
        { "sgd", "momentum", 0 },
        { "sgd", "dampening", 0 },
        { "sgd", "weight_decay", 0 },
        { "sgd", "nesterov", 0 },
        { "adam", "lr", 1e-3 },
        { "adam", "beta1", 0.9 },
        { "adam", "beta2", 0.999 },
        { "adam", "eps", 1e-8 },
        { "adam", "weight_decay", 0 },
        { "adam", "amsgrad", 0 },
        { "adamw", "lr", 1e-3 },
        { "adamw", "beta1", 0.9 },
        { "adamw", "beta2", 0.999 },
        { "adamw", "eps", 1e-8 },
        { "adamw", "weight_decay", 1e-2 },
        { "adamw", "amsgrad", 0 },
        { "rmsprop", "lr", 1e-2 },
        { "rmsprop", "alpha", 0.99 },
        { "rmsprop", "eps", 1e-8 },
        { "rmsprop", "weight_decay", 0 },
        { "rmsprop", "momentum", 0 },
        { "rmsprop", "centered", 0 },
    };
    for (size_t i = 0; i < THAW_COUNT(defaults); i++) {
        thaw_optimizer *optimizer = make(defaults[i].name);
        const double value = thaw_optimizer_get(optimizer, defaults[i].hyperparameter);
        cr_assert(value == defaults[i].value, "%s: %s is %g", defaults[i].name, defaults[i].hyperparameter, value);
        thaw_optimizer_destroy(optimizer);
    }
}

Test(optimizer, description_sets_values)
{
    thaw_optimizer *optimizer = make("sgd:lr=1e-2,momentum=0.9,nesterov=1");
    cr_assert_str_eq(thaw_optimizer_module_of(optimizer)->name, "sgd");
    cr_assert(thaw_optimizer_get(optimizer, "lr") == 1e-2);
    cr_assert(thaw_optimizer_get(optimizer, "momentum") == 0.9);
    cr_assert(thaw_optimizer_get(optimizer, "nesterov") == 1);
    cr_assert(thaw_optimizer_get(optimizer, "weight_decay") == 0);
    cr_assert(isnan(thaw_optimizer_get(optimizer, "beta1")));
    thaw_optimizer_destroy(optimizer);
    thaw_optimizer_destroy(make("adam:"));
    thaw_optimizer_destroy(NULL);
}

Test(optimizer, keeps_its_state_as_it_is_told)
{
    static const struct {
        const char *description, *name;
        thaw_dtype state;
        double rate;
    } cases[] = {
        { "adamw", "adamw", THAW_F32, 1e-3 },
        { "adamw:state=f32", "adamw", THAW_F32, 1e-3 },
        { "adamw:state=8bit", "adamw:state=8bit", THAW_U8, 1e-3 },
        { "sgd:lr=2,state=bf16", "sgd:state=bf16", THAW_BF16, 2 },
        { "sgd:state=bf16,lr=2", "sgd:state=bf16", THAW_BF16, 2 },
        { "lion:beta1=0.5,state=8bit,lr=2", "lion:state=8bit", THAW_U8, 2 },
        { "lookahead/adam:state=8bit,lr=2", "lookahead/adam:state=8bit", THAW_U8, 2 },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_optimizer *optimizer = make(cases[i].description);
        cr_assert_str_eq(thaw_optimizer_name(optimizer), cases[i].name);
        cr_assert_eq(thaw_optimizer_state_dtype(optimizer), cases[i].state);
        cr_assert_eq(thaw_optimizer_get(optimizer, "lr"), cases[i].rate);
        thaw_optimizer_destroy(optimizer);
    }
}

Test(optimizer, bad_descriptions_are_explained)
{
    static const struct {
        const char *description;
        thaw_status status;
        const char *message;
    } cases[] = {
        { "", THAW_NOT_FOUND, "adadelta, adafactor, adagrad, adam, adamax, adamw" },
        { "adm", THAW_NOT_FOUND, "unknown optimizer \"adm\", did you mean \"adam\"?" },
        { "tiger", THAW_NOT_FOUND,
          "lamb, lars, lion, muon, nadam, prodigy, radam, rmsprop, rprop, schedule-free-adamw, schedule-free-sgd, sgd" },
        { "lion.so:lr=1", THAW_NOT_FOUND, "contains a '/'" },
        { "ADAM:lr=1", THAW_NOT_FOUND, "\"ADAM\"" },
        { "sgd:momentun=0.9", THAW_NOT_FOUND, "did you mean \"momentum\"?" },
        { "sgd:beta1=0.9", THAW_NOT_FOUND, "lr, momentum, dampening, weight_decay, nesterov" },
        { "sgd:lr=0.1,beta1=x", THAW_NOT_FOUND, "beta1" },
        { "sgd:lr=", THAW_INVALID_ARGUMENT, "lr=\"\"" },
        { "sgd:lr=nan", THAW_INVALID_ARGUMENT, "lr=\"nan\"" },
        { "sgd:lr=inf", THAW_INVALID_ARGUMENT, "finite" },
        { "sgd:lr=1e999", THAW_INVALID_ARGUMENT, "finite" },
        { "sgd:lr=0x1", THAW_INVALID_ARGUMENT, "0x1" },
        { "sgd:lr= 1", THAW_INVALID_ARGUMENT, "\" 1\"" },
        { "sgd:lr=1 ", THAW_INVALID_ARGUMENT, "\"1 \"" },
        { "sgd:lr=0.1.2", THAW_INVALID_ARGUMENT, "0.1.2" },
        { "sgd:lr=1=2", THAW_INVALID_ARGUMENT, "1=2" },
        { "sgd:lr=-0.1", THAW_INVALID_ARGUMENT, "lr is -0.1, must be from 0 to inf" },
        { "sgd:momentum=1.5", THAW_INVALID_ARGUMENT, "from 0 to 1" },
        { "adam:beta1=1", THAW_INVALID_ARGUMENT, "beta1 is 1, must be from 0 to 0.9999999999999999" },
        { "adam:amsgrad=0.5", THAW_INVALID_ARGUMENT, "0 or 1" },
        { "adamw:amsgrad=0.5", THAW_INVALID_ARGUMENT, "0 or 1" },
        { "rmsprop:centered=0.5", THAW_INVALID_ARGUMENT, "0 or 1" },
        { "sgd:nesterov=0.5,momentum=0.9", THAW_INVALID_ARGUMENT, "0 or 1" },
        { "sgd:nesterov=1", THAW_INVALID_ARGUMENT, "momentum above 0" },
        { "sgd:nesterov=1,momentum=0.9,dampening=0.1", THAW_INVALID_ARGUMENT, "dampening 0" },
        { "sgd:lr=1,lr=2", THAW_INVALID_ARGUMENT, "twice" },
        { "sgd:lr", THAW_INVALID_ARGUMENT, "\"lr\", must be" },
        { "sgd:=1", THAW_INVALID_ARGUMENT, "must be NAME=VALUE" },
        { "sgd:lr=1,", THAW_INVALID_ARGUMENT, "must be NAME=VALUE" },
        { "sgd:,lr=1", THAW_INVALID_ARGUMENT, "must be NAME=VALUE" },
        { "sgd:lr=1,,momentum=0.9", THAW_INVALID_ARGUMENT, "must be NAME=VALUE" },
        { "sgd:lr=1:momentum=0.9", THAW_INVALID_ARGUMENT, "1:momentum=0.9" },
        { "adamw:state=4bit", THAW_INVALID_ARGUMENT, "adamw: state is \"4bit\", must be f32, bf16 or 8bit" },
        { "adamw:lr=1,state=,beta1=0", THAW_INVALID_ARGUMENT, "state is \"\", must be" },
        { "adamw:state=bf16,lr=1,state=bf16", THAW_INVALID_ARGUMENT, "state is given twice" },
        { "adamw:state=bf16,", THAW_INVALID_ARGUMENT, "must be NAME=VALUE" },
        { "adamw:,state=bf16", THAW_INVALID_ARGUMENT, "must be NAME=VALUE" },
        { "rmsprop:state=8bit", THAW_NOT_FOUND, "unknown hyper-parameter of rmsprop \"state\"" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_optimizer *optimizer = (thaw_optimizer *)&cases[i];
        assert_fails(context, thaw_optimizer_create(context, cases[i].description, &optimizer), cases[i].status,
                     cases[i].message);
        cr_assert_null(optimizer, "\"%s\"", cases[i].description);
    }
    thaw_optimizer *optimizer = NULL;
    assert_fails(context, thaw_optimizer_create(context, NULL, &optimizer), THAW_INVALID_ARGUMENT, "missing");
}

Test(optimizer, endless_descriptions_are_refused)
{
    char description[5000];
    memset(description, 'a', sizeof description);
    description[sizeof description - 1] = '\0';
    thaw_optimizer *optimizer = NULL;
    assert_fails(context, thaw_optimizer_create(context, description, &optimizer), THAW_NOT_FOUND, "rmsprop");
    memcpy(description, "sgd:", 4);
    assert_fails(context, thaw_optimizer_create(context, description, &optimizer), THAW_INVALID_ARGUMENT,
                 "must be NAME=VALUE");
    memcpy(description, "sgd:lr=", 7);
    assert_fails(context, thaw_optimizer_create(context, description, &optimizer), THAW_INVALID_ARGUMENT, "1e-3");
}

Test(optimizer, setting_a_value_checks_it)
{
    thaw_optimizer *optimizer = make("sgd:lr=0.1,momentum=0.9,nesterov=1");
    const uint64_t revision = optimizer->revision;
    assert_fails(context, thaw_optimizer_set(optimizer, "lr", NAN), THAW_INVALID_ARGUMENT, "lr is nan");
    assert_fails(context, thaw_optimizer_set(optimizer, "lr", INFINITY), THAW_INVALID_ARGUMENT, "lr is inf");
    assert_fails(context, thaw_optimizer_set(optimizer, "lr", -1), THAW_INVALID_ARGUMENT, "lr is -1");
    assert_fails(context, thaw_optimizer_set(optimizer, "dampening", 0.5), THAW_INVALID_ARGUMENT, "nesterov");
    assert_fails(context, thaw_optimizer_set(optimizer, "rate", 1), THAW_NOT_FOUND, "lr, momentum");
    cr_assert(thaw_optimizer_get(optimizer, "lr") == 0.1 && thaw_optimizer_get(optimizer, "dampening") == 0);
    cr_assert_eq(optimizer->revision, revision);
    assert_ok(context, thaw_optimizer_set(optimizer, "lr", 0.5));
    cr_assert(thaw_optimizer_get(optimizer, "lr") == 0.5);
    cr_assert_eq(optimizer->revision, revision, "the same slots are used");
    assert_ok(context, thaw_optimizer_set(optimizer, "nesterov", 0));
    assert_ok(context, thaw_optimizer_set(optimizer, "momentum", 0));
    cr_assert_neq(optimizer->revision, revision, "momentum's slot is not used any more");
    thaw_optimizer_destroy(optimizer);
}

Test(optimizer, lives_until_its_last_reference)
{
    thaw_optimizer *optimizer = make("adam:lr=0.25");
    cr_assert_eq(thaw_optimizer_retain(optimizer), optimizer);
    thaw_optimizer_destroy(optimizer);
    cr_assert(thaw_optimizer_get(optimizer, "lr") == 0.25);
    thaw_optimizer_destroy(optimizer);
}

Test(optimizer, builtin_modules_are_listed_in_order)
{
    static const char *const names[] = { "adadelta",
                                         "adafactor",
                                         "adagrad",
                                         "adam",
                                         "adamax",
                                         "adamw",
                                         "adan",
                                         "ademamix",
                                         "adopt",
                                         "lamb",
                                         "lars",
                                         "lion",
                                         "muon",
                                         "nadam",
                                         "prodigy",
                                         "radam",
                                         "rmsprop",
                                         "rprop",
                                         "schedule-free-adamw",
                                         "schedule-free-sgd",
                                         "sgd",
                                         "shampoo",
                                         "soap" };
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        cr_assert_str_eq(thaw_optimizer_builtin(i)->name, names[i]);
    cr_assert_null(thaw_optimizer_builtin(THAW_COUNT(names)));
    cr_assert_str_eq(thaw_optimizer_builtin_wrapper(0)->name, "cautious");
    cr_assert_str_eq(thaw_optimizer_builtin_wrapper(1)->name, "lookahead");
    cr_assert_str_eq(thaw_optimizer_builtin_wrapper(2)->name, "sam");
    cr_assert_null(thaw_optimizer_builtin_wrapper(3));
    cr_assert_null(thaw_optimizer_builtin(1000));
}

Test(optimizer, uses_the_slots_that_its_values_need)
{
    static const struct {
        const char *description;
        bool used[THAW_MAX_SLOTS];
    } cases[] = {
        { "sgd", { false } },
        { "sgd:momentum=0.9", { true } },
        { "adam", { true, true, false } },
        { "adamw:amsgrad=1", { true, true, true } },
        { "rmsprop", { true, false, false } },
        { "rmsprop:centered=1", { true, true, false } },
        { "rmsprop:momentum=0.1", { true, false, true } },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_optimizer *optimizer = make(cases[i].description);
        for (size_t s = 0; s < THAW_MAX_SLOTS; s++)
            cr_assert_eq(thaw_module_uses_slot(optimizer->module, optimizer->values, s), cases[i].used[s],
                         "%s: slot %zu", cases[i].description, s);
        thaw_optimizer_destroy(optimizer);
    }
}

Test(optimizer, counts_changes_of_what_sizes_memory)
{
    thaw_optimizer *soap = make("soap"), *adam = make("adam");
    const uint64_t before = soap->revision;
    assert_ok(soap->context, thaw_optimizer_set(soap, "lr", 0.5));
    assert_ok(soap->context, thaw_optimizer_set(soap, "weight_decay", 0.5));
    cr_assert_eq(soap->revision, before);
    assert_ok(soap->context, thaw_optimizer_set(soap, "max_precond_dim", 5));
    cr_assert_eq(soap->revision, before + 1);
    assert_ok(adam->context, thaw_optimizer_set(adam, "beta1", 0.5));
    cr_assert_eq(adam->revision, 0);
    thaw_optimizer_destroy(soap);
    thaw_optimizer_destroy(adam);
}

/* ---- memory ---- */

Test(optimizer, runs_out_of_memory_cleanly)
{
    static const char *const descriptions[] = { "adam:lr=0.1", "lion", "sgd:momentun=1" };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++) {
        size_t fail_at = 2; /* the first is the context itself */
        for (bool failed = true; failed; fail_at++) {
            support_allocator allocator = { .fail_at = fail_at, .fail_on = true };
            thaw_context *poor = support_context_on(&allocator);
            thaw_optimizer *optimizer = NULL;
            failed = thaw_optimizer_create(poor, descriptions[i], &optimizer) == THAW_OUT_OF_MEMORY;
            cr_assert(!failed || !optimizer);
            thaw_optimizer_destroy(optimizer);
            thaw_context_destroy(poor);
            cr_assert_eq(allocator.live, 0, "%s: %zu blocks are left", descriptions[i], allocator.live);
        }
        cr_assert_gt(fail_at, 3, "%s: no allocation failed", descriptions[i]);
    }
}
