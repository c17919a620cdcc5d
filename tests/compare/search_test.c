/* The space of a search: its file, and the values of trials. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compare/search.h"
#include "support/files.h"
#include "support/support.h"

static const char *const optimizers[] = { "adam", "sgd:lr=0.5,momentum=0.9", "lookahead:k=3/adamw" };
enum { OPTIMIZERS = THAW_COUNT(optimizers) };

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
static thaw_context *context;
static thaw_search_space spaces[OPTIMIZERS];

static void begin(void)
{
    context = support_context(1);
    support_make_directory(directory);
    support_path(path, directory, "search.json");
    memset(spaces, 0, sizeof spaces);
}

static void end(void)
{
    thaw_search_release(context, spaces, OPTIMIZERS);
    thaw_context_destroy(context);
    support_remove_tree(directory);
}

static thaw_status read_text(const char *text)
{
    thaw_search_release(context, spaces, OPTIMIZERS);
    memset(spaces, 0, sizeof spaces);
    support_write_file(path, text, strlen(text));
    return thaw_search_read(context, path, optimizers, OPTIMIZERS, spaces);
}

static const thaw_search_range *range_of(size_t optimizer, const char *name)
{
    for (size_t i = 0; i < spaces[optimizer].count; i++)
        if (strcmp(spaces[optimizer].ranges[i].name, name) == 0)
            return &spaces[optimizer].ranges[i];
    return NULL;
}

Test(search, a_section_comes_before_the_default, .init = begin, .fini = end)
{
    assert_ok(context, read_text("{ \"default\": { \"weight_decay\": { \"log\": [1e-4, 1e-2] }, \"warmup\": [0, 0.1],"
                                 " \"lr\": { \"times\": [0.1, 10] }, \"beta1\": { \"one-minus\": [0.01, 0.5] } },"
                                 " \"optimizers\": { \"sgd\": { \"momentum\": [0.8, 0.9], \"weight_decay\": null },"
                                 " \"lookahead/adamw\": { \"lookahead_k\": [5], \"lr\": { \"log\": [1, 2] } },"
                                 " \"lion\": { \"lr\": { \"log\": [1e-5, 1e-4] } } } }"));
    cr_assert_eq(spaces[0].count, 4);
    cr_assert_str_eq(spaces[0].ranges[0].name, "lr");
    cr_assert_str_eq(spaces[0].ranges[3].name, "weight_decay");
    cr_assert(fabs(range_of(0, "lr")->low - 1e-4) < 1e-18 && fabs(range_of(0, "lr")->high - 1e-2) < 1e-16);
    cr_assert_eq(spaces[1].count, 3, "lr, momentum and warmup");
    cr_assert(range_of(1, "lr")->low == 0.05 && range_of(1, "lr")->high == 5);
    cr_assert_null(range_of(1, "weight_decay"));
    cr_assert_eq(range_of(1, "momentum")->count, 2);
    cr_assert_eq(spaces[2].count, 5);
    cr_assert(range_of(2, "lr")->low == 1 && range_of(2, "lookahead_k")->values[0] == 5);
}

/* Every value is in its range, and is what its four digits say. */
Test(search, values_are_in_their_ranges_and_can_be_typed_in, .init = begin, .fini = end)
{
    static const thaw_search_range ranges[] = {
        { .form = THAW_SEARCH_LOG, .low = 1.23456e-7, .high = 3.45678e4 },
        { .form = THAW_SEARCH_UNIFORM, .low = -1.5, .high = 2.000001 },
        { .form = THAW_SEARCH_ONE_MINUS, .low = 1e-6, .high = 0.9 },
    };
    for (size_t r = 0; r < THAW_COUNT(ranges); r++) {
        double before = ranges[r].form == THAW_SEARCH_ONE_MINUS ? INFINITY : -INFINITY;
        for (int i = 0; i <= 1000; i++) {
            char text[40];
            const double value = thaw_search_value(&ranges[r], i / 1000.0);
            const bool falls = ranges[r].form == THAW_SEARCH_ONE_MINUS;
            cr_assert(falls ? value <= before : value >= before);
            before = value;
            cr_assert(falls ? value >= 1 - ranges[r].high && value <= 1 - ranges[r].low
                            : value >= ranges[r].low && value <= ranges[r].high);
            snprintf(text, sizeof text, "%.*g", falls ? 10 : 4, value);
            cr_assert(i == 0 || i == 1000 || strtod(text, NULL) == value, "%s is %.17g", text, value);
        }
    }
    cr_assert(fabs(thaw_search_value(&ranges[0], 0.5) - sqrt(1.23456e-7 * 3.45678e4)) < 1e-4);
    cr_assert(fabs(thaw_search_value(&ranges[2], 0.5) - (1 - sqrt(1e-6 * 0.9))) < 1e-6);
}

