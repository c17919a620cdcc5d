/* Performance profiles of optimizers and of strategies (Dolan and Moré): the share of problems that each solves within a
   factor of the fastest. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

enum { WIDTH = 420, HEIGHT = 250, LEFT = 44, RIGHT = 408, TOP = 10, BOTTOM = 204, COLOURS = 6, DASHES = 4 };

typedef struct group {
    const char *key, *word; /* in the JSON; of the caption */
    bool optimizers;
} group;

/* A contender, with what the page calls it. */
typedef struct line {
    const json_t *profile;
    const char *name;
    size_t look; /* its place in the lists of the results */
    double score;
} line;

static size_t look_of(const thaw_report_page *page, const group *of, const char *name)
{
    const size_t count = of->optimizers ? page->optimizer_count : page->strategy_count;
    size_t i = 0;
    while (i < count &&
           strcmp(of->optimizers ? thaw_report_optimizer(page, i) : thaw_report_strategy(page, i), name) != 0)
        i++;
    return i;
}

static int compare(const void *left, const void *right)
{
    const line *a = left, *b = right;
    if (a->score != b->score)
        return (a->score < b->score) - (a->score > b->score);
    return (a->look > b->look) - (a->look < b->look);
}

/* Best first. */
static size_t read_lines(const thaw_report_page *page, const group *of, const json_t *profiles, line *lines)
{
    const size_t most = of->optimizers ? page->optimizer_count : page->strategy_count;
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(profiles) && count < most; i++) {
        const json_t *profile = json_array_get(profiles, i);
        const char *name = thaw_report_string(profile, "name");
        const size_t look = look_of(page, of, name);
        const double score = thaw_report_number(profile, "score");
        if (look < most && isfinite(score))
            lines[count++] = (line){ profile, of->optimizers ? page->short_names[look] : name, look, score };
    }
    qsort(lines, count, sizeof *lines, compare);
    return count;
}

static void draw_steps(thaw_report_page *page, const thaw_axis *x, const thaw_axis *y, const line *drawn)
{
    const json_t *ratios = json_object_get(drawn->profile, "ratios");
    const double problems = thaw_report_number(drawn->profile, "problems");
    thaw_text *text = &page->text;
    double end = thaw_axis_place(y, 0);
    thaw_text_append(text, "<path class=\"line\" d=\"M%d %.2f", LEFT, end);
    for (size_t i = 0; i < json_array_size(ratios); i++) {
        const json_t *ratio = json_array_get(ratios, i);
        const double value = json_is_number(ratio) ? json_number_value(ratio) : (double)NAN;
        if (!(value >= x->low && value <= x->high && problems >= 1))
            continue;
        end = thaw_axis_place(y, (double)(i + 1) / problems);
        thaw_text_append(text, "H%.2fV%.2f", thaw_axis_place(x, value), end);
    }
    thaw_text_append(text, "H%d\"/><circle class=\"dot\" cx=\"%d\" cy=\"%.2f\" r=\"2.6\"/>", RIGHT, RIGHT, end);
}

static void draw_line(thaw_report_page *page, const thaw_axis *x, const thaw_axis *y, const line *drawn)
{
    thaw_text *text = &page->text;
    thaw_text_append(text, "<g class=\"mark profile o%zu d%zu\" data-k=\"", drawn->look % COLOURS,
                     drawn->look / COLOURS % DASHES);
    thaw_markup_text(text, drawn->name);
    thaw_text_append(text, "\" data-v=\"");
    thaw_markup_exact(text, drawn->score);
    thaw_text_append(text, "\">");
    draw_steps(page, x, y, drawn);
    thaw_text_append(text, "<title>");
    thaw_markup_text(text, drawn->name);
    thaw_text_append(text, ": score %.3f</title></g>\n", drawn->score);
}

