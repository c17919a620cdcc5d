/* Mixes the batches of a trainer: see thaw/mixing.h. */
#include <math.h>

#include "core/shape.h"
#include "data/dataset.h"
#include "train/mixing.h"
#include "train/shards.h"
#include "train/trainer.h"

static bool mixes(const thaw_mixing_options *options)
{
    return options->mixup > 0 || options->cutmix > 0 || options->feature_mixup > 0;
}

static thaw_status check_numbers(thaw_context *context, const thaw_mixing_options *options)
{
    const struct {
        const char *name;
        double value;
    } numbers[] = { { "mixup", options->mixup },
                    { "cutmix", options->cutmix },
                    { "feature_mixup", options->feature_mixup },
                    { "feature_noise", options->feature_noise } };
    for (size_t i = 0; i < THAW_COUNT(numbers); i++)
        if (!isfinite(numbers[i].value) || numbers[i].value < 0)
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s is %g, must be finite and not negative",
                             numbers[i].name, numbers[i].value);
    if (options->feature_mixup > 0 && (options->mixup > 0 || options->cutmix > 0))
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "feature_mixup is given beside mixup or cutmix, must be alone");
    return THAW_OK;
}

thaw_status thaw_trainer_check_mixing(const thaw_trainer *trainer)
{
    const thaw_mixing_options *options = &trainer->options.mixing;
    const thaw_model *model = trainer->model;
    thaw_context *context = model->context;
    const thaw_status status = check_numbers(context, options);
    if (status != THAW_OK || !(mixes(options) || options->feature_noise > 0))
        return status;
    if (model->longest || model->input_count > 1)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "mixing is for networks with one input of numbers, and not of sequences of several lengths");
    if (!mixes(options))
        return THAW_OK;
    const thaw_graph_node *loss = &model->nodes[thaw_model_loss(model)];
    if (!loss->targeted || (loss->target_dtype == THAW_I32 && !loss->capabilities->mixes_targets))
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "the loss %s cannot read mixed targets; softmax cross-entropy and losses of numbers can",
                         loss->name);
    const thaw_graph_input *input = model->input_count ? &model->inputs[0] : NULL;
    if (input && input->dtype == THAW_I32)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "samples of whole numbers cannot be mixed");
    if (options->cutmix > 0 && model->nodes[0].output.rank != 3)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "cutmix is for images [height, width, channels]");
    return THAW_OK;
}

/* The rows of the feature cache: for each cut, those of the whole part of the batch. */
static void mix_features(const thaw_plan *plan, const thaw_mixing *part, size_t place, float *rows, size_t count)
{
    size_t cut = 0;
    for (size_t i = 0; i < plan->cut_count; i++) {
        const thaw_node node = plan->order[i];
        const thaw_shape *shape = &plan->model->nodes[node].output;
        const size_t elements = thaw_shape_count(shape);
        if (!plan->nodes[node].boundary)
            continue;
        if (!thaw_model_is_input(plan->model, node))
            thaw_mixing_features(part, cut, shape, rows + place * elements);
        rows += count * elements;
        cut++;
    }
}

/* Whether anything but samples passes from frozen layers to others. */
static bool has_features(const thaw_plan *plan)
{
    bool has = false;
    for (size_t i = 0; i < plan->cut_count; i++)
        has = has || (plan->nodes[plan->order[i]].boundary && !thaw_model_is_input(plan->model, plan->order[i]));
    return has;
}

static void mix_part(const thaw_trainer *trainer, const thaw_plan *plan, const thaw_mixing *part)
{
    const thaw_mixing_options *options = part->options;
    const thaw_batch *batch = &trainer->batch;
    const thaw_source *source = &trainer->dataset->source;
    const thaw_shape *sample = &trainer->model->nodes[0].output;
    const size_t place = part->first - batch->first, numbers = thaw_shape_count(&source->target_shape);
    const thaw_mixed mixed = thaw_mixing_draw(part, sample);
    float *samples = (float *)(uintptr_t)batch->samples, *targets = (float *)(uintptr_t)batch->targets;
    if (trainer->epoch_result.cached)
        mix_features(plan, part, place, samples, batch->count);
    else if (mixed.cuts)
        thaw_mixing_cut(part, &mixed, sample, samples + place * thaw_shape_count(sample));
    else if (options->mixup > 0 || (options->feature_mixup > 0 && !has_features(plan)))
        thaw_mixing_rows(part, mixed.other, samples + place * thaw_shape_count(sample), thaw_shape_count(sample));
    if (source->target_dtype == THAW_F32)
        thaw_mixing_rows(part, mixed.other, targets + place * numbers, numbers);
}

void thaw_trainer_mix(thaw_trainer *trainer, const thaw_plan *plan, thaw_shard_range range)
{
    const thaw_batch *batch = &trainer->batch;
    const thaw_mixing_options *options = &trainer->options.mixing;
    if (trainer->mixed || !(mixes(options) || options->feature_noise > 0))
        return;
    for (size_t i = range.first; i < range.past; i++) {
        const thaw_shard_part own = thaw_shard_part_of(batch->all, range.shards, i);
        const thaw_mixing part = { trainer->model->context,     options,   trainer->options.seed,
                                   trainer->position.all_steps, own.first, own.count };
        if (own.count)
            mix_part(trainer, plan, &part);
    }
    trainer->mixed = true;
}
