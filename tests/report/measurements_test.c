/* Pages from measurements. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/report.h>

#include "report/fixture.h"
#include "support/schema.h"

Test(measurements, are_shown_alone_and_beside_results, .init = report_begin, .fini = report_end)
{
    char example[2 * SUPPORT_PATH_BYTES], two[2 * sizeof REPORT_MEASUREMENT];
    snprintf(example, sizeof example, "%s/tests/compare/results.json", getenv("THAW_SOURCE_ROOT"));
    snprintf(two, sizeof two, "%s%s", REPORT_MEASUREMENT, REPORT_MEASUREMENT);
    assert_ok(report_context, report_write_text(two));
    report_read_page();
    cr_assert_not_null(strstr(report_html, "data-v=\"0.0123\""));
    cr_assert_null(strstr(report_html, "What the runs say"));
    const char *const both[] = { example, report_input };
    assert_ok(report_context, thaw_report_write(report_context, both, 2, report_folder));
    report_read_page();
    cr_assert_not_null(strstr(report_html, "data-v=\"0.0123\""));
    cr_assert_not_null(strstr(report_html, "What the runs say"));
}

Test(measurements, the_example_is_of_its_schema)
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

/* A value that is not a time has a unit. */
static json_t *make_value(double value, const char *unit)
{
    json_t *made = json_loads(REPORT_MEASUREMENT, JSON_DISABLE_EOF_CHECK, NULL);
    json_object_del(made, "seconds");
    json_object_del(made, "limit_seconds");
    json_object_set_new(made, "value", json_real(value));
    json_object_set_new(made, "unit", json_string(unit));
    return made;
}

static void write_value(const json_t *made)
{
    char *text = json_dumps(made, 0);
    assert_ok(report_context, report_write_text(text));
    free(text);
    report_read_page();
}

Test(measurements, may_be_values_other_than_times, .init = report_begin, .fini = report_end)
{
    char message[600] = "";
    json_t *schema = support_project_json("bench/measurement.schema.json");
    json_t *share = make_value(0.9375, "share"), *error = make_value(5e-7, "relative error");
    cr_assert(support_schema_holds(schema, share, message, sizeof message), "%s", message);
    cr_assert(support_schema_holds(schema, error, message, sizeof message), "%s", message);
    write_value(share);
    cr_assert_not_null(strstr(report_html, "data-v=\"0.9375\""));
    cr_assert_not_null(strstr(report_html, ">93.75<"));
    cr_assert_null(strstr(report_html, "class=\"limit\""));
    write_value(error);
    cr_assert_not_null(strstr(report_html, ">5e-07<"));
    json_object_del(error, "value");
    cr_assert(!support_schema_holds(schema, error, message, sizeof message));
    char *text = json_dumps(error, 0);
    assert_fails(report_context, report_write_text(text), THAW_BAD_FORMAT, "a value with its unit");
    free(text);
    json_decref(share);
    json_decref(error);
    json_decref(schema);
}

Test(measurements, may_have_any_number_as_a_size, .init = report_begin, .fini = report_end, .timeout = 20)
{
    static const char *const sizes[] = { "1", "1000", "1e6", "1.7e308", "5e-324", "0", "-1", "1e300" };
    char text[sizeof REPORT_MEASUREMENT * THAW_COUNT(sizes)];
    size_t used = 0;
    for (size_t i = 0; i < THAW_COUNT(sizes); i++)
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "{\"schema\": \"thaw-measurement-1\", \"benchmark\": \"b\", \"what\": \"adam\", "
                                 "\"size\": %s, \"threads\": 2, \"seconds\": 0.5, \"limit_seconds\": 0.25}\n",
                                 sizes[i]);
    assert_ok(report_context, report_write_text(text));
    report_read_page();
    cr_assert_not_null(strstr(report_html, "2 threads"));
    cr_assert_null(strstr(report_html, "nan"));
    cr_assert_null(strstr(report_html, "inf"));
}

/* Each with its own setting and thing, then all with the same: comparing each with each would take minutes. */
Test(measurements, take_time_in_proportion_to_their_number, .init = report_begin, .fini = report_end, .timeout = 60)
{
    enum { MEASUREMENTS = 6000 };
    for (int alike = 0; alike < 2; alike++) {
        FILE *file = fopen(report_input, "w");
        cr_assert_not_null(file);
        for (int i = 0; i < MEASUREMENTS; i++)
            fprintf(file,
                    "{\"schema\": \"thaw-measurement-1\", \"benchmark\": \"b\", \"setting\": \"%d\", \"what\": "
                    "\"%d\", \"size\": %d, \"threads\": %d, \"seconds\": 0.5, \"limit_seconds\": 0.25}\n",
                    alike ? 0 : i, alike ? 0 : i, i + 1, 1 + i % 3);
        cr_assert_eq(fclose(file), 0);
        assert_ok(report_context, report_write_from(report_input));
    }
}
