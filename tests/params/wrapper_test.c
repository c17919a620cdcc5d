/* Optimizers around others, as they are described and made. */
#include "params/optimizer.h"

#include <math.h>

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

TestSuite(wrapper, .init = set_up, .fini = tear_down);

Test(wrapper, have_settings_of_their_own)
{
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create(context, "lookahead:k=7,alpha=0.25/rmsprop:alpha=0.9", &optimizer));
    cr_assert_eq(thaw_optimizer_get(optimizer, "alpha"), 0.9);
    cr_assert_eq(thaw_optimizer_get(optimizer, "lookahead_alpha"), 0.25);
    assert_ok(context, thaw_optimizer_set(optimizer, "lookahead_k", 9));
    cr_assert_eq(thaw_optimizer_get(optimizer, "lookahead_k"), 9);
    cr_assert(isnan(thaw_optimizer_get(optimizer, "k")));
    assert_fails(context, thaw_optimizer_set(optimizer, "lookahead_k", 0.5), THAW_INVALID_ARGUMENT, "lookahead: k is");
    assert_fails(context, thaw_optimizer_set(optimizer, "lookahead_k", 1.5), THAW_INVALID_ARGUMENT, "k must be whole");
    assert_fails(context, thaw_optimizer_set(optimizer, "lookahead_x", 1), THAW_NOT_FOUND, "known: k, alpha");
    thaw_optimizer_destroy(optimizer);
}

Test(wrapper, that_cannot_be_made_are_explained)
{
    static const struct {
        const char *description;
        thaw_status status;
        const char *message;
    } cases[] = {
        { "lookahead", THAW_INVALID_ARGUMENT, "lookahead: wraps another optimizer, such as lookahead/adamw" },
        { "lookahead:k=3", THAW_INVALID_ARGUMENT, "such as lookahead/adamw" },
        { "lookahead/", THAW_INVALID_ARGUMENT, "such as lookahead/adamw" },
        { "lookahead:k=3/", THAW_INVALID_ARGUMENT, "such as lookahead/adamw" },
        { "lookahead/lookahead", THAW_INVALID_ARGUMENT, "such as lookahead/adamw" },
        { "lookahead/adm", THAW_NOT_FOUND, "did you mean \"adam\"" },
        { "lookahed/adam", THAW_IO_ERROR, "lookahed/adam: cannot open" },
        { "lookahead:q=3/adam", THAW_NOT_FOUND, "hyper-parameter of lookahead \"q\"" },
        { "lookahead:k=3/adam:q=3", THAW_NOT_FOUND, "hyper-parameter of adam \"q\"" },
        { "lookahead/lookahead/adam", THAW_INVALID_ARGUMENT, "lookahead: is given twice" },
        { "cautious/schedule-free-sgd", THAW_INVALID_ARGUMENT, "which evaluates other weights than it trains" },
        { "adamw/lookahead", THAW_INVALID_ARGUMENT, "adamw: wraps no other optimizer" },
        { "adamw:lr=1/lookahead", THAW_INVALID_ARGUMENT, "must be a finite number" },
        { "lookahead/./nowhere/none.so:lr=1", THAW_IO_ERROR, "./nowhere/none.so: cannot open" },
        { "./nowhere/none.so:k=1/adam", THAW_IO_ERROR, "./nowhere/none.so: cannot open" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_optimizer *optimizer = NULL;
        assert_fails(context, thaw_optimizer_create(context, cases[i].description, &optimizer), cases[i].status,
                     cases[i].message);
        cr_assert_null(optimizer);
    }
}

static void shift(const thaw_update *u)
{
    for (size_t i = 0; i < u->count; i++)
        u->parameter[i] += u->slot[0][i] + u->before[i];
}

static const thaw_optimizer_module shifter = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "shifter",
    .slots = (const char *const[]){ "own" },
    .slot_count = 1,
    .wraps = true,
    .compares = true,
    .update = shift,
};

static void assert_refused(const thaw_optimizer_module *module, const char *settings, const char *text)
{
    thaw_optimizer *optimizer;
    assert_fails(context, thaw_optimizer_create_from(context, module, settings, &optimizer), THAW_INVALID_ARGUMENT,
                 text);
}

static bool suits_all(const thaw_suitor *parameter)
{
    return parameter != NULL;
}

Test(wrapper, whose_modules_contradict_themselves_are_refused)
{
    static const char *const many[] = { "a", "b", "c", "d", "e", "f", "g", "h" };
    static const char *const more[] = { "i" }, *const common[] = { "exp_avg" };
    thaw_optimizer_module odd = shifter;
    odd.suits = suits_all;
    odd.fallback = "adamw";
    assert_refused(&odd, "/adamw", "it is a wrapper, and has matrix, suits, view or rests_at_zero");
    odd = shifter;
    odd.wraps = false;
    assert_refused(&odd, NULL, "it has compares or perturb, and is no wrapper");
    odd = shifter;
    odd.perturb = shift;
    assert_refused(&odd, "/adamw", "it has perturb, and with it update or slots");
    odd = shifter;
    odd.slots = common;
    odd.slot_count = 1;
    assert_refused(&odd, "/adamw", "shifter: both it and adamw have state named exp_avg");
    assert_refused(&odd, "/muon", "shifter: both it and muon have state named exp_avg");
    odd.slots = many;
    odd.slot_count = 8;
    thaw_optimizer_module full = odd;
    full.name = "full";
    full.wraps = full.compares = false;
    full.slots = (const char *const[]){ "1", "2", "3", "4", "5", "6", "7", "8" };
    thaw_optimizer *optimizer = NULL, *wrapper = NULL, *last = NULL;
    assert_ok(context, thaw_optimizer_create_from(context, &full, NULL, &optimizer));
    assert_ok(context, thaw_optimizer_create_from(context, &odd, "/sgd", &wrapper));
    assert_ok(context, thaw_optimizer_wrap(optimizer, wrapper->wrapper));
    wrapper->wrapper = NULL;
    thaw_optimizer_module outer = odd;
    outer.slots = more;
    outer.slot_count = 1;
    outer.name = "last";
    assert_ok(context, thaw_optimizer_create_from(context, &outer, "/sgd", &last));
    assert_fails(context, thaw_optimizer_wrap(optimizer, last->wrapper), THAW_INVALID_ARGUMENT,
                 "last/shifter/full: has 17 state arrays, must have at most 16 together");
    thaw_optimizer_destroy(optimizer);
    thaw_optimizer_destroy(wrapper);
    thaw_optimizer_destroy(last);
}
