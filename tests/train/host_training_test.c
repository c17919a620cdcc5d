/* Whole runs inside a host's OpenMP regions, with layers of every kind: gradients, updates, the feature cache,
   evaluation and inference equal those outside within the rounding of another number of threads. Runs under several
   settings of OpenMP: see tests/meson.build. */
#include <math.h>
#include <omp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/assorted_network.h"
#include "support/layer_kinds.h"
#include "support/network.h"

enum { BATCH = 6, MEMBERS = 2 };

/* libgomp's entry points for a parallel region and a league of teams, which are there with clang, too, whose pragmas
   would bring another runtime. */
extern void GOMP_parallel(void (*body)(void *), void *argument, unsigned threads, unsigned flags);
extern void GOMP_teams_reg(void (*body)(void *), void *argument, unsigned teams, unsigned thread_limit, unsigned flags);

/* A host thread's own network, and what came of it. Members of a region cannot assert: failures are counted. */
typedef struct member {
    thaw_context *context;
    assorted_network network;
    thaw_dataset *data;
    float *gradients, outputs[ASSORTED_SAMPLES * 8];
    thaw_epoch_result epoch_result;
    thaw_evaluation evaluation;
    bool ran;
    int failures;
} member;

static void open_member(member *m, size_t index)
{
    *m = (member){ .context = support_context(2) };
    m->network = assorted_open(m->context, index);
    cr_assert_leq(ASSORTED_SAMPLES * m->network.results, THAW_COUNT(m->outputs));
    assert_ok(m->context, thaw_dataset_from_arrays(m->context, &m->network.inputs, &m->network.targets,
                                                   m->network.classes, &m->data));
    size_t count;
    m->gradients = support_weights(m->network.model, &count);
    memset(m->gradients, 0, count * sizeof *m->gradients);
}

static void close_member(member *m)
{
    free(m->gradients);
    thaw_dataset_destroy(m->data);
    assorted_close(&m->network);
    thaw_context_destroy(m->context);
}

static void note(member *m, thaw_status status)
{
    m->failures += status != THAW_OK;
}

static void keep_gradients(member *m)
{
    float *next = m->gradients;
    for (size_t i = 0; i < thaw_model_parameter_count(m->network.model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(m->network.model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        if (thaw_parameter_gradient(parameter))
            memcpy(next, thaw_parameter_gradient(parameter), count * sizeof *next);
        next += count;
    }
}

static void run(member *m)
{
    thaw_model *model = m->network.model;
    const thaw_tensor *inputs = &m->network.inputs, *targets = &m->network.targets;
    const thaw_tensor outputs =
        thaw_view_f32(m->outputs, 2, (const int64_t[]){ ASSORTED_SAMPLES, (int64_t)m->network.results });
    m->ran = true;
    note(m, thaw_step(model, inputs, targets, &(thaw_step_options){ .gradients_only = true }, NULL));
    keep_gradients(m);
    note(m, thaw_step(model, inputs, targets, &(thaw_step_options){ .clip_norm = 1 }, NULL));
    const thaw_fit_options fit = { .epochs = 2, .batch = BATCH, .cache_bytes = 1 << 24 };
    note(m, thaw_fit(model, m->data, &fit, &m->epoch_result));
    note(m, thaw_evaluate(model, m->data, BATCH, &m->evaluation));
    note(m, thaw_predict(model, inputs, &outputs));
}

/* Outside of any region it is thread 0. */
static void run_of_thread(void *argument)
{
    run(&((member *)argument)[omp_get_thread_num()]);
}

static void *run_in_thread(void *argument)
{
    run(argument);
    return NULL;
}

/* Within this share of the largest; NaN is not. */
static bool alike(const float *found, const float *expected, size_t count, double tolerance)
{
    double largest = 1e-3, off = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs((double)expected[i]));
        const double difference = fabs((double)found[i] - (double)expected[i]);
        off = difference <= off ? off : difference;
        if (isnan(difference))
            return false;
    }
    return off <= tolerance * largest;
}

/* The first parameter whose values or gradients differ; NULL: none. An optimizer that divides by the gradient's size
   makes steps of what is rounding alone, below a normalisation say: then the weights say nothing, but the outputs
   do. */