Test(search, a_list_has_each_value_as_often, .init = begin, .fini = end)
{
    unsigned counts[3] = { 0 };
    double values[THAW_MOST_COORDINATES];
    assert_ok(context, read_text("{ \"default\": { \"eps\": [1, 2, 3], \"warmup\": [0] } }"));
    for (size_t trial = 0; trial < 18; trial++) {
        thaw_search_draw(context, &spaces[0], 1, trial, values);
        counts[(int)values[0] - 1]++;
    }
    for (size_t i = 0; i < 3; i++)
        cr_assert_geq(counts[i], 5); /* of a base of 2, one less or more */
}

/* Optimizers are at the same places of their ranges: of the own rate, the same multiple. */
Test(search, trials_are_alike_for_all_optimizers, .init = begin, .fini = end)
{
    double values[OPTIMIZERS][THAW_MOST_COORDINATES];
    assert_ok(context, thaw_search_read(context, NULL, optimizers, OPTIMIZERS, spaces));
    for (size_t trial = 0; trial < 20; trial++) {
        for (size_t i = 0; i < OPTIMIZERS; i++)
            thaw_search_draw(context, &spaces[i], 5, trial, values[i]);
        cr_assert(fabs(values[0][0] / 1e-3 - values[1][0] / 0.5) < 2e-3 * values[0][0] / 1e-3);
        cr_assert_eq(values[0][1], values[2][1]);
    }
    cr_assert_eq(spaces[0].count, 5);
    cr_assert_eq(spaces[1].count, 3, "sgd has no betas");
    json_t *told = thaw_search_json(&spaces[0]);
    cr_assert_eq(json_array_size(told), 5);
    json_decref(told);
}

/* The header documents what is built in. */
Test(search, the_built_in_one_is_documented, .init = begin, .fini = end)
{
    char header[1024 * 64] = { 0 }, file[1024];
    snprintf(file, sizeof file, "%s/include/thaw/compare.h", getenv("THAW_SOURCE_ROOT"));
    cr_assert_gt(support_read_file(file, header, sizeof header - 1), 0);
    const char *begins = strstr(header, "Without a file, the space is");
    cr_assert_not_null(begins);
    begins = strchr(begins, '{');
    json_error_t error;
    json_t *documented = json_loads(begins, JSON_DISABLE_EOF_CHECK, &error);
    json_t *built_in = json_loads(thaw_search_builtin, 0, &error);
    cr_assert_not_null(documented, "%s", error.text);
    cr_assert(json_equal(documented, built_in));
    json_decref(documented);
    json_decref(built_in);
}

