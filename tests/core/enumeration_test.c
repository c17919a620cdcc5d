#include "core/enumeration.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(enumeration, a_few_names_are_all_shown)
{
    thaw_enumeration list = { 0 }, joined = { 0 }, none = { 0 };
    thaw_enumerate(&list, "conv1");
    thaw_enumerate(&list, "conv2");
    thaw_enumerate(&list, "fc");
    cr_assert_str_eq(thaw_enumerated(&list), "conv1, conv2, fc");
    thaw_enumerate_joined(&joined, "conv1, conv2, fc");
    cr_assert_str_eq(thaw_enumerated(&joined), "conv1, conv2, fc");
    cr_assert_str_eq(thaw_enumerated(&none), "");
}

/* 100 names of 8 characters: whole names, in order, and the number of the others. */
Test(enumeration, many_are_cut_between_names)
{
    thaw_enumeration list = { 0 };
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "layer%03d", i);
        thaw_enumerate(&list, name);
    }
    char rest[64];
    int shown = 0;
    const char *at = thaw_enumerated(&list);
    for (; strncmp(at, "layer", 5) == 0; at += strncmp(at + 8, ", ", 2) == 0 ? 10 : 8) {
        char name[16];
        snprintf(name, sizeof name, "layer%03d", shown++);
        cr_assert_eq(strncmp(at, name, 8), 0, "%s", at);
    }
    cr_assert_geq(shown, 30);
    snprintf(rest, sizeof rest, " and %d more", 100 - shown);
    cr_assert_str_eq(at, rest);
}

/* After one that does not fit, no later name is shown: the order would mislead. */
Test(enumeration, a_name_that_is_too_long_counts)
{
    char name[2 * THAW_ENUMERATION_BYTES];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    thaw_enumeration list = { 0 }, only = { 0 };
    thaw_enumerate(&list, "first");
    thaw_enumerate(&list, name);
    thaw_enumerate(&list, "last");
    cr_assert_str_eq(thaw_enumerated(&list), "first and 2 more");
    thaw_enumerate(&only, name);
    cr_assert_str_eq(thaw_enumerated(&only), "1 names");
}
