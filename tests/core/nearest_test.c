#include "core/nearest.h"

#include <string.h>

#include "support/support.h"

Test(nearest, counts_edits)
{
    static const struct {
        const char *left, *right;
        size_t distance;
    } cases[] = {
        { "", "", 0 },
        { "", "abc", 3 },
        { "adam", "adam", 0 },
        { "adm", "adam", 1 },
        { "adamw", "adam", 1 },
        { "adem", "adam", 1 },
        { "kitten", "sitting", 3 },
        { "flaw", "lawn", 2 },
        { "ab", "ba", 2 },
        { "momentun", "momentum", 1 },
        { "intention", "execution", 5 },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const size_t there = thaw_edit_distance(cases[i].left, cases[i].right);
        const size_t back = thaw_edit_distance(cases[i].right, cases[i].left);
        cr_assert_eq(there, cases[i].distance, "\"%s\" and \"%s\": %zu", cases[i].left, cases[i].right, there);
        cr_assert_eq(back, there);
    }
}

Test(nearest, reads_63_characters)
{
    char longer[101] = { 0 }, other[101] = { 0 };
    memset(longer, 'a', 100);
    memset(other, 'a', 63);
    cr_assert_eq(thaw_edit_distance(longer, other), 0);
    cr_assert_eq(thaw_edit_distance(longer, ""), 63);
}

Test(nearest, names_what_was_meant_or_nothing)
{
    static const char *const known[] = { "adam", "adamw", "rmsprop", "sgd" };
    static const struct {
        const char *word, *meant;
    } cases[] = {
        { "adma", "adam" }, { "adam", "adam" }, { "addamw", "adamw" },  { "rms-prop", "rmsprop" },
        { "sgb", "sgd" },   { "rmsp", NULL },   { "lion", NULL },       { "", NULL },
        { "gd", "sgd" },    { "x", NULL },      { "rmspr", "rmsprop" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *found = thaw_nearest(cases[i].word, known, 4);
        cr_assert(found == cases[i].meant || (found && cases[i].meant && strcmp(found, cases[i].meant) == 0),
                  "\"%s\": %s, expected %s", cases[i].word, found ? found : "nothing",
                  cases[i].meant ? cases[i].meant : "nothing");
    }
}

Test(nearest, unknown_names_are_reported_with_the_known)
{
    static const char *const known[] = { "adam", "sgd" };
    thaw_context *context = support_context(1);
    assert_fails(context, thaw_fail_unknown(context, "optimizer", "sgb", known, 2), THAW_NOT_FOUND,
                 "unknown optimizer \"sgb\", did you mean \"sgd\"?; known: adam, sgd");
    assert_fails(context, thaw_fail_unknown(context, "optimizer", "lion", known, 2), THAW_NOT_FOUND,
                 "unknown optimizer \"lion\"; known: adam, sgd");
    thaw_context_destroy(context);
}
