#include "report/page.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/skeleton.h"

/* ---- points ---- */

static size_t place_of(const json_t *list, const char *key, const char *name)
{
    size_t i = 0;
    while (i < json_array_size(list) && strcmp(thaw_report_string(json_array_get(list, i), key), name) != 0)
        i++;
    return i;
}

static double sum_of_bytes(const json_t *bytes)
{
    static const char *const pieces[] = { "weights", "gradients", "optimizer_state", "activations", "cache" };
    double sum = 0;
    for (size_t i = 0; i < THAW_COUNT(pieces); i++)
        sum += thaw_report_number(bytes, pieces[i]);
    return sum;
}

static bool read_point(const thaw_report_page *page, const json_t *configuration, thaw_report_point *point)
{
    const json_t *accuracy = json_object_get(configuration, "accuracy"), *rank = json_object_get(configuration, "rank");
    *point = (thaw_report_point){
        .configuration = configuration,
        .strategy = place_of(page->strategies, "name", thaw_report_string(configuration, "strategy")),
        .optimizer = place_of(page->optimizers, "description", thaw_report_string(configuration, "optimizer")),
        .accuracy = thaw_report_number(accuracy, "mean"),
        .low = thaw_report_number(accuracy, "low"),
        .high = thaw_report_number(accuracy, "high"),
        .seconds = thaw_report_number(configuration, "seconds_per_epoch"),
        .bytes = sum_of_bytes(json_object_get(configuration, "bytes")),
        .rank = (int)json_integer_value(rank),
    };
    return thaw_report_true(configuration, "chosen") && isfinite(point->accuracy) &&
           point->strategy < page->strategy_count && point->optimizer < page->optimizer_count;
}

/* By rank, then by accuracy; unranked configurations come last. */
static int compare(const void *left, const void *right)
{
    const thaw_report_point *a = left, *b = right;
    const int rank_a = a->rank ? a->rank : INT32_MAX, rank_b = b->rank ? b->rank : INT32_MAX;
    if (rank_a != rank_b)
        return rank_a < rank_b ? -1 : 1;
    return (a->accuracy < b->accuracy) - (a->accuracy > b->accuracy);
}

static void read_points(thaw_report_page *page)
{
    const json_t *configurations = json_object_get(page->results, "configurations");
    for (size_t i = 0; i < json_array_size(configurations); i++)
        page->point_count += read_point(page, json_array_get(configurations, i), &page->points[page->point_count]);
    qsort(page->points, page->point_count, sizeof *page->points, compare);
}

/* ---- names ---- */

/* "./lion.so:lr=1e-4" becomes "lion", and "lookahead:k=3/adamw:lr=1e-3" "lookahead/adamw". */
static void shorten(const char *description, char name[THAW_SHORT_NAME_BYTES])
{
    const size_t end = strcspn(description, ":");
    if (end > 3 && strncmp(description + end - 3, ".so", 3) == 0) {
        size_t begin = end - 3;
        while (begin > 0 && description[begin - 1] != '/')
            begin--;
        snprintf(name, THAW_SHORT_NAME_BYTES, "%.*s", (int)(end - 3 - begin), description + begin);
        return;
    }
    size_t length = 0;
    bool setting = false;
    for (const char *c = description; *c && length + 1 < THAW_SHORT_NAME_BYTES; c++) {
        setting = *c == ':' || (setting && *c != '/');
        if (!setting)
            name[length++] = *c;
    }
    name[length] = '\0';
}

/* If two short names are equal, all get their number appended. */
static void shorten_all(thaw_report_page *page)
{
    bool same = false;
    for (size_t i = 0; i < page->optimizer_count; i++) {
        shorten(thaw_report_optimizer(page, i), page->short_names[i]);
        for (size_t k = 0; k < i; k++)
            same = same || strcmp(page->short_names[i], page->short_names[k]) == 0;
    }
    for (size_t i = 0; i < page->optimizer_count && same; i++) {
        char name[THAW_SHORT_NAME_BYTES];
        snprintf(name, sizeof name, "%.12s %u", page->short_names[i], (unsigned)i + 1);
        memcpy(page->short_names[i], name, sizeof name);
    }
}

/* ---- the page ---- */

thaw_status thaw_report_page_open(thaw_context *context, const json_t *results, const json_t *measurements,
                                  thaw_report_page *page)
{
    *page = (thaw_report_page){
        .context = context,
        .results = results,
        .measurements = measurements,
        .strategies = json_object_get(results, "strategies"),
        .optimizers = json_object_get(results, "optimizers"),
        .text = { .context = context },
    };
    page->strategy_count = json_array_size(page->strategies);
    page->optimizer_count = json_array_size(page->optimizers);
    const size_t most = json_array_size(json_object_get(results, "configurations"));
    page->points = thaw_allocate_array(context, most + 1, sizeof *page->points);
    page->short_names = thaw_allocate_array(context, page->optimizer_count + 1, sizeof *page->short_names);
    if (!page->points || !page->short_names) {
        thaw_report_page_close(page);
        return THAW_OUT_OF_MEMORY;
    }
    shorten_all(page);
    read_points(page);
    return THAW_OK;
}

void thaw_report_page_close(thaw_report_page *page)
{
    thaw_release(page->context, page->points);
    thaw_release(page->context, page->short_names);
    thaw_release(page->context, page->text.characters);
    *page = (thaw_report_page){ 0 };
}

static void write_title(void *user, thaw_text *text)
{
    const thaw_report_page *page = user;
    thaw_text_append(text, page->results ? "Ways of fine-tuning " : "Measurements");
    thaw_markup_label(text, thaw_report_string(json_object_get(page->results, "experiment"), "model"), 60);
}

static void write_subject(void *user, thaw_text *text)
{
    const thaw_report_page *page = user;
    thaw_markup_label(text, thaw_report_string(json_object_get(page->results, "experiment"), "data"), 200);
}

/* Sections write to page->text, which is `text`. */
static void write_body(void *user, thaw_text *text)
{
    thaw_report_page *page = user;
    (void)text;
    if (page->results) {
        thaw_report_verdict(page);
        thaw_report_target(page);
        thaw_report_race(page);
        thaw_report_tuning(page);
        thaw_report_ranking(page);
        thaw_report_differences(page);
        thaw_report_learning(page);
        thaw_report_fronts(page);
        thaw_report_costs(page);
        thaw_report_heat_map(page);
        thaw_report_layer_states(page);
    }
    thaw_report_measurements(page);
    if (page->results)
        thaw_report_facts(page);
}

thaw_status thaw_report_page_write(thaw_report_page *page, char **html)
{
    static const thaw_skeleton_parts parts = { write_title, write_subject, write_body };
    thaw_skeleton_write(&page->text, &parts, page);
    const thaw_status status = thaw_text_finish(&page->text, html);
    page->text = (thaw_text){ .context = page->context };
    return status;
}
