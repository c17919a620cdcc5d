#include "cli/image_answers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/failure.h"
#include "cli/image_paths.h"
#include "cli/predictor.h"
#include "cli/row_answers.h"
#include "cli/text_answers.h"
#include "cli/texts.h"
#include "data/image_form.h"

/* ---------------------------------------------------------------- opening */

static bool has_arguments(const cli_options *options)
{
    bool found = false;
    for (size_t i = 0; i < options->rule_count; i++)
        found |= options->rules[i].kind == CLI_RULE_ARGUMENT || options->rules[i].kind == CLI_RULE_TEXT;
    return found;
}

/* An explicit --images that is not what the file says would give other answers than evaluation did. */
static int check_form(const cli_session *session, const thaw_predictor *predictor)
{
    thaw_folder_options noted;
    bool known;
    char found[THAW_FORM_BYTES], wanted[THAW_FORM_BYTES];
    const int code = cli_check(session->context, thaw_notes_images(session->notes, &noted, &known), "--load");
    if (code != CLI_DONE || !known || session->options->override ||
        !thaw_image_form_differs(thaw_predictor_images(predictor), &noted, found, wanted))
        return code;
    return cli_misuse("--images", "%s, the weights were trained with %s; --override takes the option", found, wanted);
}

/* `given`: the command line, before the file completed it. */
static int open_predictor(cli_image_answers *answers, const cli_options *given)
{
    const cli_session *session = &answers->session;
    const char *tokenizer = session->options->tokenizer;
    const thaw_predictor_options wanted = { .images = session->options->images,
                                            .layer = answers->layer,
                                            .features = answers->embeds && !answers->layer,
                                            .tokenizer = tokenizer ? tokenizer : cli_default_tokenizer(session) };
    int code = cli_predictor_open(session, given, wanted, &answers->predictor);
    if (code == CLI_DONE && thaw_predictor_takes_texts(answers->predictor))
        code = cli_check(session->context, thaw_predictor_texts(answers->predictor, NULL, NULL, 0, NULL),
                         session->from_folder ? "--model" : "--load");
    return code == CLI_DONE ? check_form(session, answers->predictor) : code;
}

static int make_room(cli_image_answers *answers)
{
    const thaw_shape *sample = thaw_model_node_shape(thaw_predictor_model(answers->predictor), 0);
    const size_t most = (size_t)answers->session.options->batch;
    answers->most = most;
    answers->samples = (thaw_shape){ .rank = sample->rank + 1, .dims = { (int64_t)most } };
    memcpy(&answers->samples.dims[1], sample->dims, (size_t)sample->rank * sizeof sample->dims[0]);
    answers->paths = calloc(most, sizeof *answers->paths);
    answers->readings = calloc(most, sizeof *answers->readings);
    answers->values = calloc(most, thaw_shape_count(sample) * sizeof *answers->values);
    answers->answers =
        calloc(most, thaw_shape_count(thaw_predictor_answer(answers->predictor)) * sizeof *answers->answers);
    return answers->paths && answers->readings && answers->values && answers->answers
               ? CLI_DONE
               : cli_fail("start", "no memory for %zu images at a time; see --batch", most);
}

int cli_answers_open(cli_image_answers *answers, const cli_options *options)
{
    if (!has_arguments(options))
        return cli_misuse("FILE", "is missing: a file, a folder, or - for a list on standard input; or --text TEXT");
    int code = cli_session_open(&answers->session, options);
    if (code == CLI_DONE)
        code = open_predictor(answers, options);
    if (code == CLI_DONE)
        code = make_room(answers);
    /* Answers on the terminal show by themselves how far the run is. */
    answers->progress = cli_progress_begin(isatty(STDOUT_FILENO) && !answers->to_file);
    return code;
}

void cli_answers_close(cli_image_answers *answers)
{
    thaw_predictor_destroy(answers->predictor);
    free((void *)answers->paths);
    free(answers->readings);
    free(answers->values);
    free(answers->answers);
    if (answers->session.context)
        cli_session_close(&answers->session);
}