static const struct {
    const char *text, *message;
} wrong[] = {
    { "", "search.json: line 1: " },
    { "3", "search.json: line 1: " },
    { "[]", "search.json: must be an object with \"default\", \"optimizers\" or both" },
    { "{\"defaults\": {}}", "search.json: unknown key \"defaults\", did you mean \"default\"?" },
    { "{\"default\": 3}", "\"default\" must be an object of hyper-parameters" },
    { "{\"optimizers\": []}", "\"optimizers\" must be an object" },
    { "{\"optimizers\": {\"adam\": [1]}}", "\"adam\" must be an object of hyper-parameters" },
    { "{\"default\": {\"lrr\": [1]}}", "\"default\": unknown hyper-parameter \"lrr\", did you mean \"lr\"?" },
    { "{\"optimizers\": {\"sgd\": {\"beta1\": [0.9]}}}", "\"sgd\": unknown hyper-parameter \"beta1\"" },
    { "{\"optimizers\": {\"adamm\": {}}}", "unknown optimizer \"adamm\", did you mean \"adam\"?" },
    { "{\"optimizers\": {\"./lion.so\": {}}}", "unknown optimizer \"./lion.so\"" },
    { "{\"optimizers\": {\"adam/adam\": {}}}", "\"adam/adam\": " },
    { "{\"optimizers\": {\"adam:lr=1\": {}}}", "unknown optimizer \"adam:lr=1\"" },
    { "{\"default\": {\"lr\": []}}", "\"default\": \"lr\" is an empty list" },
    { "{\"default\": {\"lr\": [1, \"2\"]}}", "\"lr\" is a list with something else than numbers" },
    { "{\"default\": {\"lr\": 1e-3}}", "\"lr\" must be a list of numbers, or {\"log\": [low, high]}" },
    { "{\"default\": {\"lr\": {\"logs\": [1, 2]}}}", "\"lr\" must be a list of numbers" },
    { "{\"default\": {\"lr\": {\"log\": [1, 2], \"uniform\": [1, 2]}}}", "\"lr\" must be a list of numbers" },
    { "{\"default\": {\"lr\": {\"log\": [1]}}}", "\"lr\" must have two numbers" },
    { "{\"default\": {\"lr\": {\"log\": 1}}}", "\"lr\" must have two numbers" },
    { "{\"default\": {\"lr\": {\"log\": [1, null]}}}", "\"lr\" must have two numbers" },
    { "{\"default\": {\"lr\": {\"log\": [0.1, 0.001]}}}", "\"lr\" has its ends in reverse" },
    { "{\"default\": {\"lr\": {\"uniform\": [-1e308, 1e308]}}}", "\"lr\" has ends that are too far apart" },
    { "{\"default\": {\"lr\": {\"log\": [0, 1]}}}", "\"lr\" has an end that has no logarithm" },
    { "{\"default\": {\"lr\": {\"log\": [-1, 1]}}}", "\"lr\" has an end that has no logarithm" },
    { "{\"default\": {\"lr\": {\"log\": [1, 1e999]}}}", "search.json: line 1: real number overflow" },
    { "{\"default\": {\"lr\": {\"times\": [1, 1e308]}, \"weight_decay\": [0]}}", NULL },
    { "{\"default\": {\"weight_decay\": {\"times\": [1, 2]}}}", "cannot be times the optimizer's own value" },
    { "{\"default\": {\"beta1\": {\"one-minus\": [0.1, 1.5]}}}", "\"beta1\" has an end above 1" },
    { "{\"default\": {\"beta1\": {\"uniform\": [0.1, 1.5]}}}", "\"default\": adam: beta1 is 1.5, must be" },
    { "{\"default\": {\"lr\": [-1]}}", "\"default\": adam: lr is -1, must be" },
    { "{\"default\": {\"warmup\": [1]}}", "\"warmup\" is a share of the epochs, from 0 and below 1" },
    { "{\"default\": {\"lr\": null}}", "there is nothing to search for optimizer adam" },
    { "{}", "there is nothing to search for optimizer adam" },
    { "{\"default\": {\"lr\": [1], \"lr\": [2]}}", "search.json: line 1: duplicate object key" },
};

Test(search, says_what_is_wrong_in_a_file, .init = begin, .fini = end)
{
    for (size_t i = 0; i < THAW_COUNT(wrong); i++)
        if (wrong[i].message)
            assert_fails(context, read_text(wrong[i].text), THAW_BAD_FORMAT, wrong[i].message);
        else
            assert_ok(context, read_text(wrong[i].text));
    enum { DEPTH = 100000 };
    char *deep = malloc(DEPTH + 1);
    memset(deep, '[', DEPTH);
    deep[DEPTH] = '\0';
    assert_fails(context, read_text(deep), THAW_BAD_FORMAT, "maximum parsing depth");
    free(deep);
    assert_fails(context, thaw_search_read(context, "/absent", optimizers, OPTIMIZERS, spaces), THAW_IO_ERROR,
                 "/absent");
}
