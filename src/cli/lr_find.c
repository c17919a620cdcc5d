/* thaw lr-find. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/rate_finder.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/shown.h"
#include "cli/strategy.h"
#include "report/axis.h"

enum { COLUMNS = 60, ROWS = 12, WIDTH = 640, HEIGHT = 360, MARGIN = 50 };

/* The axes over all points, from the left and from the top. */
static void make_axes(const thaw_rate_result *found, double width, double height, thaw_axis *x, thaw_axis *y)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < found->count; i++) {
        low = fmin(low, found->points[i].smoothed);
        high = fmax(high, found->points[i].smoothed);
    }
    *x = thaw_axis_logarithmic(found->points[0].rate, found->points[found->count - 1].rate, 0, width);
    *y = thaw_axis_linear(low, high, height, 0, 5);
}

static void print_chart(const thaw_rate_result *found)
{
    char cells[ROWS][COLUMNS + 1];
    thaw_axis x, y;
    make_axes(found, COLUMNS - 1, ROWS - 1, &x, &y);
    memset(cells, ' ', sizeof cells);
    for (size_t i = 0; i < found->count; i++) {
        const int row = (int)lround(thaw_axis_place(&y, found->points[i].smoothed));
        cells[row][lround(thaw_axis_place(&x, found->points[i].rate))] = '*';
    }
    const long column = isnan(found->valley) ? -1 : lround(thaw_axis_place(&x, found->valley));
    for (int row = 0; row < ROWS; row++) {
        if (column >= 0 && cells[row][column] == ' ')
            cells[row][column] = ':';
        cells[row][COLUMNS] = '\0';
        printf("%9.3g |%s\n", y.high + (y.low - y.high) * row / (ROWS - 1), cells[row]);
    }
    printf("%9s +", "loss");
    for (int i = 0; i < COLUMNS; i++)
        putchar('-');
    printf("\n%11s%-*.2g%*.2g\n", "", COLUMNS / 2, x.low, COLUMNS / 2, x.high);
}

static void print_svg(FILE *file, const thaw_rate_result *found)
{
    thaw_axis x, y;
    make_axes(found, WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN, &x, &y);
    fprintf(file,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
            "font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n"
            "<g transform=\"translate(%d %d)\">\n",
            WIDTH, HEIGHT, MARGIN, MARGIN);
    for (size_t i = 0; i < x.tick_count; i++)
        fprintf(file, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%g</text>\n", thaw_axis_place(&x, x.ticks[i]),
                HEIGHT - 2 * MARGIN + 18, x.ticks[i]);
    for (size_t i = 0; i < y.tick_count; i++)
        fprintf(file,
                "<text x=\"-6\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n"
                "<path d=\"M0 %.1fH%d\" stroke=\"#ddd\"/>\n",
                thaw_axis_place(&y, y.ticks[i]) + 4, y.ticks[i], thaw_axis_place(&y, y.ticks[i]), WIDTH - 2 * MARGIN);
    fprintf(file, "<path fill=\"none\" stroke=\"#06c\" stroke-width=\"2\" d=\"");
    for (size_t i = 0; i < found->count; i++)
        fprintf(file, "%c%.1f %.1f", i ? 'L' : 'M', thaw_axis_place(&x, found->points[i].rate),
                thaw_axis_place(&y, found->points[i].smoothed));
    fprintf(file, "\"/>\n");
    if (!isnan(found->valley))
        fprintf(file,
                "<path d=\"M%.1f 0V%d\" stroke=\"#c30\" stroke-dasharray=\"4\"/>\n"
                "<text x=\"%.1f\" y=\"-6\" text-anchor=\"middle\" fill=\"#c30\">%.2g</text>\n",
                thaw_axis_place(&x, found->valley), HEIGHT - 2 * MARGIN, thaw_axis_place(&x, found->valley),
                found->valley);
    fprintf(file,
            "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">learning rate</text>\n"
            "<text x=\"0\" y=\"-24\">smoothed loss</text>\n</g>\n</svg>\n",
            WIDTH / 2 - MARGIN, HEIGHT - 2 * MARGIN + 38);
}

static int write_svg(const char *path, const thaw_rate_result *found)
{
    FILE *file = fopen(path, "we");
    if (!file)
        return cli_fail("--svg", "%s: cannot be written", path);
    print_svg(file, found);
    const bool failed = ferror(file);
    return fclose(file) != 0 || failed ? cli_fail("--svg", "%s: could not be written in full", path) : CLI_DONE;
}

