#include "cli/loss.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "core/nearest.h"
#include "core/number.h"

typedef enum kind { CROSS_ENTROPY, BCE, MSE, MAE, HUBER, KINDS } kind;

static const struct {
    const char *name;
    thaw_task task;
} kinds[KINDS] = {
    [CROSS_ENTROPY] = { "cross-entropy", THAW_TASK_CLASSES },
    [BCE] = { "bce", THAW_TASK_LABELS },
    [MSE] = { "mse", THAW_TASK_REGRESSION },
    [MAE] = { "mae", THAW_TASK_REGRESSION },
    [HUBER] = { "huber", THAW_TASK_REGRESSION },
};

static const char *const task_names[] = {
    [THAW_TASK_CLASSES] = "classes",
    [THAW_TASK_LABELS] = "several labels",
    [THAW_TASK_REGRESSION] = "numbers",
    [THAW_TASK_TOKENS] = "a class for each token",
};

/* Reads "huber:delta=2". */
static int parse(const char *text, kind *which, double *delta)
{
    const size_t length = strcspn(text, ":");
    *delta = 0;
    for (*which = CROSS_ENTROPY; *which < KINDS; ++*which)
        if (strlen(kinds[*which].name) == length && strncmp(kinds[*which].name, text, length) == 0)
            break;
    if (*which == KINDS)
        return cli_misuse("--loss", "\"%s\", must be cross-entropy, bce, mse, mae or huber:delta=X", text);
    if (!text[length])
        return CLI_DONE;
    const char *value = text + length + 1 + strlen("delta=");
    if (*which != HUBER || strncmp(text + length + 1, "delta=", 6) != 0 ||
        !thaw_parse_number(value, strlen(value), delta) || !(*delta > 0))
        return cli_misuse("--loss", "\"%s\", must be a loss, or huber:delta=X with a number above 0", text);
    return CLI_DONE;
}

int cli_check_loss(const cli_options *options)
{
    kind which = CROSS_ENTROPY;
    double delta;
    int code = options->loss ? parse(options->loss, &which, &delta) : CLI_DONE;
    const char *weighted = options->class_weights ? "--class-weights" : "--label-smoothing";
    if (code == CLI_DONE && which != CROSS_ENTROPY && (options->class_weights || options->label_smoothing > 0))
        code = cli_misuse(weighted, "is for --loss cross-entropy, not for %s", kinds[which].name);
    return code;
}

/* ---- class weights ---- */

/* scikit-learn's "balanced": the mean weight of a sample is 1. A class without samples has none. */
static int balance(cli_session *session, thaw_dataset *dataset, size_t classes, float *weights)
{
    size_t *counts = calloc(classes, sizeof *counts);
    if (!counts)
        return cli_fail("--class-weights", "out of memory");
    const int code = cli_check(session->context, thaw_dataset_count_classes(dataset, counts), "--class-weights");
    size_t present = 0, all = 0;
    for (size_t i = 0; i < classes; i++) {
        present += counts[i] > 0;
        all += counts[i];
    }
    for (size_t i = 0; i < classes; i++)
        weights[i] = counts[i] ? (float)((double)all / ((double)present * (double)counts[i])) : 0;
    free(counts);
    return code;
}

static int parse_weights(const char *text, size_t classes, float *weights)
{
    size_t count = 0;
    for (const char *item = text; *item; count++) {
        const size_t length = strcspn(item, ",");
        double value;
        if (!thaw_parse_number(item, length, &value) || value < 0)
            return cli_misuse("--class-weights", "\"%s\": weight %zu must be a number from 0", text, count + 1);
        if (count < classes)
            weights[count] = (float)value;
        item += length;
        item += *item == ',';
    }
    if (count != classes)
        return cli_misuse("--class-weights", "\"%s\" has %zu weights, must have one for each of the %zu classes", text,
                          count, classes);
    return CLI_DONE;
}

static thaw_status append_weighted(const cli_session *session, const thaw_dataset *dataset, const float *weights,
                                   thaw_node node)
{
    const double smoothing = session->options->label_smoothing;
    const bool tokens = dataset ? thaw_dataset_task(dataset) == THAW_TASK_TOKENS
                                : thaw_model_node_shape(session->model, node)->rank == 2;
    if (tokens)
        return thaw_token_cross_entropy(session->model, node,
                                        &(thaw_token_cross_entropy_options){
                                            .name = "loss", .class_weights = weights, .label_smoothing = smoothing },
                                        &node);
    return thaw_softmax_cross_entropy(session->model, node,
                                      &(thaw_softmax_cross_entropy_options){
                                          .name = "loss", .class_weights = weights, .label_smoothing = smoothing },
                                      &node);
}

