#include "cli/text_answers.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"

/* Lines that are answered together. */
typedef struct lines {
    cli_image_answers *answers;
    const char *path;
    char **texts;         /* each of `answers->most` */
    const char **seconds; /* inside the texts; NULL: texts are single */
    size_t count;
    size_t done; /* lines that were answered before */
} lines;

/* Cuts a pair at its tab. Returns the second text, or NULL without a tab. */
static const char *cut_pair(char *text)
{
    char *tab = strchr(text, '\t');
    if (!tab)
        return NULL;
    *tab = '\0';
    return tab + 1;
}

static int fail_pair(const char *where, size_t line)
{
    static const char wanted[] = "must be two texts with a tab between them, as the network was trained on pairs";
    return line ? cli_fail(where, "line %zu %s", line, wanted) : cli_fail(where, "%s", wanted);
}

int cli_answer_text(cli_image_answers *answers, const char *text)
{
    char *copy = strdup(text);
    const bool pairs = thaw_predictor_takes_pairs(answers->predictor);
    const char *second = copy && pairs ? cut_pair(copy) : NULL;
    int code = copy ? CLI_DONE : cli_fail(answers->label, "out of memory");
    if (code == CLI_DONE && pairs && !second)
        code = fail_pair("--text", 0);
    if (code == CLI_DONE)
        code = cli_check(answers->session.context,
                         thaw_predictor_text(answers->predictor, copy, second, answers->answers), "--text");
    if (code == CLI_DONE)
        code = answers->take(answers->user, &(cli_answered){ .text = text }, answers->answers);
    free(copy);
    return code;
}

/* ---------------------------------------------------------------- lines */

/* The line as it was read. */
static const char *whole_line(const lines *all, size_t index)
{
    if (all->seconds)
        all->texts[index][strlen(all->texts[index])] = '\t';
    return all->texts[index];
}

static int answer_batch(lines *all)
{
    cli_image_answers *answers = all->answers;
    const size_t elements = thaw_shape_count(thaw_predictor_answer(answers->predictor));
    int code = cli_check(answers->session.context,
                         thaw_predictor_texts(answers->predictor, (const char *const *)all->texts, all->seconds,
                                              all->count, answers->answers),
                         all->path);
    cli_progress_clear(&answers->progress);
    for (size_t i = 0; i < all->count; i++) {
        const size_t row = all->done + i + 1;
        const cli_answered what = { .path = all->path, .text = whole_line(all, i), .row = row, .line = row };
        if (code == CLI_DONE)
            code = answers->take(answers->user, &what, answers->answers + i * elements);
        free(all->texts[i]);
    }
    fflush(stdout);
    all->done += all->count;
    answers->done += all->count;
    all->count = 0;
    cli_progress_draw(&answers->progress,
                      &(cli_progress_state){ .label = answers->label, .done = answers->done, .loss = NAN });
    return code;
}

static int take_line(lines *all, const char *line)
{
    char *text = strdup(line);
    if (!text)
        return cli_fail(all->answers->label, "out of memory");
    all->texts[all->count] = text;
    if (all->seconds && !(all->seconds[all->count] = cut_pair(text))) {
        free(text);
        return fail_pair(all->path, all->done + all->count + 1);
    }
    return ++all->count == all->answers->most ? answer_batch(all) : CLI_DONE;
}

static int read_lines(lines *all, FILE *stream)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    int code = CLI_DONE;
    errno = 0;
    while (code == CLI_DONE && (length = getline(&line, &capacity, stream)) >= 0) {
        if (length && line[length - 1] == '\n')
            line[--length] = '\0';
        if (length && line[length - 1] == '\r')
            line[--length] = '\0';
        code = take_line(all, line);
    }
    if (code == CLI_DONE && ferror(stream))
        code = cli_fail(all->path, "cannot be read: %s", strerror(errno));
    if (code == CLI_DONE && all->count)
        code = answer_batch(all);
    free(line);
    return code;
}

int cli_answer_lines(cli_image_answers *answers, const char *path)
{
    const bool input = strcmp(path, "-") == 0;
    lines all = { .answers = answers, .path = input ? "standard input" : path };
    const bool pairs = thaw_predictor_takes_pairs(answers->predictor);
    if (strncmp(path, "text:", strlen("text:")) == 0)
        return cli_fail(path,
                        "is a table, must be a file with a text on each line, or - for standard input, such as from "
                        "cut -f COLUMN TABLE");
    FILE *stream = input ? stdin : fopen(path, "r");
    if (!stream)
        return cli_fail(path, "cannot be opened: %s", strerror(errno));
    all.texts = calloc(answers->most, sizeof *all.texts);
    all.seconds = pairs ? calloc(answers->most, sizeof *all.seconds) : NULL;
    int code = all.texts && (all.seconds || !pairs) ? CLI_DONE : cli_fail(answers->label, "out of memory");
    if (code == CLI_DONE)
        code = read_lines(&all, stream);
    for (size_t i = 0; i < all.count; i++)
        free(all.texts[i]);
    free((void *)all.texts);
    free((void *)all.seconds);
    if (!input)
        fclose(stream);
    return code;
}
