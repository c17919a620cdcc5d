/* thaw predict. */
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/prediction_output.h"

static int take(void *user, const cli_answered *what, const float *scores)
{
    return cli_prediction_show(user, what, scores);
}

static int predict(const cli_options *options)
{
    cli_prediction_output to = { .top = (size_t)options->top, .json = options->json, .output = options->output };
    cli_image_answers answers = {
        .take = take, .user = &to, .label = "predicting", .to_file = options->output != NULL
    };
    int code = cli_answers_open(&answers, options);
    to.predictor = answers.predictor;
    to.context = answers.session.context;
    if (code == CLI_DONE)
        code = cli_prediction_begin(&to);
    if (code == CLI_DONE)
        code = cli_answers_run(&answers);
    if (to.count) {
        const int written = cli_prediction_finish(&to);
        code = code == CLI_DONE ? written : code;
    }
    cli_prediction_end(&to);
    cli_answers_close(&answers);
    return code;
}

const cli_command cli_predict = {
    .name = "predict",
    .summary = "tell the classes of images, of texts, or of rows of a table",
    .description =
        "Tell the classes of images, of texts, or of the rows of a table, with their probabilities; for several labels, "
        "the probability of each; for regression, the predicted numbers, in the units of the targets in "
        "training. A FILE is a JPEG or PNG file, a folder of them, or - for a list of paths on standard input, "
        "one a line. For a network of rows it is a table, .csv, .tsv or csv:FILE[;OPTIONS], whose columns "
        "are found by name and scaled as in training (that of the targets may be missing), or an array, .npy. "
        "For a network of texts it is a file with a text on each line, or - for standard input; two texts of a pair "
        "have a tab between them. --text gives one on the command line. "
        "Images become samples as in evaluation. What cannot be read is reported, and the exit code is then "
        "1: an image alone, or all of a table.",
    .examples = "  thaw predict --load tuned.safetensors photo.jpg more/*.png\n"
                "  find photos -name '*.jpg' | thaw predict --load tuned.safetensors --top 3 --json -\n"
                "  thaw predict --load iris.safetensors new.csv\n"
                "  thaw predict --load sections.safetensors --text 'a game of chess' lines.txt\n"
                "  thaw predict --load prices.safetensors 'csv:new.csv;delimiter=semicolon' -o answers.csv\n",
    .arguments = "FILE...",
    .takes = CLI_MODEL | CLI_CLASSES | CLI_LOAD | CLI_IMAGES | CLI_TEXTS | CLI_PREDICT | CLI_BATCH | CLI_COMMON,
    .needs = CLI_LOAD,
    .run = predict,
};
