/* Pages from the example of results. tests/report/browser.py looks at them in a browser. */
#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <thaw/report.h>

#include "report/fixture.h"
#include "support/allocator.h"
#include "support/schema.h"
#include "support/support.h"

static void write_json(const json_t *value)
{
    cr_assert_eq(json_dump_file(value, report_input, 0), 0);
    assert_ok(report_context, report_write_from(report_input));
}

static void assert_number(const json_t *value)
{
    char field[64];
    if (!json_is_number(value))
        return;
    snprintf(field, sizeof field, "data-v=\"%.17g\"", json_number_value(value));
    cr_assert_not_null(strstr(report_html, field), "%s", field);
}

/* ---------------------------------------------------------------- what it says */

Test(page, has_the_numbers_of_the_results, .init = report_begin, .fini = report_end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    write_json(results);
    report_read_page();
    size_t index;
    json_t *one;
    json_array_foreach(json_object_get(results, "configurations"), index, one)
    {
        static const char *const keys[] = { "rank",
                                            "learning_rate",
                                            "seconds_per_epoch",
                                            "samples_per_second",
                                            "seconds_to_target",
                                            "parameters_trained",
                                            "flops_per_step" };
        for (size_t i = 0; i < THAW_COUNT(keys); i++)
            assert_number(json_object_get(one, keys[i]));
        assert_number(json_object_get(json_object_get(one, "accuracy"), "mean"));
        assert_number(json_object_get(json_object_get(one, "against_full"), "mean"));
        if (!json_is_true(json_object_get(one, "chosen")))
            continue;
        const char *key;
        const json_t *value;
        json_object_foreach(json_object_get(one, "times"), key, value) assert_number(value);
    }
    json_decref(results);
}

Test(page, needs_nothing_from_elsewhere, .init = report_begin, .fini = report_end)
{
    static const char *const outside[] = { "http:", "https:", " src=", "@import", "url(", "<link rel=\"stylesheet\"" };
    json_t *results = support_project_json("tests/compare/results.json");
    write_json(results);
    report_read_page();
    for (size_t i = 0; i < THAW_COUNT(outside); i++)
        cr_assert_null(strstr(report_html, outside[i]), "%s", outside[i]);
    cr_assert_null(strstr(report_html, "{{"));
    json_decref(results);
}

static void rename_everywhere(json_t *value, const char *from, const char *to)
{
    const char *key;
    size_t index;
    json_t *part;
    if (json_is_string(value) && strcmp(json_string_value(value), from) == 0)
        json_string_set(value, to);
    json_object_foreach(value, key, part) rename_everywhere(part, from, to);
    json_array_foreach(value, index, part) rename_everywhere(part, from, to);
}

Test(page, takes_names_for_text, .init = report_begin, .fini = report_end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    rename_everywhere(results, "head", "<script>alert(1)</script>\" onload=\"x");
    write_json(results);
    report_read_page();
    cr_assert_not_null(strstr(report_html, "&lt;script&gt;alert(1)"));
    cr_assert_null(strstr(report_html, "<script>alert"));
    cr_assert_null(strstr(report_html, "\" onload"));
    json_decref(results);
}

/* ---------------------------------------------------------------- no winner that the seeds do not support */

static void set_result(json_t *results, size_t index, double low, double high, int rank)
{
    json_t *one = json_array_get(json_object_get(results, "configurations"), index);
    json_object_set_new(one, "accuracy",
                        json_pack("{sisfsfsfsf}", "count", 2, "mean", (low + high) / 2, "sd", 0.01, "low", low, "high",
                                  high));
    json_object_set_new(one, "chosen", json_true());
    json_object_set_new(one, "rank", json_integer(rank));
}

static void rank_two(json_t *results, int second)
{
    json_t *all = json_object_get(results, "configurations");
    while (json_array_size(all) > 2)
        json_array_remove(all, 2);
    set_result(results, 0, 0.8, 0.9, 1);
    set_result(results, 1, second == 1 ? 0.75 : 0.6, second == 1 ? 0.85 : 0.7, second);
    write_json(results);
    report_read_page();
}

Test(page, names_a_winner_only_where_there_is_one, .init = report_begin, .fini = report_end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    rank_two(results, 2);
    cr_assert_not_null(strstr(report_html, "<b>full</b> with adam is <b>ahead</b>"));
    cr_assert_null(strstr(report_html, "share first place"));
    rank_two(results, 1);
    cr_assert_null(strstr(report_html, "is <b>ahead</b>"));
    cr_assert_not_null(strstr(report_html, "2 configurations <b>share first place</b>"));
    json_object_set_new(json_object_get(results, "experiment"), "seeds", json_integer(1));
    rank_two(results, 2);
    cr_assert_null(strstr(report_html, "is <b>ahead</b>"));
    cr_assert_not_null(strstr(report_html, "One seed supports no ranking"));
    json_decref(results);
}

