/* thaw predict. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/predictor.h>

#include "cli/command.h"
#include "cli/epoch_table.h"
#include "cli/failure.h"
#include "cli/image_paths.h"
#include "cli/json.h"
#include "cli/renamings.h"
#include "cli/session.h"
#include "core/printable.h"
#include "data/image_form.h"

typedef struct prediction {
    const cli_options *options;
    thaw_context *context;
    thaw_predictor *predictor;
    thaw_shape samples; /* of a whole batch */
    size_t most;        /* images at a time */
    size_t top;         /* classes of each that are printed */
    char **paths;       /* read, and not yet predicted */
    size_t count;
    float *values, *scores;
    thaw_reading *readings;
    size_t *best;
    bool failed; /* for some image */
} prediction;

/* ---------------------------------------------------------------- output */

static char *printable(const char *text)
{
    const size_t capacity = 4 * strlen(text) + 1;
    char *copy = malloc(capacity);
    if (copy)
        thaw_copy_printable(copy, capacity, text);
    return copy;
}

static int print_json(const prediction *now, const char *path, const float *scores)
{
    json_t *object = json_object(), *classes = json_array();
    json_object_set_new(object, "event", json_string("prediction"));
    json_object_set_new(object, "path", json_string(path));
    for (size_t i = 0; i < now->top; i++) {
        char *name = printable(thaw_predictor_class_name(now->predictor, now->best[i]));
        json_t *entry = json_object();
        json_object_set_new(entry, "class", cli_json_count(now->best[i]));
        json_object_set_new(entry, "name", json_string(name ? name : ""));
        json_object_set_new(entry, "probability", cli_json_real((double)scores[now->best[i]]));
        json_array_append_new(classes, entry);
        free(name);
    }
    json_object_set_new(object, "classes", classes);
    return cli_json_print(object);
}

static int print_text(const prediction *now, const char *path, const float *scores)
{
    printf("%s:", path);
    for (size_t i = 0; i < now->top; i++) {
        char share[CLI_SHARE_BYTES], *name = printable(thaw_predictor_class_name(now->predictor, now->best[i]));
        printf("%s %s %s", i ? "," : "", name ? name : "", cli_format_share(share, (double)scores[now->best[i]]));
        free(name);
    }
    putchar('\n');
    return CLI_DONE;
}

static int print_one(const prediction *now, size_t image, const float *scores)
{
    char *path = printable(now->paths[image]);
    if (!path)
        return cli_fail("predict", "out of memory");
    thaw_predictor_best(now->predictor, scores, now->top, now->best);
    const int code = now->options->json ? print_json(now, path, scores) : print_text(now, path, scores);
    free(path);
    return code;
}

/* ---------------------------------------------------------------- images */

/* Moves the samples that were read together. Returns their number. */
static size_t gather(prediction *now)
{
    const size_t elements = thaw_shape_count(&now->samples) / now->most;
    size_t kept = 0;
    for (size_t i = 0; i < now->count; i++) {
        if (now->readings[i].status != THAW_OK)
            continue;
        if (kept < i)
            memmove(now->values + kept * elements, now->values + i * elements, elements * sizeof *now->values);
        kept++;
    }
    return kept;
}

static int print_all(prediction *now)
{
    const size_t classes = thaw_predictor_classes(now->predictor);
    const float *scores = now->scores;
    int code = CLI_DONE;
    for (size_t i = 0; i < now->count && code == CLI_DONE; i++) {
        if (now->readings[i].status == THAW_OK) {
            code = print_one(now, i, scores);
            scores += classes;
            continue;
        }
        cli_fail(now->paths[i], "%s", now->readings[i].message);
        now->failed = true;
    }
    fflush(stdout);
    return code;
}

/* Predicts for all paths, and forgets them. */
static int predict_batch(prediction *now)
{
    int code = cli_check(now->context,
                         thaw_predictor_read_files(now->predictor, (const char *const *)now->paths, now->count,
                                                   now->values, now->readings),
                         "predict");
    if (code == CLI_DONE) {
        thaw_tensor samples = { .dtype = THAW_F32, .shape = now->samples, .data = now->values };
        samples.shape.dims[0] = (int64_t)gather(now);
        if (samples.shape.dims[0])
            code = cli_check(now->context, thaw_predictor_samples(now->predictor, &samples, now->scores), "predict");
    }
    if (code == CLI_DONE)
        code = print_all(now);
    for (size_t i = 0; i < now->count; i++)
        free(now->paths[i]);
    now->count = 0;
    return code;
}

