/* Training inside an OpenMP region of the host: serial there, with the gradients of training outside, for many kinds of
   layers. Runs under several settings of OpenMP: see tests/meson.build. */
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

enum { BATCH = 4, MOST_MEMBERS = 4 };

typedef thaw_status append(thaw_model *model, thaw_node input, thaw_node *output);

#define LAYER(name, call)                                                          \
    static thaw_status name(thaw_model *model, thaw_node input, thaw_node *output) \
    {                                                                              \
        return call;                                                               \
    }

#define CONV(name, ...) LAYER(name, thaw_conv2d(model, input, &(thaw_conv2d_options){ __VA_ARGS__ }, output))

CONV(plain_conv, .filters = 16, .kernel = { 3, 3 }, .padding = { 1, 1 })
CONV(first_conv, .filters = 32, .kernel = { 7, 7 }, .stride = { 2, 2 }, .padding = { 3, 3 })
CONV(grouped_conv, .filters = 16, .kernel = { 3, 3 }, .groups = 2)
CONV(depthwise_conv, .filters = 16, .kernel = { 3, 3 }, .groups = 16)
CONV(few_channels_conv, .filters = 8, .kernel = { 3, 3 })
CONV(pointwise_conv, .filters = 4, .kernel = { 1, 1 })
CONV(winograd_conv, .filters = 64, .kernel = { 3, 3 }, .padding = { 1, 1 })
LAYER(line_conv, thaw_conv1d(model, input, &(thaw_conv1d_options){ .filters = 9, .kernel = 3 }, output))
LAYER(transposed_conv,
      thaw_conv_transpose2d(model, input,
                            &(thaw_conv_transpose2d_options){ .filters = 6, .kernel = { 3, 3 }, .stride = { 2, 2 } },
                            output))
LAYER(dense, thaw_dense(model, input, &(thaw_dense_options){ .units = 130 }, output))
LAYER(batch_norm, thaw_batch_norm(model, input, NULL, output))
LAYER(layer_norm, thaw_layer_norm(model, input, NULL, output))
LAYER(group_norm, thaw_group_norm(model, input, &(thaw_group_norm_options){ .groups = 2 }, output))
LAYER(lstm, thaw_lstm(model, input, &(thaw_recurrent_options){ .units = 40 }, output))
LAYER(gru, thaw_gru(model, input, &(thaw_recurrent_options){ .units = 37, .bidirectional = true }, output))

/* Layers without parameters, above one that trains. */
#define ABOVE(name, call)                                                          \
    static thaw_status name(thaw_model *model, thaw_node input, thaw_node *output) \
    {                                                                              \
        const thaw_status status = few_channels_conv(model, input, &input);        \
        return status == THAW_OK ? call : status;                                  \
    }

ABOVE(max_pool, thaw_max_pool2d(model, input, &(thaw_pool2d_options){ .kernel = { 2, 2 } }, output))
ABOVE(average_pool, thaw_average_pool2d(model, input, &(thaw_pool2d_options){ .kernel = { 3, 3 } }, output))
ABOVE(global_pool, thaw_global_average_pool2d(model, input, NULL, output))
ABOVE(upsample, thaw_upsample2d(model, input, &(thaw_upsample2d_options){ .scale = { 2, 2 } }, output))
ABOVE(relu, thaw_relu(model, input, NULL, output))
ABOVE(gelu, thaw_gelu(model, input, NULL, output))
ABOVE(softmax, thaw_softmax(model, input, NULL, output))
ABOVE(sum, thaw_add(model, input, input, NULL, output))

typedef struct problem {
    const char *name;
    append *layer;
    thaw_shape sample;
} problem;

static const problem problems[] = {
    { "conv2d", plain_conv, { 3, { 12, 12, 16 } } },
    { "conv2d 7x7", first_conv, { 3, { 16, 16, 3 } } },
    { "conv2d in groups", grouped_conv, { 3, { 12, 12, 16 } } },
    { "conv2d by channel", depthwise_conv, { 3, { 12, 12, 16 } } },
    { "conv2d of few channels", few_channels_conv, { 3, { 12, 12, 3 } } },
    { "conv2d 1x1", pointwise_conv, { 3, { 4, 4, 1 } } },
    { "conv2d by Winograd", winograd_conv, { 3, { 14, 14, 64 } } },
    { "conv1d", line_conv, { 2, { 11, 6 } } },
    { "conv_transpose2d", transposed_conv, { 3, { 5, 6, 7 } } },
    { "dense", dense, { 1, { 784 } } },
    { "batch_norm", batch_norm, { 3, { 9, 7, 32 } } },
    { "layer_norm", layer_norm, { 2, { 5, 30 } } },
    { "group_norm", group_norm, { 3, { 5, 3, 6 } } },
    { "lstm", lstm, { 2, { 7, 11 } } },
    { "gru", gru, { 2, { 7, 11 } } },
    { "max_pool2d", max_pool, { 3, { 12, 12, 3 } } },
    { "average_pool2d", average_pool, { 3, { 12, 12, 3 } } },
    { "global_average_pool2d", global_pool, { 3, { 12, 12, 3 } } },
    { "upsample2d", upsample, { 3, { 6, 6, 3 } } },
    { "relu", relu, { 3, { 12, 12, 3 } } },
    { "gelu", gelu, { 3, { 12, 12, 3 } } },
    { "softmax", softmax, { 3, { 12, 12, 3 } } },
    { "add", sum, { 3, { 12, 12, 3 } } },
};

