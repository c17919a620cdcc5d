/* What the public calls make of flags and overrides; that frozen bytes stay is tested in tests/train. */
#include <string.h>

#include "support/toy_network.h"

/* Groups conv1, conv2, conv3.bn (which has a statistic too), dense; all trainable. */
static thaw_model *four_groups(thaw_context *context)
{
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "conv1", 0, -1);
    toy_append(model, &toy_scale, "conv2", 1, -1);
    toy_append(model, &toy_center, "conv3.bn", 2, -1);
    toy_append(model, &toy_scale, "dense", 3, -1);
    return model;
}

/* Which parameters train, in order: '1' or '0' each. */
static void assert_trains(thaw_model *model, const char *expected, const char *after)
{
    char found[16] = "";
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++)
        strcat(found, thaw_parameter_trainable(thaw_model_parameter(model, i)) ? "1" : "0");
    cr_assert_str_eq(found, expected, "after %s: %s, wanted %s", after, found, expected);
}

typedef struct action {
    char kind; /* freeze, unfreeze, before */
    const char *pattern;
    const char *trains; /* conv1, conv2, conv3.bn's factor and mean, dense */
} action;

static void assert_story(const action *actions, size_t count)
{
    thaw_context *context = support_context(1);
    thaw_model *model = four_groups(context);
    assert_trains(model, "11101", "nothing: a statistic never trains");
    for (size_t i = 0; i < count; i++) {
        const char *pattern = actions[i].pattern;
        if (actions[i].kind == 'f')
            assert_ok(context, thaw_model_freeze(model, pattern));
        else if (actions[i].kind == 'u')
            assert_ok(context, thaw_model_unfreeze(model, pattern));
        else
            assert_ok(context, thaw_model_freeze_before(model, pattern));
        assert_trains(model, actions[i].trains, pattern);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(freezing, goes_by_the_names_of_groups)
{
    const action actions[] = {
        { 'f', "conv1", "01101" },
        { 'f', "conv?", "00101" },
        { 'u', "conv2", "01101" },
        { 'f', "*", "00000" },
        { 'u', "{conv1,dense}", "10001" },
        { 'u', "*.bn", "10101" },
        { 'f', "conv*", "00001" },
        { 'u', "conv[1-2]|dense", "11001" },
        { 'f', "dense", "11000" },
        { 'f', "dense", "11000" },
        { 'u', "*", "11101" },
    };
    assert_story(actions, THAW_COUNT(actions));
}

Test(freezing, goes_by_the_names_of_parameters_where_no_group_matches)
{
    const action actions[] = {
        { 'f', "conv1.factor", "01101" }, { 'u', "conv1.factor", "11101" },       { 'f', "*.factor", "00000" },
        { 'u', "dense.f*", "00001" },     { 'u', "conv3.bn.mean", "00001" },      { 'u', "*.{factor,mean}", "11101" },
        { 'f', "conv2.*", "10101" },      { 'f', "conv1|conv2.factor", "00101" },
    };
    assert_story(actions, THAW_COUNT(actions));
}

Test(freezing, of_a_group_clears_what_was_said_of_its_parameters)
{
    const action actions[] = {
        { 'f', "conv1.factor", "01101" },
        { 'f', "conv1", "01101" },
        { 'u', "conv1", "11101" },
        { 'f', "*", "00000" },
        { 'u', "*.factor", "11101" },
        { 'f', "conv*", "00001" },
        { 'u', "*", "11101" },
        { 'f', "dense.factor", "11100" },
        { 'b', "conv1", "11101" },
        { 'u', "dense.factor", "11101" },
        { 'b', "dense", "00001" },
    };
    assert_story(actions, THAW_COUNT(actions));
}

Test(freezing, before_a_group_freezes_below_and_thaws_above)
{
    const action actions[] = {
        { 'b', "conv2", "01101" },     { 'b', "dense", "00001" },  { 'b', "conv1", "11101" },
        { 'b', "conv[23]*", "01101" }, { 'b', "*.bn", "00101" },   { 'b', "conv2.factor", "01101" },
        { 'f', "*", "00000" },         { 'b', "conv3*", "00101" },
    };
    assert_story(actions, THAW_COUNT(actions));
}

Test(freezing, of_one_parameter_leaves_its_groups_flag)
{
    thaw_context *context = support_context(1);
    thaw_model *model = four_groups(context);
    thaw_group *group = thaw_model_find_group(model, "conv3.bn");
    assert_ok(context, thaw_model_freeze(model, "conv3.bn.factor"));
    cr_assert(thaw_group_trainable(group));
    assert_ok(context, thaw_model_freeze(model, "conv3.bn"));
    cr_assert_not(thaw_group_trainable(group));
    assert_ok(context, thaw_model_unfreeze(model, "conv3.bn.factor"));
    cr_assert_not(thaw_group_trainable(group));
    cr_assert(thaw_parameter_trainable(thaw_group_parameter(group, 0)));
    cr_assert_not(thaw_parameter_trainable(thaw_group_parameter(group, 1)), "a statistic");
    cr_assert_null(thaw_group_parameter(group, 2));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(freezing, refuses_patterns_that_match_nothing_or_are_malformed)
{
    const struct {
        const char *pattern;
        thaw_status status;
        const char *text;
    } cases[] = {
        { "conv4", THAW_NOT_FOUND,
          "\"conv4\" matches no group and no parameter, did you mean \"conv1\"?; the groups are conv1, conv2, conv3.bn, "
          "dense" },
        { "CONV1", THAW_NOT_FOUND, "CONV1" },
        { "factor", THAW_NOT_FOUND, "factor" },
        { "input", THAW_NOT_FOUND, "input" },
        { "conv[1", THAW_INVALID_ARGUMENT, "is not closed" },
        { "{conv1", THAW_INVALID_ARGUMENT, "is not closed" },
        { "", THAW_INVALID_ARGUMENT, "empty" },
        { NULL, THAW_INVALID_ARGUMENT, "missing" },
    };
    thaw_context *context = support_context(1);
    thaw_model *model = four_groups(context);
    assert_ok(context, thaw_model_freeze(model, "conv1|dense.factor"));
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const char *pattern = cases[i].pattern;
        assert_fails(context, thaw_model_freeze(model, pattern), cases[i].status, cases[i].text);
        assert_fails(context, thaw_model_unfreeze(model, pattern), cases[i].status, cases[i].text);
        assert_fails(context, thaw_model_freeze_before(model, pattern), cases[i].status, cases[i].text);
        assert_trains(model, "01100", pattern ? pattern : "no pattern");
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(freezing, of_a_model_without_groups_says_so)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_pass, NULL, 0, -1);
    assert_fails(context, thaw_model_freeze(model, "*"), THAW_NOT_FOUND, "there are no groups");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(freezing, lists_no_more_groups_than_a_message_holds)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    for (thaw_node i = 0; i < 200; i++)
        toy_append(model, &toy_scale, NULL, i, -1);
    assert_fails(context, thaw_model_freeze(model, "x"), THAW_NOT_FOUND, "the groups are scale1, scale2");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
