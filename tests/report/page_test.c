/* Pages from the example of results. tests/report/browser.py looks at them in a browser. */
#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <thaw/report.h>
#include <unistd.h>

#include "report/write.h"
#include "support/allocator.h"
#include "support/files.h"
#include "support/schema.h"
#include "support/support.h"

enum { PAGE_BYTES = 1 << 20 };

static const char MEASUREMENT[] =
    "{\"schema\": \"thaw-measurement-1\", \"benchmark\": \"optimizers\", \"title\": \"Optimizers\", \"setting\": \"a\", "
    "\"what\": \"adam\", \"size\": 1000, \"size_unit\": \"parameters\", \"threads\": 2, \"seconds\": 0.0123, \"low\": "
    "0.012, \"high\": 0.013, \"repetitions\": 9, \"limit_seconds\": 0.011, \"limit\": \"a probe\", \"bytes\": null, "
    "\"processor\": \"Example\", \"version\": \"1\"}\n";

static thaw_context *context;
static char directory[SUPPORT_PATH_BYTES], input[SUPPORT_PATH_BYTES], folder[SUPPORT_PATH_BYTES];
static char page[PAGE_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(input, directory, "input.json");
    support_path(folder, directory, "made/report");
    context = support_context(1);
}

static void end(void)
{
    thaw_context_destroy(context);
    support_remove_tree(directory);
}

static thaw_status write_from(const char *path)
{
    return thaw_report_write(context, &path, 1, folder);
}

static thaw_status write_text(const char *text)
{
    support_write_file(input, text, strlen(text));
    return write_from(input);
}

static void write_json(const json_t *value)
{
    cr_assert_eq(json_dump_file(value, input, 0), 0);
    assert_ok(context, write_from(input));
}

static void read_page(void)
{
    char path[2 * SUPPORT_PATH_BYTES];
    snprintf(path, sizeof path, "%s/index.html", folder);
    const long length = support_read_file(path, page, sizeof page - 1);
    cr_assert(length > 0 && length < PAGE_BYTES - 1, "%s", path);
    page[length] = '\0';
}

static void assert_number(const json_t *value)
{
    char field[64];
    if (!json_is_number(value))
        return;
    snprintf(field, sizeof field, "data-v=\"%.17g\"", json_number_value(value));
    cr_assert_not_null(strstr(page, field), "%s", field);
}

/* ---------------------------------------------------------------- what it says */

