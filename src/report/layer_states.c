/* What the plan did with each layer in each epoch: one picture per strategy, the network's last layer at the top. */
#include <string.h>

#include "report/page.h"

/* With more layers than ALL, those without parameters are left out; with more than NAMED, names are left out. */
enum { WIDTH = 200, NAMES = 72, PLOT = 76, PLOT_END = 196, TOP = 22, ALL = 20, NAMED = 40 };

typedef struct word {
    const char *key, *explanation;
} word;

static const word words[] = {
    { "trained", "its parameters train" },
    { "partial", "a part of its parameters train: biases, adapters" },
    { "frozen", "in the live part, but nothing in it trains" },
    { "fused", "in the frozen prefix: inference kernels" },
    { "cached", "did not run: its outputs were kept" },
};

/* A run of the strategy: plans do not depend on optimizer or seed, and those of a policy are shown by the first. */
static const json_t *run_of(const thaw_report_page *page, const char *strategy)
{
    const json_t *runs = json_object_get(page->results, "runs"), *longest = NULL;
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        if (strcmp(thaw_report_string(run, "strategy"), strategy) == 0 &&
            json_array_size(json_object_get(run, "epochs")) > json_array_size(json_object_get(longest, "epochs")))
            longest = run;
    }
    return longest;
}

/* Why a policy did what it did, a line for each action. */
static void list_actions(thaw_report_page *page, const char *strategy, const json_t *run)
{
    const json_t *actions = json_object_get(run, "actions");
    thaw_text *text = &page->text;
    if (json_array_size(actions) == 0)
        return;
    thaw_text_append(text, "<details class=\"actions\"><summary>What <b>");
    thaw_markup_text(text, strategy);
    thaw_text_append(text, "</b> did with seed %.0f, and why</summary>\n<ol>", thaw_report_number(run, "seed"));
    for (size_t i = 0; i < json_array_size(actions); i++) {
        const json_t *action = json_array_get(actions, i);
        const char *first = thaw_report_string(action, "first_name"), *last = thaw_report_string(action, "last_name");
        thaw_text_append(text, "<li>Epoch %.0f, step %.0f: ", thaw_report_number(action, "epoch"),
                         thaw_report_number(action, "step"));
        thaw_markup_text(text, thaw_report_string(action, "action"));
        thaw_text_append(text, " <b>");
        thaw_markup_text(text, first);
        if (strcmp(first, last) != 0) {
            thaw_text_append(text, "</b> to <b>");
            thaw_markup_text(text, last);
        }
        thaw_text_append(text, "</b>: ");
        thaw_markup_text(text, thaw_report_string(action, "reason"));
        thaw_text_append(text, "</li>\n");
    }
    thaw_text_append(text, "</ol></details>\n");
}

static bool is_shown(const json_t *layer, size_t count)
{
    return count <= ALL || thaw_report_number(layer, "parameters") > 0;
}

static void draw_states(thaw_report_page *page, const json_t *epochs, size_t layer, double y, double height)
{
    const size_t count = thaw_report_epochs(page);
    const double width = (PLOT_END - PLOT) / (double)count, gap = width > 6 ? 1 : 0;
    for (size_t e = 0; e < json_array_size(epochs); e++) {
        const json_t *states = json_object_get(json_array_get(epochs, e), "layer_states");
        const char *state = json_string_value(json_array_get(states, layer));
        size_t known = 0;
        while (state && known < THAW_COUNT(words) && strcmp(words[known].key, state) != 0)
            known++;
        if (!state || known == THAW_COUNT(words))
            continue;
        thaw_text_append(
            &page->text,
            "<rect class=\"mark s-%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%.1f\" data-l=\"%zu\" "
            "data-e=\"%zu\"/>",
            state, PLOT + width * (double)e, y, width - gap, height - 1, layer, e + 1);
    }
    thaw_text_append(&page->text, "\n");
}

static void draw(thaw_report_page *page, const json_t *layers, const char *strategy, const json_t *epochs)
{
    const size_t count = json_array_size(layers);
    size_t shown = 0;
    for (size_t i = 0; i < count; i++)
        shown += is_shown(json_array_get(layers, i), count);
    const double height = shown <= NAMED ? 13 : 6, bottom = TOP + (double)shown * height;
    thaw_text *text = &page->text;
    thaw_chart_open(page, "states", "", "The state of each layer by epoch", WIDTH, bottom + 20);
    thaw_text_append(text, "<text class=\"heading\" x=\"%d\" y=\"13\">", PLOT);
    thaw_markup_label(text, strategy, 17);
    thaw_text_append(text, "</text>\n");
    double y = TOP;
    for (size_t i = count; i-- > 0;) {
        const json_t *layer = json_array_get(layers, i);
        if (!is_shown(layer, count))
            continue;
        if (shown <= NAMED) {
            const bool quiet = !(thaw_report_number(layer, "parameters") > 0);
            thaw_text_append(text, "<text class=\"name%s\" x=\"%d\" y=\"%.1f\">", quiet ? " quiet" : "", NAMES, y + 10);
            thaw_markup_label(text, thaw_report_string(layer, "name"), 12);
            thaw_text_append(text, "</text>");
        }
        draw_states(page, epochs, i, y, height);
        y += height;
    }
    thaw_text_append(text,
                     "<text class=\"tick first\" x=\"%d\" y=\"%.1f\">epoch 1</text><text class=\"tick last\" x=\"%d\" "
                     "y=\"%.1f\">%zu</text>",
                     PLOT, bottom + 14, PLOT_END, bottom + 14, thaw_report_epochs(page));
    thaw_chart_close(page);
}

void thaw_report_layer_states(thaw_report_page *page)
{
    const json_t *layers = json_object_get(json_object_get(page->results, "experiment"), "layers");
    thaw_text_append(
        &page->text,
        "<section id=\"plans\"><h2>What is compiled</h2>\n"
        "<p>The plan of each strategy: layers from the top of the network down, epochs from left to right.</p>\n"
        "<ul class=\"key\">");
    for (size_t i = 0; i < THAW_COUNT(words); i++)
        thaw_text_append(&page->text,
                         "<li><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\"><rect class=\"s-%s\" width=\"14\" "
                         "height=\"14\"/></svg><b>%s</b>&ensp;%s</li>",
                         words[i].key, words[i].key, words[i].explanation);
    thaw_text_append(&page->text, "</ul>\n<div class=\"panels\">");
    for (size_t s = 0; s < page->strategy_count; s++) {
        const char *name = thaw_report_strategy(page, s);
        const json_t *epochs = json_object_get(run_of(page, name), "epochs");
        if (epochs)
            draw(page, layers, name, epochs);
    }
    thaw_text_append(&page->text, "</div>\n");
    for (size_t s = 0; s < page->strategy_count; s++)
        list_actions(page, thaw_report_strategy(page, s), run_of(page, thaw_report_strategy(page, s)));
    thaw_text_append(&page->text, "</section>\n");
}
