#include "core/pattern.h"

#include <string.h>

#include "support/support.h"

typedef struct matching_case {
    const char *pattern, *name;
    bool matches;
} matching_case;

static const matching_case cases[] = {
    { "conv1", "conv1", true },
    { "conv1", "conv12", false },
    { "conv1", "conv", false },
    { "conv*", "conv1", true },
    { "conv*", "conv", true },
    { "conv*", "deconv", false },
    { "*", "", true },
    { "*", "layer1.0.conv1", true },
    { "layer*weight", "layer1.0.conv1.weight", true },
    { "*.weight", "weight", false },
    { "a*b*c", "a--b--b-c", true },
    { "a*b*c", "a--c--b", false },
    { "**", "anything", true },
    { "conv?", "conv1", true },
    { "conv?", "conv", false },
    { "conv?", "conv12", false },
    { "layer[1-3].*", "layer2.0", true },
    { "layer[1-3].*", "layer4.0", false },
    { "layer[!1-3]", "layer4", true },
    { "layer[!1-3]", "layer3", false },
    { "[abx-z]", "b", true },
    { "[abx-z]", "y", true },
    { "[abx-z]", "c", false },
    { "[]]", "]", true },
    { "[!]]", "]", false },
    { "[!]]", "[", true },
    { "[a-]", "-", true },
    { "[-a]", "-", true },
    { "[a-]", "b", false },
    { "[{,|*]", "|", true },
    { "[{,|*]", "x", false },
    { "[\x80-\xff]", "\xc3", true },
    { "[\x80-\xff]", "a", false },
    { "{conv,dense}1", "conv1", true },
    { "{conv,dense}1", "dense1", true },
    { "{conv,dense}1", "conv", false },
    { "{conv,dense}1", "convdense1", false },
    { "a{b,c{d,e}f}g", "abg", true },
    { "a{b,c{d,e}f}g", "acefg", true },
    { "a{b,c{d,e}f}g", "acdf", false },
    { "a{b,c{d,e}f}g", "abcdfg", false },
    { "{a,b}{c,d}", "bc", true },
    { "{a,b}{c,d}", "ab", false },
    { "{{a}}", "a", true },
    { "{conv*,fc}.{weight,bias}", "conv1.2.bias", true },
    { "{conv*,fc}.{weight,bias}", "fc.scale", false },
    { "conv1|dense2", "conv1", true },
    { "conv1|dense2", "dense2", true },
    { "conv1|dense2", "conv1dense2", false },
    { "conv1|dense2", "conv1|dense2", false },
    { "a*|b", "azb", true },
    { "a|*b", "azb", true },
    { "a|b*", "azb", false },
    { "x,y", "x,y", true },
    { "x,y", "x", false },
    { "a\\*", "a\\bc", true },
    { "a\\*", "a*", false },
    { "\\?", "\\x", true },
};

Test(pattern, matches_as_the_shell_does)
{
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        cr_assert_null(thaw_pattern_error(cases[i].pattern), "\"%s\" is refused", cases[i].pattern);
        cr_assert_eq(thaw_pattern_matches(cases[i].pattern, cases[i].name), cases[i].matches, "\"%s\" on \"%s\"",
                     cases[i].pattern, cases[i].name);
    }
}

Test(pattern, malformed_ones_are_explained_and_match_nothing)
{
    static const struct {
        const char *pattern, *error;
    } malformed[] = {
        { "", "empty" },       { "|a", "empty" },        { "a|", "empty" },       { "a||b", "empty" },
        { "{}", "empty" },     { "{a,}", "empty" },      { "{,a}", "empty" },     { "{a,,b}", "empty" },
        { "{a,{}}", "empty" }, { "[", "[ is not" },      { "[a", "[ is not" },    { "[]", "[ is not" },
        { "[!]", "[ is not" }, { "[a-", "[ is not" },    { "[z-a]", "reversed" }, { "{", "{ is not" },
        { "{a", "{ is not" },  { "{a,{b}", "{ is not" }, { "a}", "} has no" },    { "a]", "] has no" },
        { "{a|b}", "commas" }, { "x[", "[ is not" },
    };
    for (size_t i = 0; i < THAW_COUNT(malformed); i++) {
        const char *error = thaw_pattern_error(malformed[i].pattern);
        cr_assert_not_null(error, "\"%s\" is accepted", malformed[i].pattern);
        cr_assert_not_null(strstr(error, malformed[i].error), "\"%s\": %s", malformed[i].pattern, error);
        cr_assert_not(thaw_pattern_matches(malformed[i].pattern, malformed[i].pattern));
    }
}

Test(pattern, length_is_limited)
{
    char pattern[258];
    memset(pattern, 'a', sizeof pattern);
    pattern[256] = '\0';
    cr_assert_null(thaw_pattern_error(pattern));
    cr_assert(thaw_pattern_matches(pattern, pattern));
    pattern[256] = 'a';
    pattern[257] = '\0';
    cr_assert_not_null(strstr(thaw_pattern_error(pattern), "256"));
}

Test(pattern, deepest_nesting_is_handled)
{
    char pattern[257] = { 0 };
    memset(pattern, '{', 127);
    memset(pattern + 127, 'a', 2);
    memset(pattern + 129, '}', 127);
    cr_assert_null(thaw_pattern_error(pattern));
    cr_assert(thaw_pattern_matches(pattern, "aa"));
    memset(pattern, '{', 256);
    cr_assert_not_null(thaw_pattern_error(pattern));
}

/* Fifty-one alternatives of two, and runs that could each end anywhere: a matcher that expands or backtracks would not
   return within the test's time limit. */
Test(pattern, hostile_patterns_stay_fast)
{
    char braces[257] = { 0 }, stars[257] = { 0 }, name[4001] = { 0 };
    for (size_t i = 0; i < 51; i++)
        memcpy(braces + 5 * i, "{a,a}", 5);
    for (size_t i = 0; i < 254; i += 2)
        memcpy(stars + i, "*a", 2);
    strcat(stars, "b");
    memset(name, 'a', 4000);
    cr_assert_not(thaw_pattern_matches(stars, name));
    cr_assert_not(thaw_pattern_matches(braces, name));
    name[51] = '\0';
    cr_assert(thaw_pattern_matches(braces, name));
}