Test(page, has_the_numbers_of_the_results, .init = begin, .fini = end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    write_json(results);
    read_page();
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

Test(page, needs_nothing_from_elsewhere, .init = begin, .fini = end)
{
    static const char *const outside[] = { "http:", "https:", " src=", "@import", "url(", "<link rel=\"stylesheet\"" };
    json_t *results = support_project_json("tests/compare/results.json");
    write_json(results);
    read_page();
    for (size_t i = 0; i < THAW_COUNT(outside); i++)
        cr_assert_null(strstr(page, outside[i]), "%s", outside[i]);
    cr_assert_null(strstr(page, "{{"));
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

Test(page, takes_names_for_text, .init = begin, .fini = end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    rename_everywhere(results, "head", "<script>alert(1)</script>\" onload=\"x");
    write_json(results);
    read_page();
    cr_assert_not_null(strstr(page, "&lt;script&gt;alert(1)"));
    cr_assert_null(strstr(page, "<script>alert"));
    cr_assert_null(strstr(page, "\" onload"));
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
    read_page();
}

Test(page, names_a_winner_only_where_there_is_one, .init = begin, .fini = end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    rank_two(results, 2);
    cr_assert_not_null(strstr(page, "<b>full</b> with adam is <b>ahead</b>"));
    cr_assert_null(strstr(page, "share first place"));
    rank_two(results, 1);
    cr_assert_null(strstr(page, "is <b>ahead</b>"));
    cr_assert_not_null(strstr(page, "2 configurations <b>share first place</b>"));
    json_object_set_new(json_object_get(results, "experiment"), "seeds", json_integer(1));
    rank_two(results, 2);
    cr_assert_null(strstr(page, "is <b>ahead</b>"));
    cr_assert_not_null(strstr(page, "One seed supports no ranking"));
    json_decref(results);
}

static void set_difference(json_t *results, double low, double high)
{
    json_object_set_new(json_array_get(json_object_get(results, "configurations"), 1), "against_full",
                        json_pack("{sisfsfsfsf}", "count", 2, "mean", (low + high) / 2, "sd", 0.01, "low", low, "high",
                                  high));
    rank_two(results, 1);
}

Test(page, calls_better_only_what_is, .init = begin, .fini = end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    set_difference(results, 0.01, 0.03);
    cr_assert_not_null(strstr(page, "More accurate than full fine-tuning</dt><dd><b>head</b>"));
    set_difference(results, -0.01, 0.03);
    cr_assert_not_null(strstr(page, "More accurate than full fine-tuning</dt><dd>none"));
    cr_assert_not_null(strstr(page, "Not told apart from it</dt><dd><b>head</b>"));
    set_difference(results, -0.04, -0.03);
    cr_assert_not_null(strstr(page, "Less accurate than it</dt><dd><b>head</b>"));
    json_decref(results);
}

static void set_rates(json_t *results, double lowest, double middle, double highest)
{
    json_object_set_new(json_array_get(json_object_get(results, "optimizers"), 0), "learning_rates",
                        json_pack("[fff]", lowest, middle, highest));
    rank_two(results, 1);
}

Test(page, warns_of_rates_at_the_edge, .init = begin, .fini = end)
{
    json_t *results = support_project_json("tests/compare/results.json");
    const json_t *first = json_array_get(json_object_get(results, "configurations"), 0);
    const double rate = json_number_value(json_object_get(first, "learning_rate"));
    set_rates(results, rate / 3, rate, 3 * rate);
    cr_assert_not_null(strstr(page, "Of several learning rates"));
    cr_assert_null(strstr(page, "the lowest or the highest"));
    set_rates(results, rate / 9, rate / 3, rate);
    cr_assert_not_null(strstr(page, "For 2 of 2 pairs of strategy and optimizer, it is the lowest or the highest"));
    set_rates(results, rate, 3 * rate, 9 * rate);
    cr_assert_not_null(strstr(page, "For 2 of 2 pairs of strategy and optimizer, it is the lowest or the highest"));
    json_decref(results);
}

/* ---------------------------------------------------------------- measurements */

Test(page, shows_measurements_alone_and_beside_results, .init = begin, .fini = end)
{
    char example[2 * SUPPORT_PATH_BYTES], two[2 * sizeof MEASUREMENT];
    snprintf(example, sizeof example, "%s/tests/compare/results.json", getenv("THAW_SOURCE_ROOT"));
    snprintf(two, sizeof two, "%s%s", MEASUREMENT, MEASUREMENT);
    assert_ok(context, write_text(two));
    read_page();
    cr_assert_not_null(strstr(page, "data-v=\"0.0123\""));
    cr_assert_null(strstr(page, "What the runs say"));
    const char *const both[] = { example, input };
    assert_ok(context, thaw_report_write(context, both, 2, folder));
    read_page();
    cr_assert_not_null(strstr(page, "data-v=\"0.0123\""));
    cr_assert_not_null(strstr(page, "What the runs say"));
}

Test(page, the_example_of_measurements_is_of_its_schema)
{
    char path[SUPPORT_PATH_BYTES], message[600];
    snprintf(path, sizeof path, "%s/tests/report/measurements.jsonl", getenv("THAW_SOURCE_ROOT"));
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    json_t *schema = support_project_json("bench/measurement.schema.json");
    size_t lines = 0;
    for (json_t *one; (one = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL)); lines++) {
        cr_assert(support_schema_holds(schema, one, message, sizeof message), "%s", message);
        json_object_del(one, "seconds");
        cr_assert(!support_schema_holds(schema, one, message, sizeof message));
        json_decref(one);
    }
    cr_assert_eq(lines, 8);
    json_decref(schema);
    fclose(file);
}

/* What is no time has a unit. */
static json_t *make_value(double value, const char *unit)
{
    json_t *made = json_loads(MEASUREMENT, JSON_DISABLE_EOF_CHECK, NULL);
    json_object_del(made, "seconds");
    json_object_del(made, "limit_seconds");
    json_object_set_new(made, "value", json_real(value));
    json_object_set_new(made, "unit", json_string(unit));
    return made;
}

static void write_value(const json_t *made)
{
    char *text = json_dumps(made, 0);
    assert_ok(context, write_text(text));
    free(text);
    read_page();
}

Test(page, shows_values_that_are_no_times, .init = begin, .fini = end)
{
    char message[600] = "";
    json_t *schema = support_project_json("bench/measurement.schema.json");
    json_t *share = make_value(0.9375, "share"), *error = make_value(5e-7, "relative error");
    cr_assert(support_schema_holds(schema, share, message, sizeof message), "%s", message);
    cr_assert(support_schema_holds(schema, error, message, sizeof message), "%s", message);
    write_value(share);
    cr_assert_not_null(strstr(page, "data-v=\"0.9375\""));
    cr_assert_not_null(strstr(page, ">93.75<"));
    cr_assert_null(strstr(page, "class=\"limit\""));
    write_value(error);
    cr_assert_not_null(strstr(page, ">5e-07<"));
    json_object_del(error, "value");
    cr_assert(!support_schema_holds(schema, error, message, sizeof message));
    char *text = json_dumps(error, 0);
    assert_fails(context, write_text(text), THAW_BAD_FORMAT, "a value with its unit");
    free(text);
    json_decref(share);
    json_decref(error);
    json_decref(schema);
}

/* ---------------------------------------------------------------- refusals */

Test(page, refuses_what_is_no_input, .init = begin, .fini = end)
{
    char example[2 * SUPPORT_PATH_BYTES], old[sizeof MEASUREMENT];
    struct stat found;
    snprintf(example, sizeof example, "%s/tests/compare/results.json", getenv("THAW_SOURCE_ROOT"));
    assert_fails(context, write_text(""), THAW_BAD_FORMAT, "input.json: line 1: holds nothing");
    assert_fails(context, write_text("{\"schema\": \"thaw-bench-0\"}"), THAW_BAD_FORMAT, "schema must be");
    assert_fails(context, write_text("{\"schema\": "), THAW_BAD_FORMAT, "input.json: line 1");
    assert_fails(context, write_text("[1, 2]"), THAW_BAD_FORMAT, "schema must be thaw-bench-2 or");
    snprintf(old, sizeof old, "%.*s", (int)strlen(MEASUREMENT) / 2, MEASUREMENT);
    assert_fails(context, write_text(old), THAW_BAD_FORMAT, "input.json");
    assert_fails(context, write_text("{\"schema\": \"thaw-measurement-1\", \"benchmark\": \"a\", \"seconds\": 0}"),
                 THAW_BAD_FORMAT, "seconds above 0");
    assert_fails(context, write_from("/absent"), THAW_IO_ERROR, "/absent: cannot open");
    assert_fails(context, thaw_report_write(context, NULL, 0, folder), THAW_INVALID_ARGUMENT, "at least one file");
    const char *const twice[] = { example, example };
    assert_fails(context, thaw_report_write(context, twice, 2, folder), THAW_INVALID_ARGUMENT,
                 "a second file of results");
    cr_assert_neq(stat(folder, &found), 0);
    const char *const one[] = { example };
    assert_fails(context, thaw_report_write(context, one, 1, "/proc/absent"), THAW_IO_ERROR, "/proc/absent");
    assert_fails(context, thaw_report_write(context, one, 1, example), THAW_IO_ERROR, "results.json: is not a folder");
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

/* Replaces each value within `part` in turn by values of other types, and makes a page of the whole. */
static void damage(const json_t *whole, json_t *part, size_t *tries)
{
    json_t *const others[] = { json_null(),  json_string("<"), json_real(-1e300), json_integer(INT64_MAX),
                               json_array(), json_object() };
    const char *key;
    size_t index;
    json_t *value;
    void *next;
    json_object_foreach_safe(part, next, key, value)
    {
        json_incref(value);
        for (size_t i = 0; i < THAW_COUNT(others); i++, ++*tries) {
            json_object_set(part, key, others[i]);
            assert_ok(context, try(context, whole, NULL));
        }
        json_object_set_new(part, key, value);
        damage(whole, value, tries);
    }
    json_array_foreach(part, index, value)
    {
        json_incref(value);
        for (size_t i = 0; i < THAW_COUNT(others); i++, ++*tries) {
            json_array_set(part, index, others[i]);
            assert_ok(context, try(context, whole, NULL));
        }
        json_array_set_new(part, index, value);
        damage(whole, value, tries);
    }
    for (size_t i = 0; i < THAW_COUNT(others); i++)
        json_decref(others[i]);
}

Test(page, survives_values_of_other_types, .init = begin, .fini = end)
{
    size_t tries = 0;
    json_t *results = support_project_json("tests/compare/results.json");
    damage(results, results, &tries);
    cr_assert_gt(tries, 1000);
    json_decref(results);
}

Test(page, says_when_memory_runs_out)
{
    support_allocator allocator = { 0 };
    thaw_context *small = support_context_on(&allocator);
    json_t *results = support_project_json("tests/compare/results.json");
    json_error_t error;
    json_t *measurement = json_loads(MEASUREMENT, JSON_DISABLE_EOF_CHECK, &error);
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

/* ---------------------------------------------------------------- what would take for ever */

Test(report, takes_any_number_as_a_size, .init = begin, .fini = end, .timeout = 20)
{
    static const char *const sizes[] = { "1", "1000", "1e6", "1.7e308", "5e-324", "0", "-1", "1e300" };
    char text[sizeof MEASUREMENT * THAW_COUNT(sizes)];
    size_t used = 0;
    for (size_t i = 0; i < THAW_COUNT(sizes); i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "{\"schema\": \"thaw-measurement-1\", \"benchmark\": \"b\", \"what\": \"adam\", "
                                 "\"size\": %s, \"threads\": 2, \"seconds\": 0.5, \"limit_seconds\": 0.25}\n",
                                 sizes[i]);
    assert_ok(context, write_text(text));
    read_page();
    cr_assert_not_null(strstr(page, "2 threads"));
    cr_assert_null(strstr(page, "nan"));
    cr_assert_null(strstr(page, "inf"));
}

/* Of one setting and one thing each, and all of the same: what compares each with each takes minutes. */
Test(report, takes_time_in_proportion_to_what_was_measured, .init = begin, .fini = end, .timeout = 60)
{
    enum { MEASUREMENTS = 6000 };
    for (int alike = 0; alike < 2; alike++) {
        FILE *file = fopen(input, "w");
        cr_assert_not_null(file);
        for (int i = 0; i < MEASUREMENTS; i++)
            fprintf(file,
                    "{\"schema\": \"thaw-measurement-1\", \"benchmark\": \"b\", \"setting\": \"%d\", \"what\": "
                    "\"%d\", \"size\": %d, \"threads\": %d, \"seconds\": 0.5, \"limit_seconds\": 0.25}\n",
                    alike ? 0 : i, alike ? 0 : i, i + 1, 1 + i % 3);
        cr_assert_eq(fclose(file), 0);
        assert_ok(context, write_from(input));
    }
}

Test(report, does_not_wait_for_a_fifo, .init = begin, .fini = end, .timeout = 20)
{
    cr_assert_eq(mkfifo(input, 0600), 0);
    assert_fails(context, write_from(input), THAW_IO_ERROR, "input.json: is not a regular file");
}
