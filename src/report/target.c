/* How long training took to reach the target: the findings in words, and bars with intervals by time and by steps. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/page.h"

enum { WIDTH = 420, NAMES = 150, PLOT = 157, PLOT_END = 330, NUMBERS = 340, ROW = 22, THICKNESS = 12, TOP = 4 };
enum { MOST_ROWS = 48 };

/* ---------------------------------------------------------------- reading */

static double count_at(const json_t *object, const char *key)
{
    const double count = thaw_report_number(object, key);
    return count >= 0 && count < 1e9 ? count : 0;
}

thaw_report_reach thaw_report_reach_of(const thaw_report_point *point, bool by_steps)
{
    const json_t *target = json_object_get(point->configuration, "to_target");
    const json_t *figures = json_object_get(target, by_steps ? "steps" : "seconds");
    const double rank = thaw_report_number(target, by_steps ? "rank_by_steps" : "rank_by_seconds");
    return (thaw_report_reach){
        .runs = count_at(target, "runs"),
        .reached = count_at(target, "reached"),
        .mean = thaw_report_number(figures, "mean"),
        .at_least = thaw_report_number(figures, "at_least"),
        .low = thaw_report_number(figures, "low"),
        .high = thaw_report_number(figures, "high"),
        .rank = rank >= 1 && rank < 1e9 ? (int)rank : 0,
    };
}

bool thaw_report_has_target(const thaw_report_page *page)
{
    bool found = false;
    for (size_t i = 0; i < page->point_count && !found; i++)
        found = thaw_report_reach_of(&page->points[i], false).runs > 0;
    return found;
}

static char *format_one(char field[THAW_FIELD_BYTES], double value, bool by_steps)
{
    return by_steps ? thaw_format_count(field, round(value)) : thaw_format_seconds(field, value);
}

/* Whether some runs never reached the target. */
static bool is_open(const thaw_report_reach *reach)
{
    return reach->reached < reach->runs;
}

/* The least that is known of the time. */
static double bound_of(const thaw_report_reach *reach)
{
    return isfinite(reach->low) ? reach->low : reach->at_least;
}

char *thaw_report_format_reach(char field[THAW_REACH_BYTES], const thaw_report_reach *reach, bool by_steps)
{
    char one[THAW_FIELD_BYTES];
    if (reach->reached <= 0)
        snprintf(field, THAW_REACH_BYTES, "%s", reach->runs > 0 ? "never" : "–");
    else if (is_open(reach))
        snprintf(field, THAW_REACH_BYTES, "> %s", format_one(one, bound_of(reach), by_steps));
    else
        snprintf(field, THAW_REACH_BYTES, "%s", format_one(one, reach->mean, by_steps));
    return field;
}

/* "90 % test accuracy", "a test loss of 0.3". */
static void say_goal(thaw_report_page *page)
{
    const json_t *experiment = json_object_get(page->results, "experiment");
    const double loss = thaw_report_number(experiment, "target_loss");
    const double accuracy = thaw_report_number(experiment, "target_accuracy");
    if (isfinite(loss))
        thaw_text_append(&page->text, "a test loss of %g", loss);
    else if (isfinite(accuracy))
        thaw_text_append(&page->text, "%g\u202F%% test accuracy", 100 * accuracy);
    else
        thaw_text_append(&page->text, "the target");
}

/* ---------------------------------------------------------------- in words */

static bool is_first(const thaw_report_point *point)
{
    return thaw_report_reach_of(point, false).rank == 1;
}

static bool is_ranked(const thaw_report_point *point)
{
    return thaw_report_reach_of(point, false).rank > 0;
}

static bool never_reached(const thaw_report_point *point)
{
    const thaw_report_reach reach = thaw_report_reach_of(point, false);
    return reach.runs > 0 && reach.reached <= 0;
}

static void say_interval(thaw_report_page *page, const thaw_report_reach *reach)
{
    char mean[THAW_FIELD_BYTES], low[THAW_FIELD_BYTES], high[THAW_FIELD_BYTES];
    thaw_text_append(&page->text, "%s", thaw_format_seconds(mean, reach->mean));
    if (isfinite(reach->low) && isfinite(reach->high))
        thaw_text_append(&page->text, ", 95\u202F%% interval %s to %s", thaw_format_seconds(low, reach->low),
                         thaw_format_seconds(high, reach->high));
}

