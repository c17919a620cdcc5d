/* The figures of a classifier as a page of HTML. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/classified.h"
#include "report/markup.h"
#include "report/plain_locale.h"
#include "report/skeleton.h"
#include "report/write.h"

enum { MOST_CONFUSIONS = 10 };

/* What the parts of a page share. */
typedef struct writing {
    const thaw_classified *classified;
    thaw_status status;
} writing;

static void write_title(void *user, thaw_text *text)
{
    const thaw_classified *classified = ((const writing *)user)->classified;
    thaw_text_append(text, "Answers of ");
    thaw_markup_label(text, classified->model, 60);
}

static void write_subject(void *user, thaw_text *text)
{
    thaw_markup_label(text, ((const writing *)user)->classified->data, 200);
}

/* ---------------------------------------------------------------- in short */

static void append_figure(thaw_text *text, const char *value, const char *unit, const char *what)
{
    thaw_text_append(text, "<li><b>%s%s</b> %s</li>", value, unit, what);
}

static void append_share(thaw_text *text, double share, const char *what)
{
    char field[THAW_FIELD_BYTES];
    append_figure(text, thaw_format_percent(field, share), isfinite(share) ? "\u202F%" : "", what);
}

static void append_real(thaw_text *text, double value, const char *what)
{
    char field[THAW_FIELD_BYTES] = "–";
    if (isfinite(value))
        snprintf(field, sizeof field, "%.4f", value);
    append_figure(text, field, "", what);
}

static void append_confusions(thaw_text *text, const thaw_classified *classified)
{
    thaw_confusion found[MOST_CONFUSIONS];
    const size_t count = thaw_classification_confusions(classified->counts, found, MOST_CONFUSIONS);
    if (count == 0) {
        thaw_text_append(text, "<p>No sample was taken for another class.</p>\n");
        return;
    }
    thaw_text_append(text, "<h3>Most frequent confusions</h3>\n<dl class=\"facts confusions\">");
    for (size_t i = 0; i < count; i++) {
        char number[THAW_FIELD_BYTES], whole[THAW_FIELD_BYTES], share[THAW_FIELD_BYTES];
        const size_t support = classified->classes[found[i].actual].support;
        thaw_text_append(text, "<dt>");
        thaw_markup_label(text, classified->names[found[i].actual], 60);
        thaw_text_append(text, " taken for ");
        thaw_markup_label(text, classified->names[found[i].predicted], 60);
        thaw_text_append(text, "</dt><dd>%s of %s, %s\u202F%%", thaw_format_count(number, (double)found[i].count),
                         thaw_format_count(whole, (double)support),
                         thaw_format_percent(share, (double)found[i].count / (double)support));
        thaw_text_append(text, "</dd>");
    }
    thaw_text_append(text, "</dl>\n");
}

static void append_summary(thaw_text *text, const thaw_classified *classified)
{
    const thaw_classification_figures *all = &classified->all;
    char right[THAW_FIELD_BYTES], samples[THAW_FIELD_BYTES];
    thaw_text_append(text,
                     "<section id=\"summary\"><h2>In short</h2>\n<p class=\"lead\">%s of %s samples were told "
                     "right.</p>\n<ul class=\"figures\">",
                     thaw_format_count(right, (double)all->correct), thaw_format_count(samples, (double)all->samples));
    append_share(text, all->accuracy, "accuracy");
    append_share(text, all->top5, "top-5 accuracy");
    append_share(text, all->macro.f1, "F1, mean over the classes");
    append_real(text, all->roc_auc, "ROC AUC, mean over the classes");
    append_real(text, classified->loss, "loss");
    thaw_text_append(text, "</ul>\n");
    append_confusions(text, classified);
    thaw_text_append(text, "</section>\n");
}

/* ---------------------------------------------------------------- the classes */

static const struct {
    const char *key, *title, *explanation;
    bool text;
} columns[] = {
    { "class", "class", "", true },
    { "precision", "precision, %", "of the samples that were taken for the class, the share that is of it", false },
    { "recall", "recall, %", "of the samples of the class, the share that was told right", false },
    { "f1", "F1, %", "harmonic mean of precision and recall", false },
    { "roc_auc", "ROC AUC", "the class against all others; equal scores count half", false },
    { "samples", "samples", "of the class", false },
    { "predicted", "taken for it", "samples that were taken for the class", false },
};

