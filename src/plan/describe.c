/* A plan as a table for people. */
#include <stdio.h>

#include "core/text.h"
#include "plan/plan.h"

static const char *region_name(thaw_region region)
{
    static const char *const names[] = {
        [THAW_REGION_PREFIX] = "prefix", [THAW_REGION_LIVE] = "live", [THAW_REGION_FROZEN] = "frozen"
    };
    return names[region];
}

static const char *backward_name(const thaw_plan_entry *entry)
{
    if (entry->input_gradient)
        return entry->parameter_gradient ? "input + weights" : "input";
    return entry->parameter_gradient ? "weights" : "-";
}

/* Formats its forward work: a kernel, a part of another kernel, or nothing. */
static void format_kernel(const thaw_plan_entry *entry, bool used, char *text, size_t capacity)
{
    if (!used)
        snprintf(text, capacity, "not computed");
    else if (entry->fused_into)
        snprintf(text, capacity, "in %s", entry->fused_into);
    else if (entry->forward)
        snprintf(text, capacity, "%s", entry->kernel);
    else
        snprintf(text, capacity, "-");
}

static void append_row(thaw_text *text, const thaw_plan *plan, size_t index)
{
    thaw_plan_entry entry;
    char kernel[64];
    thaw_plan_entry_at(plan, index, &entry);
    format_kernel(&entry, plan->nodes[index].used, kernel, sizeof kernel);
    thaw_text_append(text, "%-16s %-22s %-7s %-9s %-5s %-26s %-16s %10.1f %10.1f%s\n", entry.name, entry.kind,
                     plan->training ? region_name(entry.region) : "-",
                     plan->model->nodes[index].group ? thaw_trainability_name(entry.trainability) : "-",
                     entry.precision == THAW_BF16 ? "bf16" : "f32", kernel, backward_name(&entry),
                     (double)(entry.output_bytes + entry.copy_bytes + entry.workspace_bytes) / 1024,
                     (double)entry.packed_bytes / 1024, entry.cache_boundary ? "  <- cached here" : "");
}

static void append_combination(thaw_text *text, const thaw_plan *plan, size_t index)
{
    thaw_plan_combination entry;
    thaw_plan_combination_at(plan, index, &entry);
    char *formula = NULL;
    text->failed = text->failed || thaw_expression_describe(entry.expression, &formula) != THAW_OK;
    thaw_text_append(text, "%s = %s", entry.parameter->name, formula ? formula : "");
    thaw_text_destroy(plan->model->context, formula);
    thaw_text_append(text, "\n    %s; computed %s\n", thaw_trainability_name(entry.trainability), entry.computed);
}

/* Says why the feature cache does not cut at the end of the prefix. */
static void append_cut(thaw_text *text, const thaw_plan *plan, const thaw_plan_totals *totals)
{
    if (plan->cache.random && plan->prefix_bytes > 0)
        thaw_text_append(text,
                         "no feature cache: the data are augmented at random, so that the frozen layers see other "
                         "samples in each epoch\n");
    else if (plan->too_large)
        thaw_text_append(text,
                         "no feature cache: the end of the frozen prefix has %zu bytes a sample, the budget allows "
                         "%zu, and no earlier place saves enough in less\n",
                         totals->prefix_bytes_per_sample, plan->cache.sample_bytes);
    else if (plan->cut_count < plan->prefix_count)
        thaw_text_append(text,
                         "the feature cache cuts the frozen prefix before its end, which has %zu bytes a sample: "
                         "the budget allows %zu\n",
                         totals->prefix_bytes_per_sample, plan->cache.sample_bytes);
}

static void append_saving(thaw_text *text, const thaw_plan *plan, size_t index)
{
    thaw_plan_saving entry;
    thaw_plan_saving_at(plan, index, &entry);
    if (entry.bytes > 0 || entry.flops <= 0)
        thaw_text_append(text, "    %-14s %12zu bytes: %s\n", entry.pass, entry.bytes, entry.what);
    else
        thaw_text_append(text, "    %-14s %12.0f FLOP: %s\n", entry.pass, entry.flops, entry.what);
}

static void append_totals(thaw_text *text, const thaw_plan *plan)
{
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    thaw_text_append(text, "%zu forward kernels, %zu with a backward pass; batch %lld\n", totals.forward_kernels,
                     totals.backward_kernels, (long long)plan->batch);
    if (totals.fused_kernels)
        thaw_text_append(text, "%zu layers are part of another's kernel, which saves %zu bytes of reads and writes\n",
                         totals.fused_kernels, totals.fused_bytes);
    if (totals.bfloat16_kernels)
        thaw_text_append(text, "%zu forward kernels compute in bfloat16, %zu conversions lie at the borders\n",
                         totals.bfloat16_kernels, totals.conversions);
    if (totals.tiled_kernels)
        thaw_text_append(text, "%zu forward kernels run on %lld samples at a time, so that they stay in the caches\n",
                         totals.tiled_kernels, (long long)totals.tile);
    thaw_text_append(text, "trained parameters %zu, gradients %zu bytes, optimizer state %zu bytes\n",
                     totals.trainable_parameters, totals.gradient_bytes, totals.optimizer_state_bytes);
    if (plan->shards > 1)
        thaw_text_append(text, "each of %zu shards of a step; sums of gradients over them %zu bytes\n", plan->shards,
                         totals.shard_bytes);
    thaw_text_append(text, "ranks would share %zu bytes a step: each of R sends and receives 2 (R - 1) / R of them\n",
                     totals.shared_bytes);
    if (totals.synced_bytes)
        thaw_text_append(text,
                         "in mid-step, each rank sends %zu bytes of sums for each of its shards to every other one\n",
                         totals.synced_bytes);
    thaw_text_append(text, "activations %zu bytes in one arena, packed weights %zu bytes\n", totals.activation_bytes,
                     totals.packed_bytes);
    thaw_text_append(text, "%zu bytes if each value had its own memory; saved by\n", totals.separate_bytes);
    for (size_t i = 0; i < thaw_plan_saving_count(plan); i++)
        append_saving(text, plan, i);
    if (totals.combination_bytes)
        thaw_text_append(text, "values of expressions %zu bytes\n", totals.combination_bytes);
    if (totals.update_flops > 0)
        thaw_text_append(text, "%.1f MFLOP of products in the update\n", totals.update_flops / 1e6);
    thaw_text_append(text, "%.1f MFLOP a step, %.1f with everything trainable", totals.flops / 1e6,
                     totals.unfrozen_flops / 1e6);
    if (totals.cached_bytes_per_sample)
        thaw_text_append(text, ", %.1f from the feature cache (%zu bytes a sample)", totals.cached_flops / 1e6,
                         totals.cached_bytes_per_sample);
    thaw_text_append(text, "\n");
    append_cut(text, plan, &totals);
}

thaw_status thaw_plan_describe(const thaw_plan *plan, char **text)
{
    thaw_text table = { .context = plan->model->context };
    thaw_text_append(&table, "%-16s %-22s %-7s %-9s %-5s %-26s %-16s %10s %10s\n", "layer", "kind", "region", "trains",
                     "type", "forward kernel", "backward", "KiB", "packed KiB");
    for (size_t i = 0; i < plan->node_count; i++)
        append_row(&table, plan, i);
    for (size_t i = 0; i < thaw_plan_combination_count(plan); i++)
        append_combination(&table, plan, i);
    append_totals(&table, plan);
    return thaw_text_finish(&table, text);
}
