/* Thaw's contender: trains one workload on command, so that it can take turns with its peers. Settings are arguments
   such as network=mlp-512. Commands are lines, and each is answered by a line:
       step N    N training steps on one fixed batch   ->  their milliseconds
                 with tokens=FILE: N passes over its batches  ->  the mean milliseconds of a step of each pass
       epoch     one epoch over the data set           ->  its milliseconds
       memory    -> bytes of peak memory above what the process had before it built anything
       quit
   torch_worker.py speaks the same. */
#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ranks.h"

static bool read_settings(int count, char **arguments, settings *s)
{
    const struct {
        const char *key;
        const char **text;
        size_t *number;
    } known[] = {
        { "network", &s->network, NULL },
        { "optimizer", &s->optimizer, NULL },
        { "freeze", &s->freeze, NULL },
        { "lora", &s->lora, NULL },
        { "cache_file", &s->cache_file, NULL },
        { "mpi_library", &s->mpi_library, NULL },
        { "commands", &s->commands, NULL },
        { "threads", NULL, &s->threads },
        { "batch", NULL, &s->batch },
        { "lora_rank", NULL, &s->lora_rank },
        { "samples", NULL, &s->samples },
        { "first", NULL, &s->first },
        { "last", NULL, &s->last },
        { "cache_bytes", NULL, &s->cache_bytes },
        { "cache_bf16", NULL, &s->cache_bf16 },
        { "source", &s->source, NULL },
        { "tokens", &s->tokens, NULL },
        { "classes", NULL, &s->classes },
        { "precision", &s->precision, NULL },
        { "frozen_precision", &s->frozen_precision, NULL },
    };
    for (int i = 1; i < count; i++) {
        const char *value = strchr(arguments[i], '=');
        size_t k = 0;
        while (k < THAW_COUNT(known) && (value == NULL || strlen(known[k].key) != (size_t)(value - arguments[i]) ||
                                         strncmp(known[k].key, arguments[i], strlen(known[k].key)) != 0))
            k++;
        if (k == THAW_COUNT(known)) {
            fprintf(stderr, "worker: unknown setting '%s'\n", arguments[i]);
            return false;
        }
        if (known[k].text != NULL)
            *known[k].text = value + 1;
        else
            *known[k].number = strtoull(value + 1, NULL, 10);
    }
    return true;
}

/* ---- the protocol */

/* Reads the next command, and answers those about memory itself. "" at the end. */
static const char *next_command(const worker *w, char line[64])
{
    while (fgets(line, 64, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, "quit") == 0)
            break;
        if (strcmp(line, "memory") != 0)
            return line;
        printf("%lld\n", worker_process_bytes("VmHWM") - w->start_bytes);
        fflush(stdout);
    }
    return "";
}

bool worker_fail(const worker *w, const char *what)
{
    fprintf(stderr, "worker: %s: %s\n", what, thaw_context_message(w->context));
    return false;
}

/* ---- steps on one batch, or on several in turn */

static bool take_steps(worker *w, const worker_batches *batches)
{
    char line[64];
    const thaw_step_options options = {
        .shards = w->ranks.communicator.ranks,
        .communicator = w->ranks.close ? &w->ranks.communicator : NULL,
    };
    for (;;) {
        const char *command = next_command(w, line);
        if (strncmp(command, "step ", 5) != 0)
            return true;
        for (long left = strtol(command + 5, NULL, 10); left > 0; left--) {
            const double begin = worker_now();
            for (size_t i = 0; i < batches->count; i++)
                if (thaw_step(w->model, batches->each[i].inputs, &batches->each[i].targets, &options, NULL) != THAW_OK)
                    return worker_fail(w, "a step");
            printf("%.4f%c", (worker_now() - begin) / (double)batches->count, left == 1 ? '\n' : ' ');
        }
        fflush(stdout);
    }
}

typedef struct made_data {
    thaw_tensor inputs, targets;
} made_data;

static void release_data(made_data *data)
{
    free(data->inputs.data);
    free(data->targets.data);
}

/* `count` images of uniform noise, and labels from 0 to 4. */
static bool make_data(const worker *w, size_t count, made_data *data)
{
    thaw_tensor *inputs = &data->inputs;
    *data = (made_data){ .inputs = { .dtype = THAW_F32, .shape = *thaw_model_node_shape(w->model, 0) } };
    const size_t sample = thaw_shape_count(&inputs->shape);
    memmove(inputs->shape.dims + 1, inputs->shape.dims, (size_t)inputs->shape.rank++ * sizeof inputs->shape.dims[0]);
    inputs->shape.dims[0] = (int64_t)count;
    float *images = malloc(count * sample * sizeof *images);
    int32_t *labels = malloc(count * sizeof *labels);
    uint32_t *random = malloc(sample * sizeof *random);
    inputs->data = images;
    data->targets = thaw_view_i32(labels, 1, inputs->shape.dims);
    const bool done = images != NULL && labels != NULL && random != NULL;
    for (size_t n = 0; done && n < count; n++) {
        thaw_random_fill(w->context, &(thaw_stream){ .seed = 1, .purpose = 1000, .step = n }, 0, sample, random);
        for (size_t i = 0; i < sample; i++)
            images[n * sample + i] = (float)random[i] * 0x1p-32F;
        labels[n] = (int32_t)(random[0] % 5);
    }
    free(random);
    return done;
}

