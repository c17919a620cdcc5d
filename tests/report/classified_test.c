/* The page of a classifier's figures. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/classified.h"
#include "support/files.h"
#include "support/support.h"

enum { MOST = 70, PAGE_BYTES = 1 << 21 };

static thaw_context *context;
static char directory[SUPPORT_PATH_BYTES];
static char page[PAGE_BYTES];

static void begin(void)
{
    context = support_context(1);
    support_make_directory(directory);
}

static void end(void)
{
    support_remove_directory(directory);
    thaw_context_destroy(context);
}

TestSuite(classified, .init = begin, .fini = end);

/* Writes the page of samples that were told so: `count` pairs of the right class and the answer. */
static void write_page(const char *const *names, size_t classes, const int32_t (*pairs)[2], size_t count)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_class_figures figures[MOST];
    thaw_classified classified = {
        .classes = figures, .names = names, .loss = 0.25, .model = "resnet18", .data = "a & b", .weights = "w"
    };
    thaw_classification *counts;
    assert_ok(context, thaw_classification_create(context, classes, &counts));
    for (size_t i = 0; i < count; i++) {
        float scores[MOST] = { 0 };
        scores[pairs[i][1]] = 1;
        assert_ok(context, thaw_classification_add(counts, scores, &pairs[i][0], 1));
    }
    classified.counts = counts;
    assert_ok(context, thaw_classification_totals(counts, &classified.all));
    for (size_t i = 0; i < classes; i++)
        assert_ok(context, thaw_classification_class(counts, i, &figures[i]));
    support_path(path, directory, "page.html");
    assert_ok(context, thaw_classified_write_page(context, &classified, path));
    const long bytes = support_read_file(path, page, sizeof page - 1);
    cr_assert(bytes > 0);
    page[bytes] = '\0';
    thaw_classification_destroy(counts);
}

static size_t count_of(const char *text)
{
    size_t count = 0;
    for (const char *at = page; (at = strstr(at, text)); at += strlen(text))
        count++;
    return count;
}

static void assert_says(const char *text)
{
    cr_assert_not_null(strstr(page, text), "the page lacks %s", text);
}

Test(classified, cells_tell_names_and_counts)
{
    static const char *const names[] = { "<cat>", "dog", "no \"one\"" };
    static const int32_t pairs[][2] = {
        { 0, 0 }, { 0, 0 }, { 0, 1 }, { 0, 1 }, { 0, 1 }, { 1, 1 }, { 1, 0 }, { 1, 1 }
    };
    write_page(names, 3, pairs, THAW_COUNT(pairs));
    assert_says("<title>Answers of resnet18</title>");
    assert_says("<p class=\"subject\">a &amp; b</p>");
    assert_says("title=\"&lt;cat&gt; told right: 2 of 5 samples (40.00 %)\">2</td>");
    assert_says("title=\"&lt;cat&gt; taken for dog: 3 of 5 samples (60.00 %)\">3</td>");
    assert_says("title=\"dog taken for &lt;cat&gt;: 1 of 3 samples (33.33 %)\">1</td>");
    assert_says("title=\"dog taken for no &quot;one&quot;: 0 of 3 samples (0.00 %)\"></td>");
    assert_says("title=\"no &quot;one&quot; told right: 0 of 0 samples\"></td>");
    /* Rows are classes. */
    const char *head = strstr(page, "<th scope=\"row\" title=\"dog\">"),
               *cell = strstr(page, "title=\"dog taken for &lt;");
    cr_assert(head && cell > head && !strstr(head, "title=\"&lt;cat&gt; taken for dog"));
    cr_assert(cell < strstr(head, "</tr>"));
    assert_says("<dt>&lt;cat&gt; taken for dog</dt><dd>3 of 5, 60.00\u202F%</dd>");
    assert_says("<b>50.00\u202F%</b> accuracy");
    assert_says("4 of 8 samples were told right.");
    cr_assert_eq(count_of(" taken for "), 6 + 2 + 2, "%zu", count_of(" taken for "));
    cr_assert_null(strstr(page, "<cat>"));
    cr_assert_null(strstr(page, "{{"));
    cr_assert_null(strstr(page, "://"), "the page needs a network");
}

Test(classified, shows_the_most_confused_of_many_classes)
{
    static char texts[MOST][8];
    static const char *names[MOST];
    static int32_t pairs[2 * MOST][2];
    for (int32_t i = 0; i < MOST; i++) {
        snprintf(texts[i], sizeof texts[i], "kind%02d", i);
        names[i] = texts[i];
        pairs[2 * i][0] = pairs[2 * i][1] = i;
        pairs[2 * i + 1][0] = i;
        pairs[2 * i + 1][1] = i < 10 ? i : (i + 1 - 10) % 60 + 10; /* the first ten are never confused */
    }
    write_page(names, MOST, (const int32_t(*)[2])pairs, THAW_COUNT(pairs));
    assert_says("Of 70 classes, these are the 60 with the most wrong answers");
    cr_assert_eq(count_of(" samples ("), 60 * 60, "%zu", count_of(" samples ("));
    assert_says("kind10 taken for kind11: 1 of 2 samples");
    cr_assert_null(strstr(page, "kind09 told right"));
}

Test(classified, says_where_no_page_can_be_written)
{
    const thaw_class_figures figures[1] = { { .support = 0 } };
    thaw_classification *counts;
    assert_ok(context, thaw_classification_create(context, 1, &counts));
    const thaw_classified classified = { .counts = counts,
                                         .classes = figures,
                                         .names = (const char *const[]){ "a" },
                                         .loss = NAN,
                                         .model = "m",
                                         .data = "d" };
    assert_fails(context, thaw_classified_write_page(context, &classified, "/nowhere/page.html"), THAW_IO_ERROR,
                 "/nowhere/page.html");
    thaw_classification_destroy(counts);
}
