/* Policies from descriptions and modules, and what is wrong with them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "support/support.h"

static void assert_refused(const char *description, thaw_status expected, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_policy *policy;
    cr_assert_eq(thaw_policy_create(context, description, &policy), expected, "%s", thaw_context_message(context));
    cr_assert_null(policy);
    cr_assert_not_null(strstr(thaw_context_message(context), text), "%s", thaw_context_message(context));
    thaw_context_destroy(context);
}

Test(policy_descriptions, that_are_wrong)
{
    assert_refused(NULL, THAW_INVALID_ARGUMENT, "a policy's description is missing");
    assert_refused("", THAW_NOT_FOUND, "unknown policy");
    assert_refused("autofrieze", THAW_NOT_FOUND, "did you mean \"autofreeze\"?");
    assert_refused("mine.so", THAW_NOT_FOUND, "the path of a shared object contains a '/'");
    assert_refused("auto:patience=3", THAW_NOT_FOUND, "unknown hyper-parameter of auto \"patience\"");
    assert_refused("auto:tolerance=5", THAW_INVALID_ARGUMENT, "auto: tolerance is 5, must be from 0 to 1");
    assert_refused("auto:tolerance=%", THAW_INVALID_ARGUMENT, "must be a finite number");
    assert_refused("auto:tolerance=1%%", THAW_INVALID_ARGUMENT, "must be a finite number");
    assert_refused("auto:tolerance", THAW_INVALID_ARGUMENT, "must be NAME=VALUE");
    assert_refused("badam:every=0", THAW_INVALID_ARGUMENT, "must be from 1 to");
    assert_refused("./missing.so", THAW_IO_ERROR, "./missing.so");
}

Test(policy_descriptions, settings_and_percents)
{
    thaw_context *context = support_context(1);
    thaw_policy *policy;
    assert_ok(context, thaw_policy_create(context, "auto:tolerance=0.25%,every=10", &policy));
    cr_assert_str_eq(thaw_policy_name(policy), "auto:tolerance=0.25%,every=10");
    cr_assert_float_eq(thaw_policy_get(policy, "tolerance"), 0.0025, 1e-15);
    cr_assert_eq(thaw_policy_get(policy, "every"), 10.0);
    cr_assert(isnan(thaw_policy_get(policy, "other")));
    thaw_policy_destroy(policy);
    thaw_policy_destroy(NULL);
    thaw_context_destroy(context);
}

Test(policy_descriptions, built_in_ones_are_listed_in_order)
{
    const thaw_policy_module *module;
    const char *before = "";
    size_t count = 0;
    for (; (module = thaw_policy_builtin(count)); count++) {
        cr_assert_lt(strcmp(before, module->name), 0);
        cr_assert_not_null(module->description);
        before = module->name;
    }
    cr_assert_geq(count, 5U);
}

static void decide(const thaw_policy_view *view, thaw_policy_actions *actions)
{
    (void)view, (void)actions;
}

static void assert_module_refused(const thaw_policy_module *module, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_policy *policy;
    cr_assert_eq(thaw_policy_create_from(context, module, NULL, &policy), THAW_INVALID_ARGUMENT);
    cr_assert_null(policy);
    cr_assert_not_null(strstr(thaw_context_message(context), text), "%s", thaw_context_message(context));
    thaw_context_destroy(context);
}

Test(policy_descriptions, modules_that_break_a_rule)
{
    const thaw_policy_module right = { THAW_POLICY_MODULE_HEAD, .name = "mine", .decide = decide };
    thaw_policy_module wrong = right;
    assert_module_refused(NULL, "a policy's module: it is missing");
    wrong.abi = THAW_POLICY_ABI + 1;
    assert_module_refused(&wrong, "it was compiled for version 2 of the abi, must be version 1");
    wrong.abi = THAW_OPTIMIZER_ABI;
    assert_module_refused(&wrong, "it is not a policy module");
    wrong = right;
    wrong.size = 16;
    assert_module_refused(&wrong, "its struct has 16 bytes, must have at least");
    wrong.size = sizeof wrong + 8;
    assert_module_refused(&wrong, "compiled with the headers of a newer Thaw");
    wrong = right;
    wrong.decide = NULL;
    assert_module_refused(&wrong, "it has no decide function");
    wrong = right;
    wrong.name = "a:b";
    assert_module_refused(&wrong, "its name is missing, too long, or holds one of");
    const thaw_hyperparameter odd[] = { { "x", 2, 0, 1 } };
    wrong = right;
    wrong.settings = odd;
    wrong.setting_count = 1;
    assert_module_refused(&wrong, "default is outside of its range");
}

Test(policy_descriptions, a_shared_object_of_another_kind)
{
    char description[1024];
    snprintf(description, sizeof description, "%s/module-older.so", getenv("THAW_MODULES"));
    assert_refused(description, THAW_BAD_FORMAT, "it is not a policy module");
}