static void set_reach(json_t *results, size_t index, int reached, double low, double high, int rank)
{
    json_t *one = json_array_get(json_object_get(results, "configurations"), index);
    json_object_set_new(one, "chosen", json_true());
    json_object_set_new(one, "to_target",
                        json_pack("{sisis{sfsfsfsf}s{sfsfsfsf}so?so?}", "runs", 2, "reached", reached, "seconds",
                                  "mean", sqrt(low * high), "at_least", sqrt(low * high), "low", low, "high", high,
                                  "steps", "mean", 8.0, "at_least", 8.0, "low", 8.0, "high", 8.0, "rank_by_seconds",
                                  rank ? json_integer(rank) : NULL, "rank_by_steps", rank ? json_integer(1) : NULL));
}

/* To two of two seeds, or to fewer. */
static void race_two(json_t *results, int reached, int second)
{
    set_reach(results, 0, 2, 1, 2, 1);
    set_reach(results, 1, reached, second == 1 ? 1.5 : 3, second == 1 ? 2.5 : 4, reached ? second : 0);
    rank_two(results, 1);
}

Test(page, names_the_fastest_only_where_there_is_one, .init = report_begin, .fini = report_end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    race_two(results, 2, 2);
    cr_assert_not_null(strstr(report_html, "<b>full</b> with adam is <b>the fastest</b>"));
    race_two(results, 2, 1);
    cr_assert_null(strstr(report_html, "is <b>the fastest</b>"));
    cr_assert_not_null(strstr(report_html, "<b>First by time</b>: <b>full</b> and <b>head</b> with adam"));
    race_two(results, 0, 1);
    cr_assert_null(strstr(report_html, "is <b>the fastest</b>"));
    cr_assert_not_null(strstr(report_html, "1 of 2 pairs of strategy and optimizer <b>never</b> reached it"));
    cr_assert_not_null(strstr(report_html, "<text class=\"value quiet\""));
    json_decref(results);
}

Test(page, says_what_tuning_chose_and_cost, .init = report_begin, .fini = report_end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    write_json(results);
    report_read_page();
    cr_assert_not_null(strstr(report_html, "<section id=\"tuning\">"));
    cr_assert_not_null(strstr(report_html, "<b>2</b> settings were tried with each strategy"));
    cr_assert_not_null(strstr(report_html, "trained on 80 samples, and judged on 20 others"));
    cr_assert_not_null(strstr(report_html, "lr=0.001, beta1=0.9133, warmup=0.1"));
    json_object_del(json_object_get(results, "experiment"), "tuning");
    write_json(results);
    report_read_page();
    cr_assert_null(strstr(report_html, "<section id=\"tuning\">"));
    json_decref(results);
}

static void set_difference(json_t *results, double low, double high)
{
    json_object_set_new(json_array_get(json_object_get(results, "configurations"), 1), "against_full",
                        json_pack("{sisfsfsfsf}", "count", 2, "mean", (low + high) / 2, "sd", 0.01, "low", low, "high",
                                  high));
    rank_two(results, 1);
}

Test(page, calls_better_only_what_is, .init = report_begin, .fini = report_end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    set_difference(results, 0.01, 0.03);
    cr_assert_not_null(strstr(report_html, "More accurate than full fine-tuning</dt><dd><b>head</b>"));
    set_difference(results, -0.01, 0.03);
    cr_assert_not_null(strstr(report_html, "More accurate than full fine-tuning</dt><dd>none"));
    cr_assert_not_null(strstr(report_html, "Not told apart from it</dt><dd><b>head</b>"));
    set_difference(results, -0.04, -0.03);
    cr_assert_not_null(strstr(report_html, "Less accurate than it</dt><dd><b>head</b>"));
    json_decref(results);
}

static void set_rates(json_t *results, double lowest, double middle, double highest)
{
    json_object_set_new(json_array_get(json_object_get(results, "optimizers"), 0), "learning_rates",
                        json_pack("[fff]", lowest, middle, highest));
    rank_two(results, 1);
}

