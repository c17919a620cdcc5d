/* thaw export. */
#include <stdio.h>
#include <string.h>
#include <thaw/export.h>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/json.h"
#include "cli/predictor.h"
#include "cli/session.h"
#include "cli/shown.h"

/* What the file says of itself goes on into the other; the network has said already what it is. */
static int copy_notes(const cli_session *session, thaw_model *model)
{
    static const char *const written[] = { "format", "thaw.version", "thaw.adapters" };
    const thaw_notes *known = thaw_model_notes(model);
    int code = CLI_DONE;
    for (size_t i = 0; i < thaw_notes_count(session->notes) && code == CLI_DONE; i++) {
        const char *name = thaw_notes_name(session->notes, i);
        bool takes = !thaw_notes_find(known, name);
        for (size_t k = 0; k < THAW_COUNT(written); k++)
            takes &= strcmp(name, written[k]) != 0;
        if (takes)
            code = cli_check(session->context, thaw_model_set_note(model, name, thaw_notes_text(session->notes, i)),
                             "--load");
    }
    return code;
}

/* `given`: the command line, before the file completed it. */
static int open_network(const cli_session *session, const cli_options *given, thaw_predictor **network)
{
    const int code = cli_predictor_open(session, given, (thaw_predictor_options){ .outputs = true }, network);
    return code == CLI_DONE ? copy_notes(session, thaw_predictor_model(*network)) : code;
}

/* ---------------------------------------------------------------- output */

/* The dimensions of a sample as the file has them. */
static thaw_shape shape_of(const thaw_model *model, thaw_node node)
{
    thaw_shape shape = *thaw_model_node_shape(model, node);
    if (shape.rank == 3)
        shape = (thaw_shape){ 3, { shape.dims[2], shape.dims[0], shape.dims[1] } };
    return shape;
}

static int report(const cli_session *session, thaw_model *model)
{
    const cli_options *options = session->options;
    const thaw_node last = thaw_model_output(model);
    const thaw_shape input = shape_of(model, 0), output = shape_of(model, last);
    thaw_summary_entry entry;
    char texts[2][80];
    const int code = cli_check(session->context, thaw_model_summary_entry(model, (size_t)last, &entry), "export");
    if (code != CLI_DONE)
        return code;
    const char *name = options->probabilities ? "probabilities" : entry.name;
    if (!options->json) {
        const bool table = thaw_notes_find(session->notes, "thaw.columns");
        printf("saved %s: input %s to %s %s%s\n", cli_show(options->onnx).text,
               thaw_shape_format(&input, texts[0], sizeof texts[0]), name,
               thaw_shape_format(&output, texts[1], sizeof texts[1]),
               table ? "; rows are scaled as its metadata thaw.columns say" : "");
        return CLI_DONE;
    }
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("exported"));
    json_object_set_new(object, "path", cli_json_text(options->onnx));
    json_object_set_new(object, "input", json_string("input"));
    json_object_set_new(object, "input_shape", cli_json_shape(&input));
    json_object_set_new(object, "output", cli_json_text(name));
    json_object_set_new(object, "output_shape", cli_json_shape(&output));
    return cli_json_print(object);
}

/* ---------------------------------------------------------------- the command */

static int export_network(const cli_options *options)
{
    cli_session session;
    thaw_predictor *network = NULL;
    const thaw_onnx_options wanted = { .probabilities = options->probabilities };
    int code = cli_session_open(&session, options);
    if (code == CLI_DONE)
        code = open_network(&session, options, &network);
    if (code == CLI_DONE)
        code = cli_check(session.context,
                         thaw_export_onnx(thaw_predictor_model(network), session.options->onnx, &wanted), "--onnx");
    if (code == CLI_DONE)
        code = report(&session, thaw_predictor_model(network));
    thaw_predictor_destroy(network);
    cli_session_close(&session);
    return code;
}

const cli_command cli_export = {
    .name = "export",
    .summary = "write a network for other programs, as ONNX",
    .description =
        "Write a trained network as a file of ONNX (opset 17), which ONNX Runtime, OpenVINO and others run. It "
        "takes any number of images [channels, height, width], or of other samples as in training. Its outputs "
        "are logits: their softmax is what thaw predict prints. Adapters are merged into their weights. What "
        "the file of --load says of itself becomes metadata of the model: thaw.classes names the outputs, "
        "thaw.images says how an image becomes a sample, and thaw.columns how a row of a table does: a number minus its "
        "mean, divided by its deviation, or a 1 among zeros for a category. The outputs of regression times the "
        "deviation in thaw.targets, plus the mean there, are the numbers that thaw predict prints.",
    .examples = "  thaw export --load tuned.safetensors --onnx tuned.onnx\n"
                "  thaw export --load tuned.safetensors --onnx tuned.onnx --probabilities\n"
                "  thaw export --model resnet18 --load resnet18.safetensors --onnx a.onnx\n",
    .takes = CLI_MODEL | CLI_CLASSES | CLI_LOAD | CLI_EXPORT | CLI_COMMON,
    .needs = CLI_LOAD | CLI_EXPORT,
    .run = export_network,
};
