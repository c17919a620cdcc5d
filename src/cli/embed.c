/* thaw embed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/image_answers.h"
#include "cli/json.h"
#include "cli/shown.h"
#include "data/npy_writer.h"
#include "io/new_file.h"

/* How many vectors there are is known at the end, and the header of an array has their number. */
typedef struct embedding {
    const cli_options *options;
    cli_image_answers answers;
    float *vectors;
    size_t count, capacity; /* vectors */
} embedding;

static int print_vector(const embedding *now, const cli_answered *what, const float *vector, const thaw_shape *shape)
{
    json_t *object = json_object(), *values = json_array();
    for (size_t i = 0; i < thaw_shape_count(shape); i++)
        json_array_append_new(values, cli_json_real((double)vector[i]));
    json_object_set_new(object, "event", json_string("embedding"));
    if (what->path)
        json_object_set_new(object, "path", cli_json_text(cli_show(what->path).text));
    if (what->row)
        json_object_set_new(object, "row", cli_json_count(what->row));
    if (what->line)
        json_object_set_new(object, "line", cli_json_count(what->line));
    if (what->text)
        json_object_set_new(object, "text", cli_json_text(cli_show(what->text).text));
    json_object_set_new(object, "layer", now->options->layer ? cli_json_text(now->options->layer) : json_null());
    json_object_set_new(object, "shape", cli_json_shape(shape));
    json_object_set_new(object, "vector", values);
    return cli_json_print(object);
}

static int keep_vector(embedding *now, const float *vector, size_t elements)
{
    if (now->count == now->capacity) {
        const size_t capacity = now->capacity ? 2 * now->capacity : 64;
        float *wider = reallocarray(now->vectors, capacity, elements * sizeof *wider);
        if (!wider)
            return cli_fail("embed", "no memory for %zu vectors", capacity);
        now->vectors = wider;
        now->capacity = capacity;
    }
    memcpy(now->vectors + now->count++ * elements, vector, elements * sizeof *vector);
    return CLI_DONE;
}

static int take(void *user, const cli_answered *what, const float *vector)
{
    embedding *now = user;
    const thaw_shape *shape = thaw_predictor_answer(now->answers.predictor);
    return now->options->json ? print_vector(now, what, vector, shape)
                              : keep_vector(now, vector, thaw_shape_count(shape));
}

/* ---------------------------------------------------------------- the array */

static int write_file(const embedding *now, const char *header, size_t header_bytes, size_t vector_bytes)
{
    thaw_context *context = now->answers.session.context;
    thaw_new_file file;
    thaw_status status = thaw_new_file_create(context, now->options->output, header_bytes + vector_bytes, &file);
    if (status != THAW_OK)
        return cli_check(context, status, "--output");
    status = thaw_new_file_write(&file, header, header_bytes);
    if (status == THAW_OK && vector_bytes)
        status = thaw_new_file_write(&file, now->vectors, vector_bytes);
    if (status == THAW_OK)
        status = thaw_new_file_commit(&file);
    else
        thaw_new_file_discard(&file);
    if (status == THAW_OK)
        printf("saved %s\n", cli_show(now->options->output).text);
    return cli_check(context, status, "--output");
}

static int write_array(const embedding *now)
{
    char header[THAW_NPY_HEADER_BYTES];
    const thaw_shape *vector = thaw_predictor_answer(now->answers.predictor);
    const size_t bytes = now->count * thaw_shape_count(vector) * sizeof(float);
    thaw_shape shape = { .rank = vector->rank + 1, .dims = { (int64_t)now->count } };
    memcpy(&shape.dims[1], vector->dims, (size_t)vector->rank * sizeof vector->dims[0]);
    const size_t header_bytes = thaw_npy_write_header(header, &shape);
    if (now->options->output)
        return write_file(now, header, header_bytes, bytes);
    const bool written = fwrite(header, 1, header_bytes, stdout) == header_bytes &&
                         (bytes == 0 || fwrite(now->vectors, 1, bytes, stdout) == bytes) && fflush(stdout) == 0;
    return written ? CLI_DONE : cli_fail("standard output", "cannot be written: %s", strerror(errno));
}

/* ---------------------------------------------------------------- the command */

static int check_output(const cli_options *options)
{
    if (options->json && options->output)
        return cli_misuse("--output", "cannot be used with --json, which prints the vectors");
    if (!options->json && !options->output && isatty(STDOUT_FILENO))
        return cli_misuse("--output", "is missing: an array is not for the terminal; see also --json");
    return CLI_DONE;
}

static int embed(const cli_options *options)
{
    embedding now = {
        .options = options,
        .answers = { .take = take, .user = &now, .label = "embedding", .embeds = true, .layer = options->layer },
    };
    int code = check_output(options);
    if (code == CLI_DONE)
        code = cli_answers_open(&now.answers, options);
    if (code == CLI_DONE)
        code = cli_answers_run(&now.answers);
    if (!options->json && (code == CLI_DONE || now.count)) {
        const int written = write_array(&now);
        code = written == CLI_DONE ? code : written;
    }
    free(now.vectors);
    cli_answers_close(&now.answers);
    return code;
}

const cli_command cli_embed = {
    .name = "embed",
    .summary = "turn images, texts or rows of a table into vectors",
    .description =
        "Turn images, texts or rows of a table into vectors: the values of a layer, of which nothing behind is "
        "computed. Without --layer, those of a folder of --model are its features, what a head would read: of a folder "
        "of sentence-transformers its embeddings. Writes an array of NumPy, float32 with a row for each, to --output "
        "or to standard output where that is no terminal. A FILE is a JPEG or PNG file, a folder of them, or - for a "
        "list of paths on standard input, one a line; for a network of rows it is a table or an array, as of predict; for a network of texts it "
        "has a text on each line, and --text gives one on the command line. What cannot be read is reported and has no "
        "rows, and the exit code is then 1.",
    .examples = "  thaw embed --model ./all-MiniLM-L6-v2 --text 'a game of chess' > vector.npy\n"
                "  thaw embed --load tuned.safetensors --layer avgpool photo.jpg > vector.npy\n"
                "  thaw embed --load tuned.safetensors --layer avgpool -o all.npy photos\n"
                "  thaw embed --load tuned.safetensors --layer avgpool --json photos\n"
                "  thaw embed --load iris.safetensors --layer dense1 -o rows.npy new.csv\n",
    .arguments = "FILE...",
    .takes =
        CLI_MODEL | CLI_CLASSES | CLI_LOAD | CLI_LAYER | CLI_EMBED | CLI_IMAGES | CLI_TEXTS | CLI_BATCH | CLI_COMMON,
    .needs = CLI_LOAD,
    .run = embed,
};