/* A host thread's own network; failures are counted, since a member of a region cannot assert. */
typedef struct member {
    thaw_context *context;
    thaw_model *model;
    thaw_shape output; /* of a sample */
    float *inputs, *targets;
    int failures;
} member;

static void note(member *m, thaw_status status)
{
    m->failures += status != THAW_OK;
}

static void open_member(member *m, const problem *p)
{
    thaw_node node;
    *m = (member){ .context = support_context(2) };
    assert_ok(m->context, thaw_model_create(m->context, &m->model));
    assert_ok(m->context, thaw_input(m->model, &p->sample, &node));
    assert_ok(m->context, p->layer(m->model, node, &node));
    m->output = *thaw_model_node_shape(m->model, node);
    assert_ok(m->context, thaw_mse(m->model, node, NULL, &node));
    m->inputs = malloc(BATCH * thaw_shape_count(&p->sample) * sizeof *m->inputs);
    m->targets = malloc(BATCH * thaw_shape_count(&m->output) * sizeof *m->targets);
    support_fill(m->inputs, BATCH * thaw_shape_count(&p->sample), 7);
    support_fill(m->targets, BATCH * thaw_shape_count(&m->output), 8);
}

static void close_member(member *m)
{
    free(m->inputs);
    free(m->targets);
    thaw_model_destroy(m->model);
    thaw_context_destroy(m->context);
}

static thaw_tensor view(const float *values, const thaw_shape *sample)
{
    int64_t dims[THAW_MAX_RANK] = { BATCH };
    memcpy(dims + 1, sample->dims, (size_t)sample->rank * sizeof *dims);
    return thaw_view_f32(values, sample->rank + 1, dims);
}

static void step(member *m, const problem *p)
{
    const thaw_tensor inputs = view(m->inputs, &p->sample), targets = view(m->targets, &m->output);
    note(m, thaw_step(m->model, &inputs, &targets, &(thaw_step_options){ .gradients_only = true }, NULL));
}

/* Of a member that OpenMP started no thread for, there are none; the first always has some. Returns how many. */
static size_t check_gradients(const member *m, const member *outside, const char *name, const char *where)
{
    cr_assert_eq(m->failures, 0, "%s: %s: %s", name, where, thaw_context_message(m->context));
    size_t compared = 0;
    for (size_t i = 0; i < thaw_model_parameter_count(m->model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(m->model, i);
        const float *found = thaw_parameter_gradient(parameter);
        const float *wanted = thaw_parameter_gradient(thaw_model_parameter(outside->model, i));
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        if (!found)
            continue;
        compared++;
        double largest = 1e-3, off = 0;
        for (size_t k = 0; k < count; k++) {
            largest = fmax(largest, fabs(wanted[k]));
            cr_assert(isfinite(found[k]), "%s: %s: %s is not finite", name, where, thaw_parameter_name(parameter));
            off = fmax(off, fabs(found[k] - wanted[k]));
        }
        cr_assert(off <= 1e-4 * largest, "%s: %s: %s is off by %g of %g", name, where, thaw_parameter_name(parameter),
                  off, largest);
    }
    return compared;
}

typedef struct region {
    const problem *problem;
    member *members;
} region;

/* Outside of any region it is thread 0. */
static void step_of_thread(void *argument)
{
    const region *r = argument;
    step(&r->members[omp_get_thread_num()], r->problem);
}

static void *step_in_thread(void *argument)
{
    step_of_thread(argument);
    return NULL;
}

/* libgomp's entry point for a parallel region, which is there with clang, too, whose pragmas would bring another
   runtime. */
extern void GOMP_parallel(void (*body)(void *), void *argument, unsigned threads, unsigned flags);

static void check(const problem *p)
{
    member outside, members[MOST_MEMBERS];
    open_member(&outside, p);
    step(&outside, p);
    cr_assert_eq(outside.failures, 0, "%s: %s", p->name, thaw_context_message(outside.context));
    for (int count = 1; count <= MOST_MEMBERS; count *= 2) {
        for (int i = 0; i < count; i++)
            open_member(&members[i], p);
        region r = { p, members };
        GOMP_parallel(step_of_thread, &r, (unsigned)count, 0);
        for (int i = 0; i < count; i++) {
            const size_t compared = check_gradients(&members[i], &outside, p->name, "in a region");
            cr_assert(compared > 0 || i > 0, "%s: no gradients", p->name);
        }
        step(&members[0], p); /* and outside again, by another plan */
        check_gradients(&members[0], &outside, p->name, "behind a region");
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, step_in_thread, &r), 0);
        pthread_join(thread, NULL);
        check_gradients(&members[0], &outside, p->name, "in a thread");
        for (int i = 0; i < count; i++)
            close_member(&members[i]);
    }
    close_member(&outside);
}

Test(host_region, gives_the_gradients_of_training_outside, .timeout = 120)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i]);
}