/* ---------------------------------------------------------------- answering */

/* Moves the samples that were read together. Returns their number. */
static size_t gather(cli_image_answers *answers)
{
    const size_t elements = thaw_shape_count(&answers->samples) / answers->most;
    size_t kept = 0;
    for (size_t i = 0; i < answers->count; i++) {
        if (answers->readings[i].status != THAW_OK)
            continue;
        if (kept < i)
            memmove(answers->values + kept * elements, answers->values + i * elements,
                    elements * sizeof *answers->values);
        kept++;
    }
    return kept;
}

static int take_all(cli_image_answers *answers)
{
    const size_t elements = thaw_shape_count(thaw_predictor_answer(answers->predictor));
    const float *answer = answers->answers;
    int code = CLI_DONE;
    cli_progress_clear(&answers->progress);
    for (size_t i = 0; i < answers->count && code == CLI_DONE; i++) {
        if (answers->readings[i].status == THAW_OK) {
            code = answers->take(answers->user, &(cli_answered){ .path = answers->paths[i] }, answer);
            answer += elements;
            continue;
        }
        cli_fail(answers->paths[i], "%s", answers->readings[i].message);
        answers->failed = true;
    }
    fflush(stdout);
    return code;
}

static void draw(cli_image_answers *answers)
{
    answers->done += answers->count;
    cli_progress_draw(&answers->progress,
                      &(cli_progress_state){ .label = answers->label, .done = answers->done, .loss = NAN });
}

/* Answers to all that was read, and forgets it. */
static int answer_batch(cli_image_answers *answers)
{
    thaw_context *context = answers->session.context;
    int code = cli_check(context,
                         thaw_predictor_read_files(answers->predictor, (const char *const *)answers->paths,
                                                   answers->count, answers->values, answers->readings),
                         answers->label);
    if (code == CLI_DONE) {
        thaw_tensor samples = { .dtype = THAW_F32, .shape = answers->samples, .data = answers->values };
        samples.shape.dims[0] = (int64_t)gather(answers);
        if (samples.shape.dims[0])
            code = cli_check(context, thaw_predictor_samples(answers->predictor, &samples, answers->answers),
                             answers->label);
    }
    if (code == CLI_DONE)
        code = take_all(answers);
    if (code == CLI_DONE)
        draw(answers);
    for (size_t i = 0; i < answers->count; i++)
        free(answers->paths[i]);
    answers->count = 0;
    return code;
}

static int take_path(void *user, const char *path)
{
    cli_image_answers *answers = user;
    answers->paths[answers->count] = strdup(path);
    if (!answers->paths[answers->count])
        return cli_fail(answers->label, "out of memory");
    return ++answers->count == answers->most ? answer_batch(answers) : CLI_DONE;
}

static int answer_argument(cli_image_answers *answers, const char *argument)
{
    if (thaw_predictor_takes_texts(answers->predictor))
        return cli_answer_lines(answers, argument);
    if (cli_rows_are_meant(answers, argument))
        return cli_answer_rows(answers, argument);
    return cli_visit_images(answers->session.context, argument, take_path, answers);
}

int cli_answers_run(cli_image_answers *answers)
{
    const cli_options *options = answers->session.options;
    int code = CLI_DONE;
    for (size_t i = 0; i < options->rule_count && code != CLI_MISUSED; i++) {
        const bool text = options->rules[i].kind == CLI_RULE_TEXT;
        if (!text && options->rules[i].kind != CLI_RULE_ARGUMENT)
            continue;
        const char *argument = options->rules[i].text;
        const int one = text ? cli_answer_text(answers, argument) : answer_argument(answers, argument);
        if (one != CLI_DONE)
            answers->failed = true; /* the others may be readable */
    }
    if (answers->count)
        code = answer_batch(answers);
    cli_progress_clear(&answers->progress);
    return code == CLI_DONE && answers->failed ? CLI_FAILED : code;
}