static const thaw_report_point *only_first(const thaw_report_page *page)
{
    size_t i = 0;
    while (i < page->point_count && !is_first(&page->points[i]))
        i++;
    return &page->points[i];
}

void thaw_report_target_verdict(thaw_report_page *page)
{
    if (!thaw_report_has_target(page))
        return;
    const size_t ranked = thaw_report_count(page, is_ranked), first = thaw_report_count(page, is_first);
    const size_t never = thaw_report_count(page, never_reached);
    thaw_text_append(&page->text, "<p class=\"lead\">To ");
    say_goal(page);
    if (ranked == 0) {
        thaw_text_append(&page->text, ": nothing to rank yet by time. ");
    } else if (first == 1 && ranked > 1 && isfinite(thaw_report_reach_of(only_first(page), false).low)) {
        const thaw_report_reach reach = thaw_report_reach_of(only_first(page), false);
        thaw_text_append(&page->text, ", ");
        thaw_report_name(page, only_first(page));
        thaw_text_append(&page->text, " is <b>the fastest</b> (");
        say_interval(page, &reach);
        thaw_text_append(&page->text, "): its interval lies below those of all %zu others that get there. ",
                         ranked - 1);
    } else {
        thaw_text_append(&page->text, ", these seeds name no single fastest way. <b>First by time</b>: ");
        thaw_report_name_all(page, is_first);
        thaw_text_append(&page->text, ". ");
    }
    if (never)
        thaw_text_append(&page->text,
                         "%zu of %zu pairs of strategy and optimizer <b>never</b> reached it in %zu epochs. ", never,
                         page->point_count, thaw_report_epochs(page));
    thaw_text_append(&page->text, "</p>\n");
}

/* ---------------------------------------------------------------- bars */

typedef struct bar {
    const thaw_report_point *point;
    thaw_report_reach reach;
} bar;

/* By rank, then by the time; what never got there comes last. */
static int compare(const void *left, const void *right)
{
    const thaw_report_reach *a = &((const bar *)left)->reach, *b = &((const bar *)right)->reach;
    const int never_a = a->reached <= 0, never_b = b->reached <= 0;
    if (never_a != never_b)
        return never_a - never_b;
    if (is_open(a) != is_open(b))
        return is_open(a) - is_open(b);
    return (a->at_least > b->at_least) - (a->at_least < b->at_least);
}

static thaw_axis axis_of(const bar *bars, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        const thaw_report_reach *reach = &bars[i].reach;
        if (reach->reached > 0)
            most = fmax(most, is_open(reach) ? reach->at_least : fmax(reach->mean, reach->high));
    }
    return thaw_axis_linear(0, most, PLOT, PLOT_END, 3);
}

static void draw_name(thaw_report_page *page, const thaw_report_point *point, double y)
{
    thaw_text *text = &page->text;
    thaw_text_append(text, "<text class=\"name\" x=\"%d\" y=\"%.1f\">", NAMES, y + 4);
    thaw_markup_label(text, thaw_report_strategy(page, point->strategy), page->optimizer_count > 1 ? 12 : 20);
    if (page->optimizer_count > 1) {
        thaw_text_append(text, " <tspan class=\"quiet\">");
        thaw_markup_label(text, page->short_names[point->optimizer], 11);
        thaw_text_append(text, "</tspan>");
    }
    thaw_text_append(text, "</text>");
}

/* What is known: the mean and its interval, or a bound with an arrow. */
static void draw_known(thaw_report_page *page, const thaw_axis *axis, const thaw_report_reach *reach, double y)
{
    thaw_text *text = &page->text;
    const double end = thaw_axis_place(axis, is_open(reach) ? bound_of(reach) : reach->mean);
    thaw_text_append(text, "<rect x=\"%d\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" rx=\"2\"/>", PLOT,
                     y - THICKNESS / 2.0, end - PLOT, THICKNESS);
    if (is_open(reach))
        thaw_text_append(text, "<path class=\"onward\" d=\"M%.2f %.1fh9m-4-3.5l4 3.5l-4 3.5\"/>", end, y);
    else if (isfinite(reach->low) && isfinite(reach->high))
        thaw_text_append(text, "<path class=\"interval\" d=\"M%.2f %.1fH%.2f\"/>", thaw_axis_place(axis, reach->low), y,
                         thaw_axis_place(axis, reach->high));
}

