#include "cli/prediction_output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/epoch_table.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "core/printable.h"
#include "io/new_file.h"
#include "report/csv_field.h"

static int fail_memory(void)
{
    return cli_fail("predict", "out of memory");
}

static char *printable(const char *text)
{
    const size_t capacity = 4 * strlen(text) + 1;
    char *copy = malloc(capacity);
    if (copy)
        thaw_copy_printable(copy, capacity, text);
    return copy;
}

int cli_prediction_begin(cli_prediction_output *to)
{
    const size_t classes = thaw_predictor_classes(to->predictor);
    to->top = to->top < classes ? to->top : classes;
    to->best = calloc(to->top + 1, sizeof *to->best);
    to->stream = to->output ? open_memstream(&to->text, &to->bytes) : stdout;
    return to->best && to->stream ? CLI_DONE : fail_memory();
}

void cli_prediction_end(cli_prediction_output *to)
{
    if (to->output && to->stream)
        fclose(to->stream);
    free(to->text);
    free(to->best);
}

/* Elements that are shown, and which is the one at `place`. */
static size_t shown(const cli_prediction_output *to)
{
    return to->top ? to->top : thaw_shape_count(thaw_predictor_answer(to->predictor));
}

static size_t element(const cli_prediction_output *to, size_t place)
{
    return to->top ? to->best[place] : place;
}

/* ---------------------------------------------------------------- text */

static int put_text(const cli_prediction_output *to, const char *path, size_t row, const float *scores)
{
    fprintf(to->stream, row ? "%s: row %zu:" : "%s:", path, row);
    for (size_t i = 0; i < shown(to); i++) {
        const size_t at = element(to, i);
        char share[CLI_SHARE_BYTES], *name = printable(thaw_predictor_answer_name(to->predictor, at));
        if (!name)
            return fail_memory();
        fprintf(to->stream, "%s %s ", i ? "," : "", name);
        if (thaw_predictor_task(to->predictor) == THAW_TASK_REGRESSION)
            fprintf(to->stream, "%.6g", (double)scores[at]);
        else
            fputs(cli_format_share(share, (double)scores[at]), to->stream);
        free(name);
    }
    putc('\n', to->stream);
    return CLI_DONE;
}

/* ---------------------------------------------------------------- JSON */

static int put_json(const cli_prediction_output *to, const char *path, const cli_answered *what, const float *scores)
{
    static const char *const lists[] = {
        [THAW_TASK_CLASSES] = "classes", [THAW_TASK_LABELS] = "labels", [THAW_TASK_REGRESSION] = "numbers"
    };
    const thaw_task task = thaw_predictor_task(to->predictor);
    json_t *object = json_object(), *list = json_array();
    json_object_set_new(object, "event", json_string("prediction"));
    if (what->path)
        json_object_set_new(object, "path", json_string(path));
    if (what->row)
        json_object_set_new(object, "row", cli_json_count(what->row));
    if (what->line)
        json_object_set_new(object, "line", cli_json_count(what->line));
    if (what->text) {
        char *text = printable(what->text);
        json_object_set_new(object, "text", json_string(text ? text : ""));
        free(text);
    }
    for (size_t i = 0; i < shown(to); i++) {
        const size_t at = element(to, i);
        char *name = printable(thaw_predictor_answer_name(to->predictor, at));
        json_t *entry = json_object();
        if (task == THAW_TASK_CLASSES)
            json_object_set_new(entry, "class", cli_json_count(at));
        json_object_set_new(entry, "name", json_string(name ? name : ""));
        json_object_set_new(entry, task == THAW_TASK_REGRESSION ? "value" : "probability",
                            cli_json_real((double)scores[at]));
        json_array_append_new(list, entry);
        free(name);
    }
    json_object_set_new(object, lists[task], list);
    if (!to->output)
        return cli_json_print(object);
    const int written = json_dumpf(object, to->stream, JSON_COMPACT | JSON_REAL_PRECISION(9));
    json_decref(object);
    putc('\n', to->stream);
    return written == 0 ? CLI_DONE : fail_memory();
}

/* ---------------------------------------------------------------- CSV */

static void put_header(const cli_prediction_output *to, const cli_answered *what, thaw_text *line)
{
    thaw_text_append(line, what->row ? "\"path\",\"row\"" : what->path ? "\"path\"" : "\"text\"");
    for (size_t i = 0; i < shown(to); i++) {
        if (to->top && i == 0)
            thaw_text_append(line, ",\"class\",\"probability\"");
        else if (to->top)
            thaw_text_append(line, ",\"class %zu\",\"probability %zu\"", i + 1, i + 1);
        else {
            thaw_text_append(line, ",");
            thaw_csv_append_text(line, thaw_predictor_answer_name(to->predictor, i));
        }
    }
    thaw_text_append(line, "\n");
}

static int put_csv(const cli_prediction_output *to, const cli_answered *what, const float *scores)
{
    thaw_text line = { .context = to->context };
    char *text;
    if (to->count == 0)
        put_header(to, what, &line);
    thaw_csv_append_text(&line, what->path ? what->path : what->text);
    if (what->row)
        thaw_text_append(&line, ",%zu", what->row);
    for (size_t i = 0; i < shown(to); i++) {
        const size_t at = element(to, i);
        thaw_text_append(&line, ",");
        if (to->top) {
            thaw_csv_append_text(&line, thaw_predictor_answer_name(to->predictor, at));
            thaw_text_append(&line, ",");
        }
        thaw_csv_append_number(&line, (double)scores[at]);
    }
    thaw_text_append(&line, "\n");
    const int code = cli_check(to->context, thaw_text_finish(&line, &text), "--output");
    if (code == CLI_DONE) {
        fputs(text, to->stream);
        thaw_text_destroy(to->context, text);
    }
    return code;
}

/* ---------------------------------------------------------------- all */

int cli_prediction_show(cli_prediction_output *to, const cli_answered *what, const float *scores)
{
    int code = CLI_DONE;
    char *path = printable(what->path ? what->path : what->text);
    if (!path)
        return fail_memory();
    thaw_predictor_best(to->predictor, scores, to->top, to->best);
    if (to->json)
        code = put_json(to, path, what, scores);
    else
        code = to->output ? put_csv(to, what, scores) : put_text(to, path, what->row, scores);
    to->count++;
    free(path);
    return code;
}

int cli_prediction_finish(cli_prediction_output *to)
{
    thaw_new_file file;
    if (!to->output || !to->stream)
        return CLI_DONE;
    const bool whole = fflush(to->stream) == 0 && !ferror(to->stream);
    if (!whole)
        return fail_memory();
    thaw_status status = thaw_new_file_create(to->context, to->output, to->bytes, &file);
    if (status != THAW_OK)
        return cli_check(to->context, status, "--output");
    status = thaw_new_file_write(&file, to->text, to->bytes);
    if (status == THAW_OK)
        status = thaw_new_file_commit(&file);
    else
        thaw_new_file_discard(&file);
    return cli_check(to->context, status, "--output");
}
