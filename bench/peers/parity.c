/* Thaw's side of ./run bench parity: one step without an update, on given weights and images.
       parity-worker NETWORK WEIGHTS IMAGES BATCH normalisation=trains|frozen RESULT
   WEIGHTS is a safetensors file, IMAGES raw floats [BATCH, height, width, 3]; the label of sample n is 3 n + 1.
   Prints the loss and then the outputs in evaluation, one per line, and writes the gradients to RESULT instead of
   the parameters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

typedef struct problem {
    thaw_context *context;
    thaw_model *model;
    int64_t batch;
    float *images, *outputs;
    int32_t *labels;
    thaw_tensor input, output, targets;
} problem;

static bool fail(const problem *p, const char *what)
{
    fprintf(stderr, "parity: %s: %s\n", what, p->context ? thaw_context_message(p->context) : "");
    return false;
}

static bool build(problem *p, const char *network, const char *weights)
{
    if (thaw_context_create(&(thaw_context_options){ 0 }, &p->context) != THAW_OK ||
        thaw_model_create(p->context, &p->model) != THAW_OK || thaw_zoo_build(p->model, network, 0) != THAW_OK)
        return fail(p, network);
    return thaw_weights_load(p->model, weights, NULL, NULL) == THAW_OK || fail(p, weights);
}

static bool read_images(problem *p, const char *path)
{
    const thaw_shape *sample = thaw_model_node_shape(p->model, 0);
    const size_t batch = (size_t)p->batch, count = batch * thaw_shape_count(sample);
    const int64_t classes = thaw_model_node_shape(p->model, thaw_model_output(p->model))->dims[0];
    p->images = malloc(count * sizeof *p->images);
    p->outputs = malloc(batch * (size_t)classes * sizeof *p->outputs);
    p->labels = malloc(batch * sizeof *p->labels);
    FILE *file = fopen(path, "rb");
    const bool done = p->images != NULL && p->outputs != NULL && p->labels != NULL && file != NULL &&
                      fread(p->images, sizeof *p->images, count, file) == count;
    if (file != NULL)
        fclose(file);
    for (int64_t n = 0; done && n < p->batch; n++)
        p->labels[n] = (int32_t)((3 * n + 1) % classes);
    p->input = thaw_view_f32(p->images, 4, (int64_t[]){ p->batch, sample->dims[0], sample->dims[1], sample->dims[2] });
    p->output = thaw_view_f32(p->outputs, 2, (int64_t[]){ p->batch, classes });
    p->targets = thaw_view_i32(p->labels, 1, &p->batch);
    return done || fail(p, path);
}

static bool freeze_normalisation(problem *p)
{
    for (size_t i = 0; i < thaw_model_parameter_count(p->model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(p->model, i);
        if (thaw_parameter_role(parameter) == THAW_STATISTIC &&
            thaw_model_freeze(p->model, thaw_group_name(thaw_parameter_group(parameter))) != THAW_OK)
            return fail(p, "freezing");
    }
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

static bool run(problem *p, const char *result)
{
    const thaw_step_options options = { .gradients_only = true };
    thaw_step_result step;
    if (thaw_predict(p->model, &p->input, &p->output) != THAW_OK)
        return fail(p, "prediction");
    if (thaw_step(p->model, &p->input, &p->targets, &options, &step) != THAW_OK)
        return fail(p, "the step");
    printf("%.17g\n", step.loss);
    for (size_t i = 0; i < thaw_shape_count(&p->output.shape); i++)
        printf("%.9g ", (double)p->outputs[i]);
    printf("\n");
    put_gradients(p);
    return thaw_weights_save(p->model, result) == THAW_OK || fail(p, result);
}

int main(int count, char **arguments)
{
    if (count != 7) {
        fprintf(stderr, "usage: parity-worker NETWORK WEIGHTS IMAGES BATCH normalisation=trains|frozen RESULT\n");
        return 2;
    }
    problem p = { .batch = strtol(arguments[4], NULL, 10) };
    bool done = p.batch > 0 && build(&p, arguments[1], arguments[2]) && read_images(&p, arguments[3]);
    if (done && strcmp(arguments[5], "normalisation=frozen") == 0)
        done = freeze_normalisation(&p);
    done = done && run(&p, arguments[6]);
    free(p.images);
    free(p.outputs);
    free(p.labels);
    thaw_model_destroy(p.model);
    thaw_context_destroy(p.context);
    return done ? 0 : 1;
}