static void write_key(thaw_report_page *page, const line *lines, size_t count)
{
    thaw_text *text = &page->text;
    thaw_text_append(text, "<ul class=\"key scores\">");
    for (size_t i = 0; i < count; i++) {
        thaw_text_append(text,
                         "<li><svg viewBox=\"0 0 26 10\" aria-hidden=\"true\"><g class=\"profile o%zu d%zu\"><path "
                         "class=\"line\" d=\"M0 5H26\"/></g></svg>",
                         lines[i].look % COLOURS, lines[i].look / COLOURS % DASHES);
        thaw_markup_label(text, lines[i].name, 24);
        thaw_text_append(text, " <b>%.2f</b></li>", lines[i].score);
    }
    thaw_text_append(text, "</ul>\n");
}

static char *format_factor(char field[THAW_FIELD_BYTES], double factor)
{
    thaw_tick_percent(field, factor / 100);
    return strcat(field, "×");
}

static void draw(thaw_report_page *page, const group *of, const line *lines, size_t count, bool by_steps, double most)
{
    char caption[96], label[128];
    const thaw_axis x = thaw_axis_linear(1, most, LEFT, RIGHT, 6), y = thaw_axis_linear(0, 1, BOTTOM, TOP, 5);
    snprintf(caption, sizeof caption, "%s by %s", of->word, by_steps ? "steps" : "time");
    snprintf(label, sizeof label, "Share of problems that each of the %s solves within a factor of the fewest %s",
             of->key, by_steps ? "steps" : "seconds");
    thaw_text_append(&page->text, "<div>");
    thaw_chart_open(page, by_steps ? "profiles-steps" : "profiles-time", caption, label, WIDTH, HEIGHT);
    thaw_chart_ticks_y(page, &y, LEFT, RIGHT, thaw_tick_percent);
    thaw_chart_ticks_x(page, &x, TOP, BOTTOM, format_factor);
    thaw_text_append(&page->text, "<text class=\"axis\" x=\"%d\" y=\"%d\">times the fastest</text>\n", RIGHT,
                     BOTTOM + 33);
    for (size_t i = count; i-- > 0;)
        draw_line(page, &x, &y, &lines[i]);
    thaw_chart_close(page);
    write_key(page, lines, count);
    thaw_text_append(&page->text, "</div>");
}

static void draw_group(thaw_report_page *page, const json_t *all, const group *of, line *lines)
{
    static const char *const keys[] = { "by_seconds", "by_steps" };
    const json_t *both = json_object_get(all, of->key);
    const double most = thaw_report_number(all, "most");
    for (int by_steps = 0; by_steps < 2; by_steps++) {
        const size_t count = read_lines(page, of, json_object_get(both, keys[by_steps]), lines);
        if (count > 1)
            draw(page, of, lines, count, by_steps, most > 1 && most < 1e6 ? most : 4);
    }
}

void thaw_report_profiles(thaw_report_page *page)
{
    static const group groups[] = { { "optimizers", "Optimizers", true }, { "strategies", "Strategies", false } };
    const json_t *all = json_object_get(page->results, "profiles");
    const size_t most = page->optimizer_count + page->strategy_count;
    if (!all || most < 3)
        return;
    line *lines = thaw_allocate_array(page->context, most, sizeof *lines);
    page->text.failed = page->text.failed || !lines;
    if (!lines)
        return;
    thaw_text_append(
        &page->text,
        "<h3>Performance profiles</h3>\n<p>How often, in percent, a contender reaches the target within a factor of the "
        "fastest: higher and further left is better. A problem is a strategy and a seed for optimizers, an "
        "optimizer and a seed for strategies; one that is never solved counts as such. The number is the "
        "mean height, from 0 to 1 (AlgoPerf's score).</p>\n<div class=\"wide pairs\">");
    for (size_t i = 0; i < THAW_COUNT(groups); i++)
        draw_group(page, all, &groups[i], lines);
    thaw_text_append(&page->text, "</div>\n");
    thaw_release(page->context, lines);
}
