#include "cli/progress_line.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PART_BYTES = 96, LEAST_BAR = 8, MOST_BAR = 40, LEAST_LABEL = 12 };

/* A byte inside a character of UTF-8, after its first. */
static bool continues(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += !continues(*text);
    return width;
}

const char *cli_progress_cut(char line[CLI_LINE_BYTES], const char *text, int columns)
{
    size_t length = 0;
    for (int width = 0; text[length]; length++) {
        width += !continues(text[length]);
        if (width > columns || length + 1 == CLI_LINE_BYTES)
            break;
    }
    memcpy(line, text, length);
    line[length] = '\0';
    return line;
}

const char *cli_format_time(char text[CLI_TIME_BYTES], double seconds)
{
    static const double MOST = 1e9;
    const long whole = seconds >= 0 && seconds < MOST ? lround(seconds) : -1;
    if (whole < 0)
        snprintf(text, CLI_TIME_BYTES, "?");
    else if (whole < 3600)
        snprintf(text, CLI_TIME_BYTES, "%ld:%02ld", whole / 60, whole % 60);
    else
        snprintf(text, CLI_TIME_BYTES, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    return text;
}

/* The figures in the order in which they are printed; "" if one is not shown. */
enum { RATE, LEFT, LOSS, FIGURES };
typedef char figures[FIGURES][PART_BYTES];

static void write_figures(figures parts, const cli_progress_state *state, double rate)
{
    char time[CLI_TIME_BYTES];
    double left = state->seconds_left;
    const size_t rest = state->total > state->done ? state->total - state->done : 0;
    if (left == 0 && rate > 0 && state->total)
        left = (double)(rest + state->ahead) / rate;
    memset(parts, 0, sizeof(figures));
    if (left != 0)
        snprintf(parts[LEFT], PART_BYTES, "%s left", cli_format_time(time, left));
    if (rate > 0)
        snprintf(parts[RATE], PART_BYTES, "%.*f samples/s", rate < 10 ? 1 : 0, rate);
    if (state->loss != 0 && !isnan(state->loss))
        snprintf(parts[LOSS], PART_BYTES, "loss %.4f", state->loss);
}

/* Joins them by commas. Returns the width. */
static int join_figures(char text[CLI_LINE_BYTES], figures parts)
{
    int length = 0;
    text[0] = '\0';
    for (int i = 0; i < FIGURES; i++)
        if (*parts[i])
            length += snprintf(text + length, CLI_LINE_BYTES - (size_t)length, "%s%s", length ? ", " : "", parts[i]);
    return length;
}

/* "label, epoch 2/3 ", with a label that leaves room for the rest. */
static void write_beginning(char before[CLI_LINE_BYTES], const cli_progress_state *state, int columns)
{
    char epoch[PART_BYTES] = "", label[CLI_LINE_BYTES];
    const char *given = state->label ? state->label : "";
    if (state->epoch)
        snprintf(epoch, sizeof epoch, "epoch %d/%d ", state->epoch, state->epochs);
    const int room = columns / 2 - width_of(epoch);
    cli_progress_cut(label, given, room > LEAST_LABEL ? room : LEAST_LABEL);
    snprintf(before, CLI_LINE_BYTES, "%.512s%s%s", label, !*given ? "" : *epoch ? ", " : " ", epoch);
}

const char *cli_progress_format(char line[CLI_LINE_BYTES], const cli_progress_state *state, double rate, int columns)
{
    static const char full[MOST_BAR + 1] = "########################################";
    static const char empty[MOST_BAR + 1] = "........................................";
    static const int dispensable[] = { LOSS, RATE, LEFT };
    char whole[2 * CLI_LINE_BYTES + PART_BYTES], before[CLI_LINE_BYTES], after[CLI_LINE_BYTES], bar[PART_BYTES] = "";
    figures parts;
    write_figures(parts, state, rate);
    write_beginning(before, state, columns);
    const int room = columns - width_of(before);
    int taken = join_figures(after, parts);
    for (size_t i = 0; i < THAW_COUNT(dispensable) && taken > room; i++) {
        parts[dispensable[i]][0] = '\0';
        taken = join_figures(after, parts);
    }
    int width = room - taken - 3; /* brackets and a blank */
    width = width > MOST_BAR ? MOST_BAR : width;
    if (state->total && width >= LEAST_BAR) {
        const size_t most = state->done < state->total ? state->done : state->total;
        const int done = (int)((double)width * (double)most / (double)state->total);
        snprintf(bar, sizeof bar, "[%.*s%.*s] ", done, full, width - done, empty);
    }
    snprintf(whole, sizeof whole, "%s%s%s", before, bar, after);
    return cli_progress_cut(line, whole, columns);
}