static void draw_bar(thaw_report_page *page, const thaw_axis *axis, const bar *drawn, bool by_steps, double y)
{
    thaw_text *text = &page->text;
    const thaw_report_reach *reach = &drawn->reach;
    char field[THAW_REACH_BYTES];
    draw_name(page, drawn->point, y);
    thaw_text_append(text, "<g class=\"mark reach o%zu%s%s\" data-v=\"", drawn->point->optimizer % 6,
                     is_open(reach) ? " open" : "", reach->rank == 1 ? " leads" : "");
    thaw_markup_exact(text, reach->reached <= 0 ? (double)NAN : is_open(reach) ? bound_of(reach) : reach->mean);
    thaw_text_append(text, "\"");
    thaw_chart_identity(page, drawn->point);
    thaw_text_append(text, ">");
    if (reach->reached > 0 && isfinite(reach->at_least))
        draw_known(page, axis, reach, y);
    else
        thaw_text_append(text, "<path class=\"interval\" d=\"M%d %.1fh8\"/>", PLOT, y);
    thaw_text_append(text, "<title>%.0f of %.0f runs reached the target</title></g>", reach->reached, reach->runs);
    thaw_text_append(text, "<text class=\"value%s\" x=\"%d\" y=\"%.1f\">", reach->reached > 0 ? "" : " quiet", NUMBERS,
                     y + 4);
    thaw_markup_text(text, thaw_report_format_reach(field, reach, by_steps));
    if (is_open(reach))
        thaw_text_append(text, "<tspan class=\"quiet\"> %.0f/%.0f</tspan>", reach->reached, reach->runs);
    thaw_text_append(text, "</text>\n");
}

static char *format_steps(char field[THAW_FIELD_BYTES], double steps)
{
    return thaw_format_count(field, steps);
}

static void draw(thaw_report_page *page, bar *bars, bool by_steps)
{
    size_t count = 0;
    for (size_t i = 0; i < page->point_count; i++) {
        bars[count] = (bar){ &page->points[i], thaw_report_reach_of(&page->points[i], by_steps) };
        count += bars[count].reach.runs > 0;
    }
    qsort(bars, count, sizeof *bars, compare);
    count = count < MOST_ROWS ? count : MOST_ROWS;
    const thaw_axis axis = axis_of(bars, count);
    const double bottom = TOP + (double)count * ROW;
    thaw_chart_open(page, by_steps ? "reach-steps" : "reach-time", by_steps ? "By steps" : "By time",
                    by_steps ? "Steps to the target for each configuration, with 95 % intervals"
                             : "Training time to the target for each configuration, with 95 % intervals",
                    WIDTH, bottom + 22);
    thaw_chart_ticks_x(page, &axis, TOP, bottom, by_steps ? format_steps : thaw_tick_seconds);
    for (size_t i = 0; i < count; i++)
        draw_bar(page, &axis, &bars[i], by_steps, TOP + ((double)i + 0.5) * ROW);
    thaw_chart_close(page);
}

void thaw_report_target(thaw_report_page *page)
{
    if (!thaw_report_has_target(page))
        return;
    bar *bars = thaw_allocate_array(page->context, page->point_count, sizeof *bars);
    page->text.failed = page->text.failed || !bars;
    if (!bars)
        return;
    thaw_text_append(&page->text,
                     "<section id=\"target\"><h2>Time to the target</h2>\n<p>Training until a test after an "
                     "epoch first reached ");
    say_goal(page);
    thaw_text_append(
        &page->text,
        ". Bars are geometric means over seeds, and lines their 95\u202F%% intervals. A hollow bar with an "
        "arrow: some runs never reached it, so the time is at least that long. Framed: first place, which "
        "is a tie where intervals overlap.");
    if (page->point_count > MOST_ROWS)
        thaw_text_append(&page->text, " The first %d of %zu.", MOST_ROWS, page->point_count);
    thaw_text_append(&page->text, "</p>\n<div class=\"wide\">");
    for (int by_steps = 0; by_steps < 2; by_steps++)
        draw(page, bars, by_steps);
    thaw_text_append(&page->text, "</div>\n");
    thaw_release(page->context, bars);
    thaw_report_profiles(page);
    if (page->optimizer_count > 1 && page->strategy_count > 1)
        thaw_report_target_matrix(page);
    thaw_text_append(&page->text, "</section>\n");
}
