#include "support/same_bits.h"

#include <math.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/context.h"
#include "core/cpu.h"
#include "core/digest.h"
#include "support/network.h"

enum { SAMPLES = 10, BATCH = 4 /* the last batch is smaller */, THREADS = 2, IDS = 9 /* rows of the smallest table */ };

static const char *const slots[] = { "momentum_buffer", "exp_avg",    "exp_avg_sq",
                                     "max_exp_avg_sq",  "square_avg", "grad_avg" };

typedef struct samples {
    float *inputs, *values;
    int32_t *labels;
    thaw_dataset *dataset;
} samples;

static thaw_tensor batch_of(thaw_dtype dtype, const thaw_shape *sample, void *data)
{
    thaw_tensor tensor = { dtype, { .rank = sample->rank + 1, .dims = { SAMPLES } }, data };
    for (int i = 0; i < sample->rank; i++)
        tensor.shape.dims[i + 1] = sample->dims[i];
    return tensor;
}

static bool has_kind(thaw_model *model, const char *kind)
{
    thaw_summary_entry row;
    for (size_t i = 0; i < thaw_model_node_count(model); i++) {
        assert_ok(thaw_model_context(model), thaw_model_summary_entry(model, i, &row));
        if (strcmp(row.kind, kind) == 0)
            return true;
    }
    return false;
}

/* Samples that suit the model's first layer, and targets that suit its loss. */
static void make_samples(thaw_model *model, samples *made)
{
    const thaw_shape *input = thaw_model_node_shape(model, 0);
    const thaw_shape *output = thaw_model_node_shape(model, thaw_model_output(model));
    const size_t count = SAMPLES * thaw_shape_count(input), outputs = SAMPLES * thaw_shape_count(output);
    const size_t classes = has_kind(model, "softmax_cross_entropy") ? (size_t)output->dims[output->rank - 1] : 0;
    made->inputs = malloc(count * sizeof(float));
    made->values = malloc(outputs * sizeof(float));
    made->labels = malloc(SAMPLES * sizeof(int32_t));
    support_fill(made->inputs, count, 3);
    support_fill(made->values, outputs, 4);
    for (size_t i = 0; has_kind(model, "embedding") && i < count; i++)
        made->inputs[i] = floorf((made->inputs[i] + 1) * IDS / 2);
    for (size_t i = 0; i < SAMPLES; i++)
        made->labels[i] = classes ? (int32_t)((i * 7 + i / 3) % classes) : 0;
    const thaw_tensor inputs = batch_of(THAW_F32, input, made->inputs);
    const thaw_tensor targets =
        classes ? batch_of(THAW_I32, &(thaw_shape){ 0 }, made->labels) : batch_of(THAW_F32, output, made->values);
    assert_ok(thaw_model_context(model),
              thaw_dataset_from_arrays(thaw_model_context(model), &inputs, &targets, classes, &made->dataset));
}

static void free_samples(samples *made)
{
    thaw_dataset_destroy(made->dataset);
    free(made->inputs);
    free(made->values);
    free(made->labels);
}

static bool add_losses(void *user, const thaw_epoch_result *epoch_result)
{
    const double losses[] = { epoch_result->loss, epoch_result->test_loss, (double)epoch_result->cached };
    thaw_digest_add(user, losses, sizeof losses);
    return true;
}

static void add_parameters(thaw_model *model, thaw_digest *digest)
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t bytes = thaw_shape_count(thaw_parameter_shape(parameter)) * sizeof(float);
        thaw_digest_add_text(digest, thaw_parameter_name(parameter));
        thaw_digest_add_number(digest, thaw_parameter_steps(parameter));
        thaw_digest_add(digest, thaw_parameter_data(parameter), bytes);
        for (size_t k = 0; k < THAW_COUNT(slots); k++)
            if (thaw_parameter_state(parameter, slots[k]))
                thaw_digest_add(digest, thaw_parameter_state(parameter, slots[k]), bytes);
    }
}

static void set_up(thaw_model *model, const same_bits_run *run)
{
    thaw_context *context = thaw_model_context(model);
    if (run->frozen)
        assert_ok(context, thaw_model_freeze(model, run->frozen));
    if (run->trains) {
        assert_ok(context, thaw_model_freeze(model, "*"));
        assert_ok(context, thaw_model_unfreeze(model, run->trains));
    }
    support_optimize(model, run->optimizer);
    thaw_model_set_recompute(model, run->recompute);
    thaw_model_set_fusion(model, !run->unfused);
}

static thaw_strategy strategy_of(const same_bits_run *run)
{
    return (thaw_strategy){ .name = run->name, .rules = run->rules, .rule_count = run->rule_count };
}

static thaw_fit_options options_of(const same_bits_run *run, const thaw_strategy *strategy, thaw_dataset *test)
{
    return (thaw_fit_options){
        .epochs = run->epochs ? run->epochs : 2,
        .batch = BATCH,
        .test = test,
        .clip_norm = run->clip_norm,
        .cache_bytes = run->cache_bytes,
        .strategy = run->rule_count ? strategy : NULL,
    };
}

