/* The checksum of results: no byte of them can change unnoticed. */
#include <string.h>
#include <thaw/report.h>

#include "report/checksum.h"
#include "support/comparison.h"

enum { MOST_BYTES = 1 << 16 };

/* Expected: a CRC-32C in Python, bit by bit, of {"a":[1,{"c":null,"d":"x"}],"b":1.5}. */
Test(checksum, is_of_the_content_however_it_is_written, .init = comparison_begin, .fini = comparison_end)
{
    static const char *const same[] = {
        "{\"a\": [1, {\"c\": null, \"d\": \"x\"}], \"b\": 1.5}",
        "{\"checksum\": 7, \"b\": 15e-1,\n\"a\": [1, {\"d\": \"\\u0078\", \"c\": null}]}",
    };
    for (size_t i = 0; i < THAW_COUNT(same); i++) {
        char found[THAW_CHECKSUM_BYTES];
        json_t *document = json_loads(same[i], 0, NULL);
        cr_assert_not_null(document);
        assert_ok(comparison.context, thaw_results_checksum(comparison.context, "here", document, found));
        cr_assert_str_eq(found, "6bbc4e65", "%s", same[i]);
        json_decref(document);
    }
}

/* Whether the text says the same as `whole`, perhaps with the key of its checksum changed. */
static bool says_the_same(const char *text, size_t bytes, const json_t *whole)
{
    const char *key;
    void *next;
    json_t *value, *wanted = json_copy((json_t *)(uintptr_t)whole);
    json_t *document = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
    if (document && !json_object_get(document, "checksum")) {
        json_object_del(wanted, "checksum");
        json_object_foreach_safe(document, next, key, value)
        {
            if (!json_object_get(wanted, key))
                json_object_del(document, key);
        }
    }
    const bool same = json_equal(document, wanted);
    json_decref(document);
    json_decref(wanted);
    return same;
}

static bool is_damaged(void)
{
    return strstr(thaw_context_message(comparison.context), "results.json: is damaged: ") != NULL;
}

/* That the file is refused; returns whether it is damaged, and not broken JSON or of another schema. */
static bool report_is_refused(size_t byte)
{
    const char *const file = comparison.results;
    const thaw_status status = thaw_report_write(comparison.context, &file, 1, comparison.directory);
    cr_assert_eq(status, THAW_BAD_FORMAT, "byte %zu: %s", byte, thaw_status_name(status));
    return is_damaged();
}

static void assert_not_resumed(const thaw_comparison_options *options, size_t byte)
{
    thaw_comparison *made;
    const thaw_status status = thaw_comparison_create(comparison.context, options, &made);
    cr_assert_eq(status, THAW_BAD_FORMAT, "byte %zu: %s", byte, thaw_status_name(status));
    cr_assert(is_damaged(), "byte %zu: %s", byte, thaw_context_message(comparison.context));
}

Test(checksum, finds_each_changed_byte, .init = comparison_begin, .fini = comparison_end, .timeout = 120)
{
    static char text[MOST_BYTES];
    comparison_use("full", NULL);
    thaw_comparison_options options = comparison_options();
    options.seeds = 1;
    options.epochs = 1;
    thaw_comparison_destroy(comparison_run(&options));
    options.resume = true;
    const long bytes = support_read_file(comparison.results, text, sizeof text);
    cr_assert(bytes > 1000 && bytes < MOST_BYTES, "%ld", bytes);
    cr_assert_eq(strncmp(text + bytes - 25, "\"checksum\": \"", 13), 0, "it is not last: %s", text + bytes - 25);
    json_t *whole = comparison_load();
    size_t damaged = 0, same = 0; /* the last digits of a double can say the same */
    for (size_t i = 0; i < (size_t)bytes; i++) {
        text[i] ^= 1;
        support_write_file(comparison.results, text, (size_t)bytes);
        if (says_the_same(text, (size_t)bytes, whole))
            same++;
        else if (report_is_refused(i) && damaged++ % 32 == 0)
            assert_not_resumed(&options, i);
        text[i] ^= 1;
    }
    cr_assert_gt(damaged, (size_t)bytes / 4);
    cr_assert_lt(same, (size_t)bytes / 20, "%zu", same);
    json_decref(whole);
}

Test(checksum, may_be_missing, .init = comparison_begin, .fini = comparison_end)
{
    comparison_use("full", NULL);
    thaw_comparison_options options = comparison_options();
    thaw_comparison_destroy(comparison_run(&options));
    json_t *edited = comparison_load();
    json_object_set_new(edited, "command", json_string("edited"));
    cr_assert_eq(json_dump_file(edited, comparison.results, 0), 0);
    options.resume = true;
    comparison_assert_refused(&options, THAW_BAD_FORMAT, "must remove its \"checksum\"");
    cr_assert_eq(json_object_del(edited, "checksum"), 0);
    cr_assert_eq(json_dump_file(edited, comparison.results, 0), 0);
    thaw_comparison_destroy(comparison_run(&options));
    json_decref(edited);
}
