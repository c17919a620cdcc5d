/* Thaw's side of text_accuracy.py: fine-tunes a network of text on given batches.
       text-accuracy-worker NETWORK WEIGHTS DATA WAY RATE THREADS FOLDER
   DATA are raw 32-bit numbers: classes, length, batch, steps and test batches, and then for each batch, those of
   training before those of testing, ids [batch, length], lengths [batch] and labels [batch]. WAY is what trains: all,
   last-2 (blocks, and the head), lora (of rank 8 on queries, keys and values, and the head) or head. The optimizer is
   AdamW, whose rate rises to RATE in the first tenth of the steps, and then falls to zero, both linearly. FOLDER/start
   gets the weights before the first step, and FOLDER/outputs those of the test batches, as raw floats. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

typedef struct problem {
    thaw_context *context;
    thaw_model *model;
    int32_t header[5], *data;
    float *outputs; /* of a batch */
} problem;

enum { CLASSES, LENGTH, BATCH, STEPS, TESTS };

static bool fail(const problem *p, const char *what)
{
    fprintf(stderr, "text-accuracy: %s: %s\n", what, p->context ? thaw_context_message(p->context) : "");
    return false;
}

static size_t batch_numbers(const problem *p)
{
    return (size_t)p->header[BATCH] * ((size_t)p->header[LENGTH] + 2);
}

static bool read_data(problem *p, const char *path)
{
    FILE *file = fopen(path, "rb");
    bool done = file && fread(p->header, sizeof p->header, 1, file) == 1;
    if (done) {
        const size_t count = batch_numbers(p) * (size_t)(p->header[STEPS] + p->header[TESTS]);
        p->data = malloc(count * sizeof *p->data);
        p->outputs = malloc((size_t)p->header[BATCH] * (size_t)p->header[CLASSES] * sizeof *p->outputs);
        done = p->data && p->outputs && fread(p->data, sizeof *p->data, count, file) == count;
    }
    if (file)
        fclose(file);
    return done || fail(p, path);
}

/* Freezes what does not train. */
static thaw_status choose(thaw_model *model, const char *way)
{
    if (strcmp(way, "all") == 0)
        return THAW_OK;
    thaw_status status = thaw_model_freeze(model, "bert.*");
    if (status == THAW_OK && strcmp(way, "last-2") == 0)
        status = thaw_model_unfreeze(model, "bert.encoder.layer.[45].*");
    if (status == THAW_OK && strcmp(way, "lora") == 0)
        status = thaw_lora(model, "bert.encoder.*.attention.self.*", 8, 16);
    return status;
}

static bool build(problem *p, const char *network, const char *weights, const char *way, const char *rate)
{
    char settings[80];
    thaw_optimizer *optimizer = NULL;
    snprintf(settings, sizeof settings, "adamw:lr=%s,weight_decay=0.01", rate);
    thaw_status status = thaw_model_create(p->context, &p->model);
    if (status == THAW_OK)
        status = thaw_zoo_build(p->model, network, (size_t)p->header[CLASSES]);
    if (status == THAW_OK)
        status = thaw_weights_load(p->model, weights, NULL, NULL);
    if (status == THAW_OK)
        status = choose(p->model, way);
    if (status == THAW_OK)
        status = thaw_optimizer_create(p->context, settings, &optimizer);
    if (status == THAW_OK)
        status = thaw_select_optimizer(p->model, "*", optimizer);
    thaw_optimizer_destroy(optimizer);
    return status == THAW_OK || fail(p, "the network");
}

/* Views of a batch. */
static void view(const problem *p, int32_t index, thaw_tensor inputs[3], thaw_tensor *labels)
{
    int32_t *ids = p->data + batch_numbers(p) * (size_t)index;
    const int64_t batch = p->header[BATCH], length = p->header[LENGTH];
    inputs[0] = thaw_view_i32(ids, 2, (int64_t[]){ batch, length });
    inputs[1] = thaw_view_i32(ids + batch * length, 1, &batch);
    inputs[2] = (thaw_tensor){ 0 };
    *labels = thaw_view_i32(ids + batch * (length + 1), 1, &batch);
}

static bool train(problem *p)
{
    const int32_t steps = p->header[STEPS], warm = steps / 10 + 1;
    for (int32_t i = 0; i < steps; i++) {
        thaw_tensor inputs[3], labels;
        const double rising = (double)(i + 1) / warm, falling = (double)(steps - i) / (steps - warm + 1);
        const thaw_step_options options = { .rate_factor = i < warm ? rising : falling };
        view(p, i, inputs, &labels);
        if (thaw_step(p->model, inputs, &labels, &options, NULL) != THAW_OK)
            return fail(p, "a step");
    }
    return true;
}

static bool test(problem *p, const char *path)
{
    const int64_t shape[] = { p->header[BATCH], p->header[CLASSES] };
    const thaw_tensor outputs = thaw_view_f32(p->outputs, 2, shape);
    const size_t count = (size_t)(shape[0] * shape[1]);
    FILE *file = fopen(path, "wb");
    bool done = file != NULL;
    for (int32_t i = 0; i < p->header[TESTS] && done; i++) {
        thaw_tensor inputs[3], labels;
        view(p, p->header[STEPS] + i, inputs, &labels);
        done = thaw_predict(p->model, inputs, &outputs) == THAW_OK &&
               fwrite(p->outputs, sizeof *p->outputs, count, file) == count;
    }
    if (file && fclose(file) != 0)
        done = false;
    return done || fail(p, path);
}

int main(int count, char **arguments)
{
    problem p = { 0 };
    char path[4096];
    if (count != 8) {
        fprintf(stderr, "usage: text-accuracy-worker NETWORK WEIGHTS DATA WAY RATE THREADS FOLDER\n");
        return 2;
    }
    const thaw_context_options options = { .threads = (int)strtol(arguments[6], NULL, 10) };
    bool done = thaw_context_create(&options, &p.context) == THAW_OK && read_data(&p, arguments[3]) &&
                build(&p, arguments[1], arguments[2], arguments[4], arguments[5]);
    snprintf(path, sizeof path, "%s/start", arguments[7]);
    done = done && (thaw_weights_save(p.model, path) == THAW_OK || fail(&p, path)) && train(&p);
    snprintf(path, sizeof path, "%s/outputs", arguments[7]);
    done = done && test(&p, path);
    free(p.data);
    free(p.outputs);
    thaw_model_destroy(p.model);
    thaw_context_destroy(p.context);
    return done ? 0 : 1;
}