static void train(thaw_model *model, const same_bits_run *run, thaw_digest *digest)
{
    thaw_context *context = thaw_model_context(model);
    samples made;
    make_samples(model, &made);
    set_up(model, run);
    const thaw_strategy strategy = strategy_of(run);
    thaw_fit_options options = options_of(run, &strategy, made.dataset);
    options.on_epoch = add_losses;
    options.user = digest;
    assert_ok(context, thaw_fit(model, made.dataset, &options, NULL));
    add_parameters(model, digest);
    free_samples(&made);
}

static void write_digest(const thaw_digest *digest, char text[SAME_BITS_DIGEST_BYTES])
{
    snprintf(text, SAME_BITS_DIGEST_BYTES, "%016llx%016llx", (unsigned long long)digest->lane[0],
             (unsigned long long)digest->lane[1]);
}

/* A model of the run, and whether the CPU computes in its precision. */
static bool build(const same_bits_run *run, thaw_context **context, thaw_model **model)
{
    *context = support_context(THREADS);
    *model = run->build(*context, run->argument);
    const thaw_status status = thaw_model_set_precision(*model, &run->precision);
    cr_assert(status == THAW_OK || status == THAW_UNSUPPORTED, "%s: %s", run->name, thaw_context_message(*context));
    return status == THAW_OK;
}

static void destroy(thaw_context *context, thaw_model *model)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

bool same_bits_train(const same_bits_run *run, char text[SAME_BITS_DIGEST_BYTES])
{
    thaw_digest digest = { 0 };
    thaw_context *context;
    thaw_model *model;
    const bool able = build(run, &context, &model);
    if (able)
        train(model, run, &digest);
    write_digest(&digest, text);
    destroy(context, model);
    return able;
}

/* ---------------------------------------------------------------- runs that are cut */

static bool add_epoch(void *user, const thaw_epoch_result *epoch_result)
{
    const double figures[] = { epoch_result->loss, epoch_result->accuracy, epoch_result->test_loss,
                               epoch_result->test_accuracy, epoch_result->rate_factor };
    thaw_digest_add(user, figures, sizeof figures);
    return true;
}

/* Trains from a file, or (NULL) from the start, for so many steps or to the end, which adds all parameters. */
static bool train_part(const same_bits_run *run, const char *from, size_t most, const char *to, size_t *steps,
                       thaw_digest *digest)
{
    thaw_context *context;
    thaw_model *model;
    if (!build(run, &context, &model)) {
        destroy(context, model);
        return false;
    }
    samples made;
    make_samples(model, &made);
    set_up(model, run);
    const thaw_strategy strategy = strategy_of(run);
    thaw_fit_options options = options_of(run, &strategy, made.dataset);
    options.on_epoch = add_epoch;
    options.user = digest;
    options.schedule = (thaw_schedule){ .kind = THAW_SCHEDULE_COSINE, .floor = 0.1, .warmup_epochs = 0.5 };
    thaw_trainer *trainer;
    assert_ok(context, thaw_trainer_create(model, made.dataset, &options, &trainer));
    if (from)
        assert_ok(context, thaw_trainer_load(trainer, from));
    for (size_t i = 0; i < most && !thaw_trainer_done(trainer); i++)
        assert_ok(context, thaw_trainer_step(trainer, NULL));
    *steps = thaw_trainer_epoch_steps(trainer) * (size_t)options.epochs;
    if (to)
        assert_ok(context, thaw_trainer_save(trainer, to));
    else
        add_parameters(model, digest);
    thaw_trainer_destroy(trainer);
    free_samples(&made);
    destroy(context, model);
    return true;
}

bool same_bits_train_cut(const same_bits_run *run, size_t cut, const char *path, size_t *steps,
                         char text[SAME_BITS_DIGEST_BYTES])
{
    thaw_digest digest = { 0 };
    const bool able = (!cut || train_part(run, NULL, cut, path, steps, &digest)) &&
                      train_part(run, cut ? path : NULL, SIZE_MAX, NULL, steps, &digest);
    write_digest(&digest, text);
    return able;
}

void same_bits_key(char key[SAME_BITS_KEY_BYTES])
{
    static const char *const levels[] = {
        [THAW_CPU_BASELINE] = "baseline", [THAW_CPU_V3] = "v3", [THAW_CPU_V4] = "v4", [THAW_CPU_V4_BF16] = "v4-bf16"
    };
    const dnnl_version_t *found = dnnl_version();
    thaw_context *context = support_context(1);
    snprintf(key, SAME_BITS_KEY_BYTES, BUILT_BY "-%d.%d.%d-%x-%s", found->major, found->minor, found->patch,
             (unsigned)dnnl_get_effective_cpu_isa(), levels[context->level]);
    thaw_context_destroy(context);
}
