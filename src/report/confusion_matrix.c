/* The confusion matrix of a page: a row for each class, a column for each answer. */
#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "report/classified.h"
#include "report/markup.h"

enum { MOST_CLASSES = 60, LONGEST_HEAD = 40, SHORT_HEAD = 3 };

/* A class, and how many samples were taken for it wrongly or wrongly not. */
typedef struct confused {
    size_t class, samples;
} confused;

static int by_samples(const void *left, const void *right)
{
    const confused *a = left, *b = right;
    if (a->samples != b->samples)
        return a->samples < b->samples ? 1 : -1;
    return a->class > b->class ? 1 : -1;
}

static int by_class(const void *left, const void *right)
{
    const confused *a = left, *b = right;
    return (a->class > b->class) - (a->class < b->class);
}

/* Puts the classes to show first, in their order. Returns their number. */
static size_t choose(const thaw_classified *classified, confused *list)
{
    const size_t classes = thaw_classification_classes(classified->counts);
    for (size_t i = 0; i < classes; i++) {
        const thaw_class_figures *one = &classified->classes[i];
        list[i] = (confused){ i, one->support + one->predicted - 2 * one->correct };
    }
    if (classes <= MOST_CLASSES)
        return classes;
    qsort(list, classes, sizeof *list, by_samples);
    qsort(list, MOST_CLASSES, sizeof *list, by_class);
    return MOST_CLASSES;
}

/* From 0 for none to 6. Confusions are rarer than right answers by far, so that the steps become wider. */
static int step_of(size_t count, size_t support)
{
    static const double ends[] = { 0.02, 0.05, 0.1, 0.25, 0.5 };
    const double share = support ? (double)count / (double)support : 0;
    int step = 1;
    while (step <= (int)THAW_COUNT(ends) && share >= ends[step - 1])
        step++;
    return count ? step : 0;
}

static void append_cell(thaw_text *text, const thaw_classified *classified, size_t actual, size_t predicted)
{
    char number[THAW_FIELD_BYTES], whole[THAW_FIELD_BYTES], share[THAW_FIELD_BYTES];
    const size_t count = thaw_classification_count(classified->counts, actual, predicted);
    const size_t support = classified->classes[actual].support;
    thaw_text_append(text, "<td class=\"h%d%s\" title=\"", step_of(count, support),
                     actual == predicted ? " right" : "");
    thaw_markup_text(text, classified->names[actual]);
    thaw_text_append(text, actual == predicted ? " told right" : " taken for ");
    if (actual != predicted)
        thaw_markup_text(text, classified->names[predicted]);
    thaw_text_append(text, ": %s of %s samples", thaw_format_count(number, (double)count),
                     thaw_format_count(whole, (double)support));
    if (support)
        thaw_text_append(text, " (%s %%)", thaw_format_percent(share, (double)count / (double)support));
    thaw_text_append(text, "\">");
    if (count)
        thaw_text_append(text, "%zu", count);
    thaw_text_append(text, "</td>");
}

static void append_head(thaw_text *text, const char *name, bool column)
{
    thaw_text_append(text, "<th scope=\"%s\" title=\"", column ? "col" : "row");
    thaw_markup_text(text, name);
    thaw_text_append(text, column ? "\"><span>" : "\">");
    thaw_markup_label(text, name, LONGEST_HEAD);
    thaw_text_append(text, column ? "</span></th>" : "</th>");
}

/* Names of a few letters need not stand upright. */
static bool are_short(const thaw_classified *classified, const confused *list, size_t count)
{
    bool all = true;
    for (size_t i = 0; i < count; i++)
        all = all && strlen(classified->names[list[i].class]) <= SHORT_HEAD;
    return all;
}

static void append_table(thaw_text *text, const thaw_classified *classified, const confused *list, size_t count)
{
    thaw_text_append(text,
                     "<div class=\"scroll confusion\" tabindex=\"0\" role=\"region\" aria-label=\"Confusion matrix\">"
                     "<table id=\"confusion\"><thead%s><tr><td></td>",
                     are_short(classified, list, count) ? " class=\"short\"" : "");
    for (size_t i = 0; i < count; i++)
        append_head(text, classified->names[list[i].class], true);
    thaw_text_append(text, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < count; i++) {
        thaw_text_append(text, "<tr>");
        append_head(text, classified->names[list[i].class], false);
        for (size_t k = 0; k < count; k++)
            append_cell(text, classified, list[i].class, list[k].class);
        thaw_text_append(text, "</tr>\n");
    }
    thaw_text_append(text, "</tbody></table></div>\n");
}

thaw_status thaw_confusion_matrix_append(thaw_text *text, const thaw_classified *classified)
{
    const size_t classes = thaw_classification_classes(classified->counts);
    confused *list = thaw_allocate_array(text->context, classes, sizeof *list);
    if (!list)
        return THAW_OUT_OF_MEMORY;
    const size_t count = choose(classified, list);
    thaw_text_append(text,
                     "<section id=\"matrix\"><h2>Confusion matrix</h2>\n"
                     "<p>A row is a class, a column an answer: the number of samples of the class that got it. The "
                     "stronger the colour, the larger the share of the class. Right answers have a frame.");
    if (count < classes)
        thaw_text_append(text, " Of %zu classes, these are the %zu with the most wrong answers; --csv writes all.",
                         classes, count);
    thaw_text_append(text, "</p>\n");
    append_table(text, classified, list, count);
    thaw_text_append(text, "</section>\n");
    thaw_release(text->context, list);
    return THAW_OK;
}
