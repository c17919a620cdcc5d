/* Thaw's side of text_parity.py: networks of text on given weights and tokens.
       text-parity-worker step NETWORK WEIGHTS TOKENS BATCH FOLDER
       text-parity-worker embed NETWORK WEIGHTS TOKENS BATCH FOLDER
   TOKENS are raw 32-bit numbers: ids [BATCH, length], lengths [BATCH], token types [BATCH, length]. "step" saves the
   weights as FOLDER/saved, takes one step without an update, writes raw outputs to FOLDER/outputs and the gradients to
   FOLDER/gradients, and prints the loss: cross-entropy with label n mod 2 for sample n, or for GPT-2 the mean of the
   logits' squares. "embed" writes outputs alone, of a network without a head and WEIGHTS of a bare BertModel. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

typedef struct problem {
    thaw_context *context;
    thaw_model *model;
    int64_t batch, length;
    int32_t *tokens, *labels;
    float *outputs, *zeros;
    thaw_tensor inputs[3], output, targets;
} problem;

static bool fail(const problem *p, const char *what)
{
    fprintf(stderr, "text-parity: %s: %s\n", what, p->context ? thaw_context_message(p->context) : "");
    return false;
}

static bool build(problem *p, const char *network, const char *weights, bool steps)
{
    thaw_node node;
    const thaw_load_options bare = { .renamings = &(thaw_renaming){ "", "bert." }, .renaming_count = 1 };
    if (thaw_context_create(&(thaw_context_options){ 0 }, &p->context) != THAW_OK ||
        thaw_model_create(p->context, &p->model) != THAW_OK || thaw_zoo_network(p->model, network, 0, &node) != THAW_OK)
        return fail(p, network);
    const bool classifies = thaw_model_node_shape(p->model, node)->rank == 1;
    if (steps && (classifies ? thaw_softmax_cross_entropy(p->model, node, NULL, &node)
                             : thaw_mse(p->model, node, NULL, &node)) != THAW_OK)
        return fail(p, network);
    return thaw_weights_load(p->model, weights, steps ? NULL : &bare, NULL) == THAW_OK || fail(p, weights);
}

static bool read_tokens(problem *p, const char *path)
{
    thaw_model_input ids;
    const thaw_shape *output = thaw_model_node_shape(p->model, thaw_model_output(p->model));
    if (thaw_model_input_at(p->model, 0, &ids) != THAW_OK)
        return fail(p, "inputs");
    const int64_t batch = p->batch, length = ids.shape.dims[0];
    const size_t count = (size_t)(batch * (2 * length + 1)), results = (size_t)batch * thaw_shape_count(output);
    p->length = length;
    p->tokens = malloc(count * sizeof *p->tokens);
    p->labels = malloc((size_t)batch * sizeof *p->labels);
    p->outputs = malloc(results * sizeof *p->outputs);
    p->zeros = calloc(results, sizeof *p->zeros);
    FILE *file = fopen(path, "rb");
    const bool done = p->tokens != NULL && p->labels != NULL && p->outputs != NULL && p->zeros != NULL &&
                      file != NULL && fread(p->tokens, sizeof *p->tokens, count, file) == count;
    if (file != NULL)
        fclose(file);
    if (!done)
        return fail(p, path);
    for (int64_t n = 0; n < batch; n++)
        p->labels[n] = (int32_t)(n % 2);
    p->inputs[0] = thaw_view_i32(p->tokens, 2, (int64_t[]){ batch, length });
    p->inputs[1] = thaw_view_i32(p->tokens + batch * length, 1, &batch);
    p->inputs[2] = thaw_view_i32(p->tokens + batch * (length + 1), 2, (int64_t[]){ batch, length });
    const int64_t shape[] = { batch, output->dims[0], output->dims[1] };
    p->output = thaw_view_f32(p->outputs, 1 + output->rank, shape);
    p->targets =
        output->rank == 1 ? thaw_view_i32(p->labels, 1, &batch) : thaw_view_f32(p->zeros, 1 + output->rank, shape);
    return true;
}

static void put_gradients(problem *p)
{
    for (size_t i = 0; i < thaw_model_parameter_count(p->model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(p->model, i);
        const float *gradient = thaw_parameter_gradient(parameter);
        if (gradient != NULL)
            memcpy(thaw_parameter_edit(parameter), gradient,
                   thaw_shape_count(thaw_parameter_shape(parameter)) * sizeof *gradient);
    }
}

static bool save(problem *p, const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return thaw_weights_save(p->model, path) == THAW_OK || fail(p, path);
}

static bool write_outputs(problem *p, const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/outputs", folder);
    if (thaw_predict(p->model, p->inputs, &p->output) != THAW_OK)
        return fail(p, "prediction");
    const size_t count = thaw_shape_count(&p->output.shape);
    FILE *file = fopen(path, "wb");
    const bool done = file != NULL && fwrite(p->outputs, sizeof *p->outputs, count, file) == count;
    return (file == NULL || fclose(file) == 0) && (done || fail(p, path));
}

static bool step(problem *p, const char *folder)
{
    const thaw_step_options options = { .gradients_only = true };
    thaw_step_result result;
    if (!save(p, folder, "saved"))
        return false;
    if (thaw_step(p->model, p->inputs, &p->targets, &options, &result) != THAW_OK)
        return fail(p, "the step");
    printf("%.17g\n", result.loss);
    put_gradients(p);
    return save(p, folder, "gradients");
}

int main(int count, char **arguments)
{
    if (count != 7) {
        fprintf(stderr, "usage: text-parity-worker step|embed NETWORK WEIGHTS TOKENS BATCH FOLDER\n");
        return 2;
    }
    problem p = { .batch = strtol(arguments[5], NULL, 10) };
    const bool steps = strcmp(arguments[1], "step") == 0;
    bool done = p.batch > 0 && build(&p, arguments[2], arguments[3], steps) && read_tokens(&p, arguments[4]) &&
                write_outputs(&p, arguments[6]) && (!steps || step(&p, arguments[6]));
    free(p.tokens);
    free(p.labels);
    free(p.outputs);
    free(p.zeros);
    thaw_model_destroy(p.model);
    thaw_context_destroy(p.context);
    return done ? 0 : 1;
}
