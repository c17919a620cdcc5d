/* Results and measurements with one value that nobody would expect: a whole page or a reason, in short time. */
#include <string.h>
#include <time.h>

#include "report/read.h"
#include "report/write.h"
#include "support/files.h"
#include "support/hostile.h"
#include "support/schema.h"
#include "support/support.h"

static thaw_context *context;
static char path[SUPPORT_PATH_BYTES], directory[SUPPORT_PATH_BYTES];

static void begin(void)
{
    context = support_context(1);
    support_make_directory(directory);
    support_path(path, directory, "input.json");
}

static void end(void)
{
    thaw_context_destroy(context);
    support_remove_tree(directory);
}

static void assert_lacks(const char *html, const char *text, const char *change)
{
    const char *found = strstr(html, text);
    cr_assert_null(found, "%s: ...%.80s", change, found);
}

/* Through a file, as everything comes in. */
static void make_page(const json_t *document, const char *change)
{
    enum { SECONDS = 2 };
    const char *const files[] = { path };
    thaw_report_inputs read;
    const clock_t start = clock(); /* the processor's time: others may use the machine */
    cr_assert_eq(json_dump_file(document, path, JSON_ENCODE_ANY), 0);
    thaw_status status = thaw_report_read(context, files, 1, &read);
    if (status == THAW_OK) {
        char *html;
        assert_ok(context, thaw_report_make_page(context, read.results, read.measurements, &html));
        const size_t length = strlen(html);
        cr_assert_str_eq(html + length - strlen("</html>\n"), "</html>\n", "%s", change);
        static const char *const wrong[] = { "=\"nan", "=\"-nan", "=\"inf", "=\"-inf", " nan", " -nan", "\x1b" };
        for (size_t i = 0; i < THAW_COUNT(wrong); i++)
            assert_lacks(html, wrong[i], change);
        thaw_text_destroy(context, html);
    } else {
        cr_assert_eq(status, THAW_BAD_FORMAT, "%s: %s", change, thaw_context_message(context));
    }
    thaw_report_inputs_release(&read);
    cr_assert_lt((double)(clock() - start) / CLOCKS_PER_SEC, SECONDS, "%s", change);
}

Test(hostile_numbers, in_results_make_a_page, .init = begin, .fini = end, .timeout = 280)
{
    json_t *results = support_project_json("tests/compare/results.json");
    cr_assert_gt(support_each_hostile(results, make_page), 1000);
    json_decref(results);
}

Test(hostile_numbers, in_a_measurement_make_a_page_or_a_reason, .init = begin, .fini = end, .timeout = 120)
{
    json_t *one = json_pack("{sssssssssssssisfsfsssssisi}", "schema", THAW_MEASUREMENT_SCHEMA, "benchmark", "b",
                            "title", "t", "setting", "s", "what", "w", "size_unit", "u", "threads", 2, "seconds", 0.5,
                            "limit_seconds", 0.25, "limit", "l", "processor", "p", "size", 7, "repetitions", 9);
    cr_assert_gt(support_each_hostile(one, make_page), 150);
    json_decref(one);
}