static int append_cross_entropy(cli_session *session, thaw_dataset *dataset, thaw_node outputs)
{
    const cli_options *options = session->options;
    const size_t classes = dataset ? thaw_dataset_classes(dataset) : 0;
    float *weights = NULL;
    int code = CLI_DONE;
    if (options->class_weights && classes) {
        weights = calloc(classes, sizeof *weights);
        if (!weights)
            return cli_fail("--class-weights", "out of memory");
        code = strcmp(options->class_weights, "balanced") == 0
                   ? balance(session, dataset, classes, weights)
                   : parse_weights(options->class_weights, classes, weights);
    }
    if (code == CLI_DONE)
        code = cli_check(session->context, append_weighted(session, dataset, weights, outputs), "--loss");
    free(weights);
    return code;
}

/* ---- the loss ---- */

static kind by_task(thaw_task task)
{
    static const kind of[] = {
        [THAW_TASK_CLASSES] = CROSS_ENTROPY,
        [THAW_TASK_LABELS] = BCE,
        [THAW_TASK_REGRESSION] = MSE,
        [THAW_TASK_TOKENS] = CROSS_ENTROPY,
    };
    return of[task];
}

static bool is_for(kind which, thaw_task task)
{
    return kinds[which].task == (task == THAW_TASK_TOKENS ? THAW_TASK_CLASSES : task);
}

/* That of the option, of the file of --load, or of the task. */
static int choose(const cli_session *session, thaw_task task, kind *which, double *delta)
{
    const char *given = session->options->loss, *noted = NULL;
    *which = by_task(task);
    *delta = 0;
    if (given) {
        const int code = parse(given, which, delta);
        return code != CLI_DONE || is_for(*which, task)
                   ? code
                   : cli_misuse("--loss", "\"%s\" is for %s, but the data's targets are %s", given,
                                task_names[kinds[*which].task], task_names[task]);
    }
    if (session->notes)
        noted = thaw_notes_find(session->notes, "thaw.loss");
    kind other;
    double noted_delta;
    if (noted && parse(noted, &other, &noted_delta) == CLI_DONE && is_for(other, task)) {
        *which = other;
        *delta = noted_delta;
    }
    return CLI_DONE;
}

/* By which a single target was divided; 0: it was not. The units of several differ: their loss stays that of the scaled
   ones. */
static double deviation_of(const thaw_dataset *dataset)
{
    double mean, deviation;
    const bool single = dataset && thaw_shape_count(thaw_dataset_target_shape(dataset)) == 1;
    return single && thaw_dataset_target_scale(dataset, 0, &mean, &deviation) ? deviation : 0;
}

static thaw_status append(thaw_model *model, kind which, double delta, double deviation, thaw_node node)
{
    switch (which) {
    case BCE:
        return thaw_binary_cross_entropy(model, node, &(thaw_binary_cross_entropy_options){ .name = "loss" }, &node);
    case MAE:
        return thaw_mae(model, node, &(thaw_mae_options){ .name = "loss", .target_deviation = deviation }, &node);
    case HUBER:
        return thaw_huber(model, node,
                          &(thaw_huber_options){ .name = "loss", .delta = delta, .target_deviation = deviation },
                          &node);
    default:
        return thaw_mse(model, node, &(thaw_mse_options){ .name = "loss", .target_deviation = deviation }, &node);
    }
}

static int note(const cli_session *session, kind which, double delta)
{
    char text[64];
    snprintf(text, sizeof text, which == HUBER && delta > 0 ? "%s:delta=%.17g" : "%s", kinds[which].name, delta);
    return cli_check(session->context, thaw_model_set_note(session->model, "thaw.loss", text), "--loss");
}

int cli_append_loss(cli_session *session, thaw_dataset *dataset, thaw_node outputs)
{
    const cli_options *options = session->options;
    const thaw_task task = dataset ? thaw_dataset_task(dataset) : THAW_TASK_CLASSES;
    kind which;
    double delta;
    int code = choose(session, task, &which, &delta);
    if (code != CLI_DONE)
        return code;
    if (which == CROSS_ENTROPY)
        return append_cross_entropy(session, dataset, outputs);
    if (options->class_weights || options->label_smoothing > 0)
        return cli_misuse(options->class_weights ? "--class-weights" : "--label-smoothing",
                          "is for classes, but the data's targets are %s", task_names[task]);
    code = cli_check(session->context, append(session->model, which, delta, deviation_of(dataset), outputs), "--loss");
    return code == CLI_DONE ? note(session, which, delta) : code;
}

size_t cli_outputs_of(const thaw_dataset *dataset)
{
    const size_t classes = thaw_dataset_classes(dataset);
    return classes ? classes : thaw_shape_count(thaw_dataset_target_shape(dataset));
}

char *cli_describe_training(const cli_options *options)
{
    char *text = NULL, smoothing[48] = "";
    if (options->label_smoothing > 0)
        snprintf(smoothing, sizeof smoothing, ", label smoothing %.17g", options->label_smoothing);
    const int length = asprintf(&text, "%s%s%s%s%s%s", options->model, options->loss ? ", loss " : "",
                                options->loss ? options->loss : "", options->class_weights ? ", class weights " : "",
                                options->class_weights ? options->class_weights : "", smoothing);
    return length < 0 ? NULL : text;
}
