/* The list of kinds of data sets. */
#include <string.h>
#include <thaw/data.h>

#include "support/support.h"

/* Reads it, but for its files, which are not there. */
static thaw_status open_example(thaw_context *context, const char *example)
{
    thaw_dataset *training, *test;
    const thaw_status status = thaw_dataset_open(context, example, &training, &test);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    return status;
}

Test(kinds, each_has_a_form_and_an_example_that_can_be_read)
{
    thaw_context *context = support_context(1);
    thaw_dataset_kind kind;
    size_t count = 0;
    for (; thaw_dataset_kind_at(count, &kind); count++) {
        const size_t length = strlen(kind.name);
        cr_assert(kind.form && kind.example && kind.description, "%s", kind.name);
        cr_assert_eq(strncmp(kind.form, kind.name, length), 0, "%s", kind.form);
        cr_assert_eq(strncmp(kind.example, kind.name, length), 0, "%s", kind.example);
        const thaw_status status = open_example(context, kind.example);
        cr_assert(status == THAW_OK || status == THAW_IO_ERROR, "%s: %s", kind.example, thaw_context_message(context));
    }
    cr_assert_geq(count, 6);
    cr_assert_null(thaw_dataset_kind_option(count, 0));
    assert_fails(context, open_example(context, "fashion:classes=0-4"), THAW_NOT_FOUND, "unknown data set");
    thaw_context_destroy(context);
}

Test(kinds, options_are_listed_in_order)
{
    thaw_dataset_kind kind;
    size_t index = 0, found = 0;
    while (thaw_dataset_kind_at(index, &kind) && strcmp(kind.name, "folder") != 0)
        index++;
    cr_assert_str_eq(kind.name, "folder");
    const char *name, *before = "";
    for (size_t i = 0; (name = thaw_dataset_kind_option(index, i)); i++) {
        cr_assert_lt(strcmp(before, name), 0, "%s before %s", before, name);
        found += strcmp(name, "augment") == 0 || strcmp(name, "mean") == 0 || strcmp(name, "val") == 0;
        before = name;
    }
    cr_assert_eq(found, 3);
}
