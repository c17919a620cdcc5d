#include "cli/row_answers.h"

#include <math.h>
#include <stdio.h>

#include "cli/failure.h"
#include "data/rows.h"

bool cli_rows_are_meant(const cli_image_answers *answers, const char *argument)
{
    return !thaw_predictor_images(answers->predictor)->size || thaw_rows_are_described(argument);
}

static int answer_batch(cli_image_answers *answers, const char *argument, const thaw_rows *rows, size_t first)
{
    const size_t all = (size_t)rows->samples.shape.dims[0], left = all - first;
    const size_t count = left < answers->most ? left : answers->most;
    const size_t elements = thaw_shape_count(thaw_predictor_answer(answers->predictor));
    const size_t sample = thaw_shape_count(&rows->samples.shape) / all;
    thaw_tensor samples = rows->samples;
    samples.shape.dims[0] = (int64_t)count;
    samples.data = (float *)rows->samples.data + first * sample;
    int code = cli_check(answers->session.context,
                         thaw_predictor_samples(answers->predictor, &samples, answers->answers), answers->label);
    cli_progress_clear(&answers->progress);
    for (size_t i = 0; i < count && code == CLI_DONE; i++) {
        const cli_answered what = { .path = argument,
                                    .row = first + i + 1,
                                    .line = rows->lines ? rows->lines[first + i] : 0 };
        code = answers->take(answers->user, &what, answers->answers + i * elements);
    }
    answers->done += count;
    cli_progress_draw(&answers->progress,
                      &(cli_progress_state){
                          .label = answers->label, .done = first + count, .total = all, .loss = NAN });
    return code;
}

int cli_answer_rows(cli_image_answers *answers, const char *argument)
{
    thaw_rows rows;
    thaw_context *context = answers->session.context;
    const thaw_status status = thaw_predictor_read_rows(answers->predictor, argument, &rows);
    int code = status == THAW_OK ? CLI_DONE : cli_fail(answers->label, "%s", thaw_context_message(context));
    const size_t count = code == CLI_DONE ? (size_t)rows.samples.shape.dims[0] : 0;
    for (size_t first = 0; first < count && code == CLI_DONE; first += answers->most)
        code = answer_batch(answers, argument, &rows, first);
    thaw_rows_destroy(context, &rows);
    cli_progress_clear(&answers->progress);
    return code;
}
