/* Which groups and parameters a pattern means. */
#include <stdio.h>
#include <string.h>

#include "params/parameter.h"
#include "support/support.h"

/* Groups and parameters: conv1 {weight, bias}, conv2 {weight, bias}, bn {scale, mean}, head {} */
static thaw_parameter_set make_set(thaw_context *context)
{
    static const char *const layers[][3] = { { "conv1", "weight", "bias" },
                                             { "conv2", "weight", "bias" },
                                             { "bn.1", "scale", "mean" },
                                             { "head", NULL, NULL } };
    thaw_parameter_set set = { .context = context };
    for (size_t i = 0; i < THAW_COUNT(layers); i++) {
        thaw_group *group;
        assert_ok(context, thaw_set_add_group(&set, layers[i][0], &group));
        for (size_t k = 1; k < 3 && layers[i][k]; k++)
            assert_ok(context, thaw_set_add_parameter(&set,
                                                      &(thaw_parameter_specification){
                                                          .name = layers[i][k],
                                                          .shape = { 1, { 2 } },
                                                          .initializer = THAW_INITIAL_ONE,
                                                      },
                                                      (uint32_t)i));
    }
    return set;
}

/* Appends "group " or "group/parameter " for what is visited. */
static void note(void *argument, thaw_selected selected)
{
    char *text = argument;
    const size_t used = strlen(text);
    snprintf(text + used, 256 - used, "%s%s ", selected.parameter ? "/" : "",
             selected.parameter ? selected.parameter->name : selected.group->name);
    cr_assert(!selected.parameter || selected.parameter->group == selected.group);
}

static void assert_selects(const char *pattern, const char *expected)
{
    thaw_context *context = support_context(1);
    thaw_parameter_set set = make_set(context);
    char found[256] = "";
    assert_ok(context, thaw_set_select(&set, pattern, note, found));
    cr_assert_str_eq(found, expected, "%s selects %s, wanted %s", pattern, found, expected);
    for (size_t i = 0; i < set.parameter_count; i++) {
        const thaw_parameter *parameter = set.parameters[i];
        char whole[64], alone[64];
        snprintf(whole, sizeof whole, "%s ", parameter->group->name);
        snprintf(alone, sizeof alone, "/%s ", parameter->name);
        const char *at = strstr(expected, whole);
        const bool meant = (at && (at == expected || at[-1] == ' ')) || strstr(expected, alone);
        cr_assert_eq(thaw_parameter_selected(parameter, pattern), meant, "%s and %s", pattern, parameter->name);
    }
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

Test(selection, means_whole_groups_where_their_names_match)
{
    assert_selects("conv1", "conv1 ");
    assert_selects("conv?", "conv1 conv2 ");
    assert_selects("*", "conv1 conv2 bn.1 head ");
    assert_selects("head|bn*", "bn.1 head ");
    assert_selects("conv*", "conv1 conv2 ");
    assert_selects("[!c]*", "bn.1 head ");
}

Test(selection, means_single_parameters_where_no_group_matches)
{
    assert_selects("conv1.weight", "/conv1.weight ");
    assert_selects("*.bias", "/conv1.bias /conv2.bias ");
    assert_selects("*.{scale,weight}", "/conv1.weight /conv2.weight /bn.1.scale ");
    assert_selects("conv1.*", "/conv1.weight /conv1.bias ");
}

Test(selection, decides_for_each_group_by_itself)
{
    assert_selects("conv1|*.bias", "conv1 /conv2.bias ");
    assert_selects("*1", "conv1 bn.1 ");
    assert_selects("*.[1m]*", "bn.1 ");
}

static void never(void *argument, thaw_selected selected)
{
    (void)argument;
    cr_assert_fail("%s was visited", selected.group->name);
}

static void assert_selects_nothing(const char *pattern, thaw_status status, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_parameter_set set = make_set(context);
    assert_fails(context, thaw_set_select(&set, pattern, never, NULL), status, text);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

Test(selection, says_when_nothing_matches)
{
    assert_selects_nothing("conv3", THAW_NOT_FOUND,
                           "pattern \"conv3\" matches no group and no parameter, did you mean \"conv1\"?; the groups "
                           "are conv1, conv2, bn.1, head");
    assert_selects_nothing("haed", THAW_NOT_FOUND, "did you mean \"head\"?");
    assert_selects_nothing("conv3*", THAW_NOT_FOUND,
                           "pattern \"conv3*\" matches no group and no parameter; the groups are conv1, ");
    assert_selects_nothing("head.*", THAW_NOT_FOUND, "head.*");
    assert_selects_nothing("weight", THAW_NOT_FOUND, "weight");
}

Test(selection, refuses_malformed_patterns_before_anything_is_visited)
{
    char endless[400];
    memset(endless, '*', sizeof endless);
    endless[399] = '\0';
    assert_selects_nothing("conv1|", THAW_INVALID_ARGUMENT, "empty");
    assert_selects_nothing("*{", THAW_INVALID_ARGUMENT, "not closed");
    assert_selects_nothing("*]", THAW_INVALID_ARGUMENT, "no [");
    assert_selects_nothing("", THAW_INVALID_ARGUMENT, "empty");
    assert_selects_nothing(NULL, THAW_INVALID_ARGUMENT, "missing");
    assert_selects_nothing(endless, THAW_INVALID_ARGUMENT, "longer than 256");
}

Test(selection, drops_the_last_group_with_what_it_holds)
{
    thaw_context *context = support_context(1);
    thaw_parameter_set set = make_set(context);
    const uint64_t revision = set.revision;
    thaw_set_drop_group(&set);
    thaw_set_drop_group(&set);
    cr_assert_eq(set.group_count, 2);
    cr_assert_eq(set.parameter_count, 4);
    cr_assert_gt(set.revision, revision);
    assert_fails(context, thaw_set_select(&set, "bn*", never, NULL), THAW_NOT_FOUND, "bn*");
    thaw_set_release(&set);
    thaw_context_destroy(context);
}