static bool serve_steps(worker *w)
{
    made_data data;
    bool done = make_data(w, w->settings.batch, &data);
    worker_batch batch = { .inputs = { data.inputs }, .targets = data.targets };
    done = done && take_steps(w, &(worker_batches){ &batch, 1 });
    release_data(&data);
    return done;
}

static bool serve_passes(worker *w)
{
    worker_batches batches;
    const bool done = worker_batches_read(w->settings.tokens, &batches) && take_steps(w, &batches);
    worker_batches_release(&batches);
    return done;
}

/* ---- epochs over a data set */

static bool read_head(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                      size_t capacity)
{
    if (thaw_dataset_read(user, indices, count, samples, targets) == THAW_OK)
        return true;
    snprintf(message, capacity, "the data set under the head failed");
    return false;
}

static bool on_epoch(void *user, const thaw_epoch_result *epoch_result)
{
    worker *w = user;
    (void)epoch_result;
    printf("%.4f\n", worker_now() - w->epoch_began);
    fflush(stdout);
    char line[64];
    const bool more = strcmp(next_command(w, line), "epoch") == 0;
    w->epoch_began = worker_now();
    return more;
}

static bool fit(worker *w, thaw_dataset *whole)
{
    const settings *s = &w->settings;
    if (s->samples > thaw_dataset_count(whole)) {
        fprintf(stderr, "worker: the data set has only %zu samples\n", thaw_dataset_count(whole));
        return false;
    }
    thaw_dataset *head = NULL;
    const thaw_source source = {
        .count = s->samples,
        .sample_shape = *thaw_model_node_shape(w->model, 0),
        .target_dtype = THAW_I32,
        .classes = thaw_dataset_classes(whole),
        .read = read_head,
        .user = whole,
    };
    if (thaw_dataset_create(w->context, &source, &head) != THAW_OK)
        return worker_fail(w, "data");
    char line[64];
    bool done = true;
    if (strcmp(next_command(w, line), "epoch") == 0) {
        w->epoch_began = worker_now();
        const thaw_fit_options options = {
            .epochs = 1000000,
            .batch = (int64_t)s->batch,
            .cache_bytes = s->cache_bytes,
            .cache_file = s->cache_file,
            .cache_dtype = s->cache_bf16 ? THAW_BF16 : THAW_F32,
            .on_epoch = on_epoch,
            .user = w,
        };
        const thaw_status status = thaw_fit(w->model, head, &options, NULL);
        done = status == THAW_STOPPED || worker_fail(w, "training");
    }
    thaw_dataset_destroy(head);
    return done;
}

static bool serve_made_epochs(worker *w)
{
    made_data data;
    thaw_dataset *dataset = NULL;
    bool done = make_data(w, w->settings.samples, &data);
    if (done)
        done = (thaw_dataset_from_arrays(w->context, &data.inputs, &data.targets, 5, &dataset) == THAW_OK ||
                worker_fail(w, "data")) &&
               fit(w, dataset);
    thaw_dataset_destroy(dataset);
    release_data(&data);
    return done;
}

static bool serve_epochs(worker *w)
{
    char description[64];
    snprintf(description, sizeof description, "fashion-mnist:classes=%zu-%zu", w->settings.first, w->settings.last);
    thaw_dataset *training = NULL, *test = NULL;
    if (thaw_dataset_open(w->context, description, &training, &test) != THAW_OK)
        return worker_fail(w, description);
    thaw_dataset_destroy(test);
    const bool done = fit(w, training);
    thaw_dataset_destroy(training);
    return done;
}

int main(int count, char **arguments)
{
    worker w = { .settings = { .network = "mlp-512",
                               .optimizer = "adam:lr=1e-3",
                               .freeze = "nothing",
                               .source = "fashion-mnist",
                               .precision = "f32",
                               .frozen_precision = "f32",
                               .batch = 128,
                               .last = 9 } };
    if (!read_settings(count, arguments, &w.settings))
        return 2;
    if (w.settings.mpi_library && !ranks_connect(w.settings.mpi_library, w.settings.commands, &w.ranks))
        return 1;
    worker_forget_peak();
    w.start_bytes = worker_process_bytes("VmRSS");
    const thaw_context_options options = { .threads = (int)w.settings.threads, .seed = 1 };
    if (thaw_context_create(&options, &w.context) != THAW_OK)
        return 1;
    bool done = thaw_model_create(w.context, &w.model) == THAW_OK && worker_build(&w);
    if (done) {
        printf("ready Thaw %s\n", thaw_version());
        fflush(stdout);
        if (w.settings.tokens)
            done = serve_passes(&w);
        else if (w.settings.samples == 0)
            done = serve_steps(&w);
        else
            done = strcmp(w.settings.source, "random") == 0 ? serve_made_epochs(&w) : serve_epochs(&w);
    }
    thaw_model_destroy(w.model);
    thaw_context_destroy(w.context);
    if (w.ranks.close)
        w.ranks.close(w.ranks.communicator.user, done ? 0 : 1);
    return done ? 0 : 1;
}