static const char *find_difference(const member *found, const member *expected, bool weights, double tolerance)
{
    size_t at = 0;
    for (size_t i = 0; i < thaw_model_parameter_count(found->network.model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(found->network.model, i);
        const thaw_parameter *wanted = thaw_model_parameter(expected->network.model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        if (!alike(found->gradients + at, expected->gradients + at, count, tolerance))
            return thaw_parameter_name(parameter);
        if (weights && !alike(thaw_parameter_data(parameter), thaw_parameter_data(wanted), count, tolerance))
            return thaw_parameter_name(parameter);
        at += count;
    }
    return NULL;
}

static void check(const member *found, const member *expected, size_t index, const char *where)
{
    cr_assert_eq(found->failures, 0, "network %zu, %s: %s", index, where, thaw_context_message(found->context));
    const bool rounded = thaw_model_precision(found->network.model).all == THAW_BF16;
    const bool sgd = index % 5 == 0 || index % 5 == 2;
    const char *different = find_difference(found, expected, sgd, rounded ? 5e-2 : 1e-3);
    cr_assert_null(different, "network %zu, %s: %s differs", index, where, different);
    const double tolerance = rounded ? 1e-1 : 1e-2;
    cr_assert(alike(found->outputs, expected->outputs, ASSORTED_SAMPLES * found->network.results, tolerance),
              "network %zu, %s: outputs differ", index, where);
    cr_assert_float_eq(found->epoch_result.loss, expected->epoch_result.loss,
                       tolerance * fmax(1, expected->epoch_result.loss), "network %zu, %s: loss %g, wanted %g", index,
                       where, found->epoch_result.loss, expected->epoch_result.loss);
    cr_assert_float_eq(found->evaluation.loss, expected->evaluation.loss,
                       tolerance * fmax(1, expected->evaluation.loss), "network %zu, %s: loss %g, wanted %g", index,
                       where, found->evaluation.loss, expected->evaluation.loss);
    cr_assert_eq(found->epoch_result.cached, expected->epoch_result.cached, "network %zu, %s", index, where);
}

static void compare(size_t index, layer_kinds *kinds)
{
    member outside, members[MEMBERS], behind, limited;
    open_member(&outside, index);
    open_member(&behind, index);
    open_member(&limited, index);
    for (size_t i = 0; i < MEMBERS; i++)
        open_member(&members[i], index);
    layer_kinds_add(kinds, outside.network.model);
    run(&outside);
    cr_assert_eq(outside.failures, 0, "network %zu: %s", index, thaw_context_message(outside.context));
    GOMP_parallel(run_of_thread, members, MEMBERS, 0);
    cr_assert(members[0].ran);
    for (size_t i = 0; i < MEMBERS && members[i].ran; i++)
        check(&members[i], &outside, index, "in a region");
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, run_in_thread, &behind), 0);
    pthread_join(thread, NULL);
    check(&behind, &outside, index, "in a thread");
    GOMP_teams_reg(run_of_thread, &limited, 1, 1, 0);
    check(&limited, &outside, index, "in a team that is limited to one thread");
    for (size_t i = 0; i < MEMBERS; i++)
        close_member(&members[i]);
    close_member(&limited);
    close_member(&behind);
    close_member(&outside);
}

Test(host_training, comes_out_as_outside)
{
    layer_kinds kinds = { .count = 0 };
    for (size_t index = 0; index < ASSORTED_NETWORKS; index++)
        compare(index, &kinds);
    layer_kinds_assert_all(&kinds);
}

/* Before this process has started any thread of OpenMP. */
Test(host_training, goes_on_after_a_fork)
{
    const size_t index = 2;
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        member members[MEMBERS], outside;
        alarm(60);
        open_member(&outside, index);
        for (size_t i = 0; i < MEMBERS; i++)
            open_member(&members[i], index);
        GOMP_parallel(run_of_thread, members, MEMBERS, 0);
        run(&outside);
        _exit(members[0].ran && members[0].failures + outside.failures == 0 &&
                      find_difference(&members[0], &outside, true, 1e-3) == NULL
                  ? 0
                  : 1);
    }
    int status = -1;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status), "ended by signal %d", WTERMSIG(status));
    cr_assert_eq(WEXITSTATUS(status), 0, "its results differ");
}

/* ---- a frozen weight that plans of two team sizes keep in packed form alone ---- */

enum { WIDE = 300, ROWS = 9 };

typedef struct prediction {
    thaw_model *model;
    float inputs[ROWS * WIDE], outputs[ROWS * WIDE];
    thaw_status status;
} prediction;

static void predict(void *argument)
{
    prediction *p = argument;
    const thaw_tensor from = thaw_view_f32(p->inputs, 2, (const int64_t[]){ ROWS, WIDE });
    const thaw_tensor into = thaw_view_f32(p->outputs, 2, (const int64_t[]){ ROWS, WIDE });
    if (omp_get_thread_num() == 0)
        p->status = thaw_predict(p->model, &from, &into);
}

Test(host_training, packs_a_frozen_weight_for_each_team)
{
    static prediction p;
    static float expected[ROWS * WIDE];
    thaw_context *context = support_context(2);
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &p.model));
    assert_ok(context, thaw_input(p.model, &(thaw_shape){ 1, { WIDE } }, &x));
    assert_ok(context, thaw_dense(p.model, x, &(thaw_dense_options){ .name = "wide", .units = WIDE }, &x));
    assert_ok(context, thaw_model_freeze(p.model, "wide"));
    thaw_parameter *weight = thaw_model_find_parameter(p.model, "wide.weight");
    float *before = malloc(WIDE * WIDE * sizeof *before);
    memcpy(before, thaw_parameter_data(weight), WIDE * WIDE * sizeof *before);
    const float *bias = thaw_parameter_data(thaw_model_find_parameter(p.model, "wide.bias"));
    support_fill(p.inputs, ROWS * WIDE, 3);
    for (size_t row = 0; row < ROWS; row++)
        for (size_t unit = 0; unit < WIDE; unit++) {
            double sum = (double)bias[unit];
            for (size_t i = 0; i < WIDE; i++)
                sum += (double)p.inputs[row * WIDE + i] * (double)before[unit * WIDE + i];
            expected[row * WIDE + unit] = (float)sum;
        }
    for (int round = 0; round < 3; round++)
        for (int inside = 0; inside < 2; inside++) {
            memset(p.outputs, 0xFF, sizeof p.outputs);
            if (inside)
                GOMP_parallel(predict, &p, 2, 0);
            else
                predict(&p);
            cr_assert_eq(p.status, THAW_OK, "%s", thaw_context_message(context));
            assert_close(p.outputs, expected, ROWS * WIDE, 1e-5, inside ? "inside" : "outside");
        }
    cr_assert_eq(memcmp(before, thaw_parameter_data(weight), WIDE * WIDE * sizeof *before), 0);
    free(before);
    thaw_model_destroy(p.model);
    thaw_context_destroy(context);
}