static int print_json(const thaw_rate_result *found, bool stopped)
{
    json_t *object = json_object(), *points = json_array();
    for (size_t i = 0; i < found->count; i++) {
        json_t *point = json_object();
        json_object_set_new(point, "rate", cli_json_real(found->points[i].rate));
        json_object_set_new(point, "loss", cli_json_real(found->points[i].loss));
        json_object_set_new(point, "smoothed", cli_json_real(found->points[i].smoothed));
        json_array_append_new(points, point);
    }
    json_object_set_new(object, "event", json_string("learning_rates"));
    json_object_set_new(object, "suggestion", cli_json_real(found->valley));
    json_object_set_new(object, "steepest", cli_json_real(found->steepest));
    json_object_set_new(object, "diverged", json_boolean(found->diverged));
    json_object_set_new(object, "stopped", json_boolean(stopped));
    json_object_set_new(object, "points", points);
    return cli_json_print(object);
}

static void print_text(const thaw_rate_result *found, uint64_t steps, bool stopped)
{
    if (found->count > 1)
        print_chart(found);
    if (stopped) {
        printf("stopped by a signal after %zu of %llu steps, no suggestion\n", found->count, (unsigned long long)steps);
        return;
    }
    printf("%zu steps%s\n", found->count, found->diverged ? ", then the loss diverged" : "");
    if (isnan(found->valley))
        printf("no suggestion: the loss does not fall\n");
    else
        printf("suggestion: %.2g, the middle of the valley; steepest at %.2g\n", found->valley, found->steepest);
}

/* ---------------------------------------------------------------- the command */

typedef struct search {
    const cli_options *options;
    cli_progress progress;
    thaw_rate_result found;
    uint64_t steps; /* that the test wants to take */
    int signal;     /* that stopped it, or 0 */
} search;

static bool on_step(void *user, size_t step, size_t steps)
{
    search *now = user;
    const size_t batch = (size_t)now->options->batch;
    now->steps = steps;
    cli_progress_draw(&now->progress,
                      &(cli_progress_state){
                          .label = "finding a rate", .done = step * batch, .total = steps * batch, .loss = NAN });
    now->signal = cli_interrupt_signal();
    return now->signal == 0;
}

/* A signal stops the test, and what there is of the curve is shown. */
static int run(cli_session *session, search *now)
{
    const cli_options *options = now->options;
    const thaw_rate_options wanted = {
        .from = options->rate_from,
        .to = options->rate_to,
        .steps = (size_t)options->rate_steps,
        .batch = (int64_t)options->batch,
        .on_step = on_step,
        .user = now,
    };
    now->progress = cli_progress_begin(options->json && isatty(STDOUT_FILENO));
    cli_interrupt_catch();
    const thaw_status status = thaw_find_rate(session->model, session->training, &wanted, &now->found);
    cli_progress_clear(&now->progress);
    return status == THAW_STOPPED && now->signal ? CLI_DONE : cli_check_option(session->context, status, "lr-find");
}

static int show(const search *now)
{
    const bool stopped = now->signal != 0, drawn = now->options->svg && now->found.count && !stopped;
    int code = CLI_DONE;
    if (drawn)
        code = write_svg(now->options->svg, &now->found);
    if (code == CLI_DONE && now->options->json)
        code = print_json(&now->found, stopped);
    else if (code == CLI_DONE && now->found.count)
        print_text(&now->found, now->steps, stopped);
    if (code == CLI_DONE && drawn && !now->options->json)
        printf("saved %s\n", cli_show(now->options->svg).text);
    return code == CLI_DONE && stopped ? CLI_SIGNALLED + now->signal : code;
}

static int find(const cli_options *options)
{
    cli_session session;
    search now = { .options = options };
    int code = cli_session_build(&session, options);
    if (code == CLI_DONE)
        code = cli_strategy_apply(&session, 1);
    if (code == CLI_DONE)
        code = run(&session, &now);
    if (code == CLI_DONE)
        code = show(&now);
    if (session.context)
        thaw_release(session.context, now.found.points);
    cli_session_close(&session);
    return code;
}

const cli_command cli_lr_find = {
    .name = "lr-find",
    .summary = "find a learning rate by a range test",
    .description = "Find a learning rate by a range test: train with rates that grow from step to step until the loss "
                   "diverges, draw the smoothed loss, and suggest the middle of its valley. The rates are those of the "
                   "trainable group with the largest one; those of other groups keep their proportion to it. Files are "
                   "not changed. A signal such as Ctrl-C stops the test, and shows the curve so far. Smith 2015, "
                   "arXiv:1506.01186.",
    .examples = "  thaw lr-find --model transfer-cnn --data fashion-mnist --svg rates.svg\n"
                "  thaw lr-find --load source.safetensors --head linear --strategy head \\\n"
                "               --data folder:photos --optimizer sgd:lr=0.1,momentum=0.9\n",
    .takes = CLI_MODEL | CLI_LOAD | CLI_RESET | CLI_DATA | CLI_RULES | CLI_BATCH | CLI_PRECISION |
             CLI_FROZEN_PRECISION | CLI_STRATEGY | CLI_HEAD | CLI_RATES | CLI_COMMON,
    .needs = CLI_MODEL | CLI_DATA,
    .run = find,
};
