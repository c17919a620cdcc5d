/* thaw predict. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/epoch_table.h"
#include "cli/failure.h"
#include "cli/image_answers.h"
#include "cli/json.h"
#include "core/printable.h"

typedef struct prediction {
    const cli_options *options;
    cli_image_answers answers;
    size_t top; /* classes of each image that are printed */
    size_t *best;
} prediction;

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
        char *name = printable(thaw_predictor_class_name(now->answers.predictor, now->best[i]));
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
        char share[CLI_SHARE_BYTES], *name = printable(thaw_predictor_class_name(now->answers.predictor, now->best[i]));
        printf("%s %s %s", i ? "," : "", name ? name : "", cli_format_share(share, (double)scores[now->best[i]]));
        free(name);
    }
    putchar('\n');
    return CLI_DONE;
}

static int print_one(void *user, const char *path, const float *scores)
{
    const prediction *now = user;
    char *shown = printable(path);
    if (!shown)
        return cli_fail("predict", "out of memory");
    thaw_predictor_best(now->answers.predictor, scores, now->top, now->best);
    const int code = now->options->json ? print_json(now, shown, scores) : print_text(now, shown, scores);
    free(shown);
    return code;
}

static int make_best(prediction *now)
{
    const size_t classes = thaw_predictor_classes(now->answers.predictor);
    now->top = now->options->top < classes ? (size_t)now->options->top : classes;
    now->best = calloc(now->top, sizeof *now->best);
    return now->best ? CLI_DONE : cli_fail("predict", "out of memory");
}

static int predict(const cli_options *options)
{
    prediction now = { .options = options, .answers = { .take = print_one, .user = &now, .label = "predicting" } };
    int code = cli_answers_open(&now.answers, options);
    if (code == CLI_DONE)
        code = make_best(&now);
    if (code == CLI_DONE)
        code = cli_answers_run(&now.answers);
    free(now.best);
    cli_answers_close(&now.answers);
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
    .takes = CLI_MODEL | CLI_CLASSES | CLI_LOAD | CLI_IMAGES | CLI_PREDICT | CLI_BATCH | CLI_COMMON,
    .needs = CLI_LOAD,
    .run = predict,
};