Test(page, warns_of_rates_at_the_edge, .init = report_begin, .fini = report_end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    const json_t *first = json_array_get(json_object_get(results, "configurations"), 0);
    const double rate = json_number_value(json_object_get(first, "learning_rate"));
    set_rates(results, rate / 3, rate, 3 * rate);
    cr_assert_not_null(strstr(report_html, "Of several learning rates"));
    cr_assert_null(strstr(report_html, "the lowest or the highest"));
    set_rates(results, rate / 9, rate / 3, rate);
    cr_assert_not_null(
        strstr(report_html, "For 2 of 2 pairs of strategy and optimizer, it is the lowest or the highest"));
    set_rates(results, rate, 3 * rate, 9 * rate);
    cr_assert_not_null(
        strstr(report_html, "For 2 of 2 pairs of strategy and optimizer, it is the lowest or the highest"));
    json_decref(results);
}

/* ---------------------------------------------------------------- refusals */

Test(page, refuses_what_is_no_input, .init = report_begin, .fini = report_end)
{
    char example[2 * SUPPORT_PATH_BYTES], old[sizeof REPORT_MEASUREMENT];
    struct stat found;
    snprintf(example, sizeof example, "%s/tests/compare/results.json", getenv("THAW_SOURCE_ROOT"));
    assert_fails(report_context, report_write_text(""), THAW_BAD_FORMAT, "input.json: line 1: holds nothing");
    assert_fails(report_context, report_write_text("{\"schema\": \"thaw-bench-0\"}"), THAW_BAD_FORMAT,
                 "schema must be");
    assert_fails(report_context, report_write_text("{\"schema\": "), THAW_BAD_FORMAT, "input.json: line 1");
    assert_fails(report_context, report_write_text("[1, 2]"), THAW_BAD_FORMAT, "schema must be thaw-bench-2 or");
    snprintf(old, sizeof old, "%.*s", (int)strlen(REPORT_MEASUREMENT) / 2, REPORT_MEASUREMENT);
    assert_fails(report_context, report_write_text(old), THAW_BAD_FORMAT, "input.json");
    assert_fails(report_context,
                 report_write_text("{\"schema\": \"thaw-measurement-1\", \"benchmark\": \"a\", \"seconds\": 0}"),
                 THAW_BAD_FORMAT, "seconds above 0");
    assert_fails(report_context, report_write_from("/absent"), THAW_IO_ERROR, "/absent: cannot open");
    assert_fails(report_context, thaw_report_write(report_context, NULL, 0, report_folder), THAW_INVALID_ARGUMENT,
                 "at least one file");
    const char *const twice[] = { example, example };
    assert_fails(report_context, thaw_report_write(report_context, twice, 2, report_folder), THAW_INVALID_ARGUMENT,
                 "a second file of results");
    cr_assert_neq(stat(report_folder, &found), 0);
    const char *const one[] = { example };
    assert_fails(report_context, thaw_report_write(report_context, one, 1, "/proc/absent"), THAW_IO_ERROR,
                 "/proc/absent");
    assert_fails(report_context, thaw_report_write(report_context, one, 1, example), THAW_IO_ERROR,
                 "results.json: is not a folder");
}

Test(page, does_not_wait_for_a_fifo, .init = report_begin, .fini = report_end, .timeout = 20)
{
    cr_assert_eq(mkfifo(report_input, 0600), 0);
    assert_fails(report_context, report_write_from(report_input), THAW_IO_ERROR, "input.json: is not a regular file");
}

/* Makes a page in memory, and forgets it. */
static thaw_status try(thaw_context *with, const json_t *results, const json_t *measurements)
{
    thaw_report_page made;
    char *html = NULL;
    thaw_status status = thaw_report_page_open(with, results, measurements, &made);
    if (status != THAW_OK)
        return status;
    status = thaw_report_page_write(&made, &html);
    thaw_report_page_close(&made);
    thaw_text_destroy(with, html);
    return status;
}

Test(page, says_when_memory_runs_out)
{
    support_allocator allocator = { 0 };
    thaw_context *small = support_context_on(&allocator);
    json_t *results = support_project_json("tests/compare/results.json");
    json_error_t error;
    json_t *measurement = json_loads(REPORT_MEASUREMENT, JSON_DISABLE_EOF_CHECK, &error);
    json_t *measurements = json_pack("[o]", measurement);
    const size_t live = allocator.live;
    size_t failures = 0;
    for (;; failures++) {
        allocator.fail_at = allocator.calls + failures + 1;
        const thaw_status status = try(small, results, measurements);
        cr_assert_eq(allocator.live, live);
        if (status == THAW_OK)
            break;
        cr_assert_eq(status, THAW_OUT_OF_MEMORY);
    }
    cr_assert_geq(failures, 5, "%zu failures", failures);
    json_decref(results);
    json_decref(measurements);
    thaw_context_destroy(small);
}
