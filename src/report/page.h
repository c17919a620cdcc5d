/* A report in progress: what its sections read, and the page that they write. All of it comes from JSON in
   bench/results.schema.json and bench/measurement.schema.json. */
#ifndef THAW_REPORT_PAGE_H
#define THAW_REPORT_PAGE_H

#include <jansson.h>

#include "report/axis.h"
#include "report/markup.h"

enum { THAW_SHORT_NAME_BYTES = 24 };

/* A strategy with an optimizer, at the learning rate chosen for this pair. */
typedef struct thaw_report_point {
    const json_t *configuration;
    size_t strategy, optimizer; /* indices in the lists of the results */
    double accuracy, low, high, seconds, bytes;
    int rank; /* 0: unranked */
} thaw_report_point;

typedef struct thaw_report_page {
    thaw_context *context;
    const json_t *results;      /* NULL if there are only measurements */
    const json_t *measurements; /* a list of objects */
    const json_t *strategies, *optimizers;
    size_t strategy_count, optimizer_count;
    char (*short_names)[THAW_SHORT_NAME_BYTES]; /* of the optimizers, as all sections call them */
    thaw_report_point *points;                  /* best first */
    size_t point_count;
    thaw_text text;
} thaw_report_page;

/* ---- fields of the JSON; "", NAN or NULL if missing ---- */

const char *thaw_report_string(const json_t *object, const char *key);
double thaw_report_number(const json_t *object, const char *key);
bool thaw_report_true(const json_t *object, const char *key);

const char *thaw_report_strategy(const thaw_report_page *page, size_t index);
const char *thaw_report_optimizer(const thaw_report_page *page, size_t index);
/* The point of a pair, or NULL. */
const thaw_report_point *thaw_report_find(const thaw_report_page *page, size_t strategy, size_t optimizer);
size_t thaw_report_epochs(const thaw_report_page *page);

/* ---- a page ---- */

/* Reads the lists. `results` may be NULL. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_report_page_open(thaw_context *context, const json_t *results, const json_t *measurements,
                                  thaw_report_page *page);
void thaw_report_page_close(thaw_report_page *page);

/* Writes all sections into the skeleton page. The caller releases *html (thaw_text_destroy). Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_report_page_write(thaw_report_page *page, char **html);

/* ---- sentences ---- */

typedef bool thaw_report_selector(const thaw_report_point *point);

/* How many points are selected. */
size_t thaw_report_count(const thaw_report_page *page, thaw_report_selector *selects);

/* "full with adam"; without the optimizer if there is only one. */
void thaw_report_name(thaw_report_page *page, const thaw_report_point *point);

/* Names those selected: "a and b with adam; c with sgd", or "none". */
void thaw_report_name_all(thaw_report_page *page, thaw_report_selector *selects);

/* ---- the target ---- */

/* How long a point took to reach the target; runs is 0 if there is no target. Ranks are 0 if there is none. */
typedef struct thaw_report_reach {
    double runs, reached;             /* counts */
    double mean, at_least, low, high; /* NAN if unknown; high also if a run never reached it */
    int rank;
} thaw_report_reach;
thaw_report_reach thaw_report_reach_of(const thaw_report_point *point, bool by_steps);

/* Whether any configuration has figures about a target. */
bool thaw_report_has_target(const thaw_report_page *page);

/* What first reached it, in words; nothing without a target. */
void thaw_report_target_verdict(thaw_report_page *page);

/* "3.2 s", "> 3.2 s" if some runs never reached it, "never" if none did. */
enum { THAW_REACH_BYTES = THAW_FIELD_BYTES + 8 };
char *thaw_report_format_reach(char field[THAW_REACH_BYTES], const thaw_report_reach *reach, bool by_steps);

/* The charts of the profiles, in the section about the target. */
void thaw_report_profiles(thaw_report_page *page);

/* ---- parts of charts ---- */

/* Opens a figure, its caption and an SVG of this size; `label` describes it for screen readers. */
void thaw_chart_open(thaw_report_page *page, const char *kind, const char *caption, const char *label, double width,
                     double height);
void thaw_chart_close(thaw_report_page *page);

/* Attributes that identify a mark's point, and its class by optimizer. */
void thaw_chart_identity(thaw_report_page *page, const thaw_report_point *point);

/* The shape of an optimizer, at a position. The caller may write a title inside, and must close the shape with
   thaw_chart_shape_close. */
void thaw_chart_shape(thaw_report_page *page, const thaw_report_point *point, double x, double y, const char *class);
void thaw_chart_shape_close(thaw_report_page *page);

/* "full, adam: 93.68 % (93.17 to 94.19)" as the title of a mark. */
void thaw_chart_title(thaw_report_page *page, const thaw_report_point *point);

/* Marks on the last piece of a line, at (x, y), that it goes on beyond its axis: across is 1 to the right and -1 to the
   left; otherwise down is 1 or -1. */
void thaw_chart_beyond(thaw_report_page *page, double x, double y, int across, int down);

/* An interval as a horizontal line at `y`. An end beyond the axis is marked. */
void thaw_chart_interval(thaw_report_page *page, const thaw_axis *axis, double low, double high, double y);

/* The matrix of strategies and optimizers by time to the target. */
void thaw_report_target_matrix(thaw_report_page *page);

/* The legend of optimizers' colours and shapes; empty if there is only one. */
void thaw_chart_key(thaw_report_page *page);

/* Ticks, grid lines from `from` to `to`, and labels. `format` writes the values. */
typedef char *thaw_tick_format(char field[THAW_FIELD_BYTES], double value);
void thaw_chart_ticks_x(thaw_report_page *page, const thaw_axis *axis, double from, double to,
                        thaw_tick_format *format);
void thaw_chart_ticks_y(thaw_report_page *page, const thaw_axis *axis, double from, double to,
                        thaw_tick_format *format);
/* With as few decimals as possible: a share as percent, a time, a size. */
char *thaw_tick_percent(char field[THAW_FIELD_BYTES], double share);
char *thaw_tick_seconds(char field[THAW_FIELD_BYTES], double seconds);
char *thaw_tick_bytes(char field[THAW_FIELD_BYTES], double bytes);

/* An axis over the accuracies of all points with their intervals. */
thaw_axis thaw_chart_accuracies(const thaw_report_page *page, double begin, double end, size_t most);

/* ---- the sections, one file each ---- */

void thaw_report_verdict(thaw_report_page *page);
void thaw_report_ranking(thaw_report_page *page);
void thaw_report_differences(thaw_report_page *page);
void thaw_report_learning(thaw_report_page *page);
void thaw_report_fronts(thaw_report_page *page);
void thaw_report_costs(thaw_report_page *page);
void thaw_report_heat_map(thaw_report_page *page);
void thaw_report_race(thaw_report_page *page);
void thaw_report_target(thaw_report_page *page);
void thaw_report_tuning(thaw_report_page *page);
void thaw_report_layer_states(thaw_report_page *page);
void thaw_report_measurements(thaw_report_page *page);
void thaw_report_facts(thaw_report_page *page);

/* Files embedded by embed.py. */
extern const char thaw_report_page_html[], thaw_report_style_css[], thaw_report_script_js[];

#endif