static int take(void *user, const char *path)
{
    prediction *now = user;
    now->paths[now->count] = strdup(path);
    if (!now->paths[now->count])
        return cli_fail("predict", "out of memory");
    return ++now->count == now->most ? predict_batch(now) : CLI_DONE;
}

static int predict_images(prediction *now)
{
    int code = CLI_DONE;
    for (size_t i = 0; i < now->options->rule_count && code != CLI_MISUSED; i++) {
        if (now->options->rules[i].kind != CLI_RULE_ARGUMENT)
            continue;
        if (cli_visit_images(now->context, now->options->rules[i].text, take, now) != CLI_DONE)
            now->failed = true; /* the others may be readable */
    }
    if (now->count)
        code = predict_batch(now);
    return code == CLI_DONE && now->failed ? CLI_FAILED : code;
}

/* ---------------------------------------------------------------- the command */

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
static int open_predictor(const cli_session *session, const cli_options *given, prediction *now)
{
    const cli_options *options = session->options;
    cli_renamings renamings;
    int code = cli_renamings_parse(options, &renamings);
    if (code != CLI_DONE)
        return code;
    const thaw_predictor_options wanted = {
        .model = given->model ? options->model : NULL,
        .classes = (size_t)options->classes,
        .images = options->images,
        .renamings = renamings.items,
        .renaming_count = renamings.count,
    };
    const thaw_status status = thaw_predictor_open(session->context, options->load, &wanted, &now->predictor);
    cli_renamings_release(&renamings);
    code = status == THAW_INVALID_ARGUMENT && options->images ? cli_check_option(session->context, status, "--images")
                                                              : cli_check(session->context, status, "--load");
    if (code == CLI_DONE)
        code = check_form(session, now->predictor);
    return code;
}

static int make_room(prediction *now)
{
    const thaw_shape *sample = thaw_model_node_shape(thaw_predictor_model(now->predictor), 0);
    const size_t classes = thaw_predictor_classes(now->predictor);
    now->most = (size_t)now->options->batch;
    now->top = now->options->top < classes ? (size_t)now->options->top : classes;
    now->samples = (thaw_shape){ .rank = sample->rank + 1, .dims = { (int64_t)now->most } };
    memcpy(&now->samples.dims[1], sample->dims, (size_t)sample->rank * sizeof sample->dims[0]);
    now->paths = calloc(now->most, sizeof *now->paths);
    now->readings = calloc(now->most, sizeof *now->readings);
    now->values = calloc(now->most, thaw_shape_count(sample) * sizeof *now->values);
    now->scores = calloc(now->most, classes * sizeof *now->scores);
    now->best = calloc(now->top, sizeof *now->best);
    return now->paths && now->readings && now->values && now->scores && now->best
               ? CLI_DONE
               : cli_fail("predict", "no memory for %zu images at a time; see --batch", now->most);
}

static bool has_arguments(const cli_options *options)
{
    bool found = false;
    for (size_t i = 0; i < options->rule_count; i++)
        found |= options->rules[i].kind == CLI_RULE_ARGUMENT;
    return found;
}

static int predict(const cli_options *options)
{
    if (!has_arguments(options))
        return cli_misuse("IMAGE", "is missing: a file, a folder, or - for a list on standard input");
    cli_session session;
    int code = cli_session_open(&session, options);
    prediction now = { .options = session.options, .context = session.context };
    if (code == CLI_DONE)
        code = open_predictor(&session, options, &now);
    if (code == CLI_DONE)
        code = make_room(&now);
    if (code == CLI_DONE)
        code = predict_images(&now);
    thaw_predictor_destroy(now.predictor);
    free((void *)now.paths);
    free(now.readings);
    free(now.values);
    free(now.scores);
    free(now.best);
    cli_session_close(&session);
    return code;
}

const cli_command cli_predict = {
    .name = "predict",
    .summary = "tell the classes of images",
    .description = "Tell the classes of images, with their probabilities. An IMAGE is a JPEG or PNG file, a folder of "
                   "them, or - for a list of paths on standard input, one a line. Images become samples as in "
                   "evaluation. One that cannot be read is reported, and the exit code is then 1.",
    .examples = "  thaw predict --load tuned.safetensors photo.jpg more/*.png\n"
                "  find photos -name '*.jpg' | thaw predict --load tuned.safetensors --top 3 --json -\n"
                "  thaw predict --model resnet18 --load resnet18.safetensors photos\n",
    .arguments = "IMAGE...",
    .takes = CLI_MODEL | CLI_CLASSES | CLI_LOAD | CLI_PREDICT | CLI_BATCH | CLI_COMMON,
    .needs = CLI_LOAD,
    .run = predict,
};