static void append_field(thaw_text *text, const char *key, double value, const char *shown)
{
    thaw_text_append(text, "<td class=\"number\" data-c=\"%s\" data-v=\"", key);
    thaw_markup_exact(text, value);
    thaw_text_append(text, "\">%s</td>", shown);
}

static void append_class(thaw_text *text, const thaw_classified *classified, size_t index)
{
    const thaw_class_figures *one = &classified->classes[index];
    char field[THAW_FIELD_BYTES] = "–";
    thaw_text_append(text, "<tr><td data-c=\"strategy\" data-v=\"");
    thaw_markup_text(text, classified->names[index]);
    thaw_text_append(text, "\" title=\"");
    thaw_markup_text(text, classified->names[index]);
    thaw_text_append(text, "\">");
    thaw_markup_label(text, classified->names[index], 30);
    thaw_text_append(text, "</td>");
    if (isfinite(one->roc_auc))
        snprintf(field, sizeof field, "%.4f", one->roc_auc);
    char share[THAW_FIELD_BYTES];
    append_field(text, "precision", one->rates.precision, thaw_format_percent(share, one->rates.precision));
    append_field(text, "recall", one->rates.recall, thaw_format_percent(share, one->rates.recall));
    append_field(text, "f1", one->rates.f1, thaw_format_percent(share, one->rates.f1));
    append_field(text, "roc_auc", one->roc_auc, field);
    append_field(text, "samples", (double)one->support, thaw_format_count(share, (double)one->support));
    append_field(text, "predicted", (double)one->predicted, thaw_format_count(share, (double)one->predicted));
    thaw_text_append(text, "</tr>\n");
}

static void append_classes(thaw_text *text, const thaw_classified *classified)
{
    thaw_text_append(text, "<section id=\"classes\"><h2>Classes</h2>\n<p>Click a column's head to sort.</p>\n"
                           "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Classes\">"
                           "<table class=\"sortable\" id=\"by-class\"><thead><tr>");
    for (size_t i = 0; i < THAW_COUNT(columns); i++)
        thaw_text_append(text,
                         "<th scope=\"col\"%s data-c=\"%s\"><button type=\"button\" title=\"%s\">%s</button></th>",
                         columns[i].text ? "" : " class=\"number\"", columns[i].text ? "strategy" : columns[i].key,
                         columns[i].explanation, columns[i].title);
    thaw_text_append(text, "</tr></thead><tbody>\n");
    for (size_t i = 0; i < thaw_classification_classes(classified->counts); i++)
        append_class(text, classified, i);
    thaw_text_append(text, "</tbody></table></div></section>\n");
}

/* ---------------------------------------------------------------- how it was measured */

static void append_fact(thaw_text *text, const char *name, const char *value)
{
    if (!value)
        return;
    thaw_text_append(text, "<dt>%s</dt><dd>", name);
    thaw_markup_text(text, value);
    thaw_text_append(text, "</dd>");
}

static void append_facts(thaw_text *text, const thaw_classified *classified)
{
    thaw_text_append(text, "<section id=\"facts\"><h2>How this was measured</h2>\n<dl class=\"facts\">");
    append_fact(text, "network", classified->model);
    append_fact(text, "weights", classified->weights);
    append_fact(text, "data", classified->data);
    append_fact(text, "Thaw", thaw_version());
    append_fact(text, "command", classified->command);
    thaw_text_append(text, "</dl></section>\n");
}

static void write_body(void *user, thaw_text *text)
{
    writing *now = user;
    append_summary(text, now->classified);
    now->status = thaw_confusion_matrix_append(text, now->classified);
    append_classes(text, now->classified);
    append_facts(text, now->classified);
}

static thaw_status make_page(thaw_context *context, const thaw_classified *classified, char **html)
{
    static const thaw_skeleton_parts parts = { write_title, write_subject, write_body };
    writing now = { .classified = classified };
    thaw_text text = { .context = context };
    thaw_plain_locale locale;
    thaw_status status = thaw_plain_locale_enter(context, &locale);
    if (status != THAW_OK)
        return status;
    thaw_skeleton_write(&text, &parts, &now);
    thaw_plain_locale_leave(&locale);
    status = thaw_text_finish(&text, html);
    return now.status == THAW_OK ? status : now.status;
}

thaw_status thaw_classified_write_page(thaw_context *context, const thaw_classified *classified, const char *path)
{
    char *html = NULL;
    thaw_status status = make_page(context, classified, &html);
    if (status == THAW_OK)
        status = thaw_report_write_file(context, path, html, strlen(html));
    thaw_text_destroy(context, html);
    return status;
}
