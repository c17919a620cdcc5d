#include "train/average.h"

#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "params/keeping.h"

enum { BLOCK = 16384 /* floats that a thread takes on at a time */ };

/* ---------------------------------------------------------------- life */

thaw_status thaw_average_create(thaw_parameter_set *set, double decay, thaw_average **average)
{
    *average = thaw_allocate(set->context, sizeof **average);
    if (!*average)
        return THAW_OUT_OF_MEMORY;
    **average = (thaw_average){ .set = set, .decay = decay };
    return THAW_OK;
}

void thaw_average_release(thaw_average *average)
{
    if (!average)
        return;
    thaw_context *context = average->set->context;
    for (size_t i = 0; i < average->count; i++) {
        thaw_release(context, average->entries[i].values);
        thaw_release(context, average->entries[i].kept);
    }
    thaw_release(context, average->entries);
    thaw_release(context, average->active);
    thaw_release(context, average->blocks);
    thaw_release(context, average);
}

size_t thaw_average_bytes(const thaw_average *average)
{
    size_t bytes = 0;
    for (size_t i = 0; average && i < average->count; i++)
        bytes += average->entries[i].parameter->count * sizeof(float);
    return bytes;
}

thaw_status thaw_average_add(thaw_average *average, thaw_parameter *parameter, const void *values, uint64_t updates)
{
    thaw_context *context = average->set->context;
    const size_t bytes = parameter->count * sizeof(float);
    thaw_averaged *entries =
        thaw_grow(context, average->entries, &average->capacity, average->count + 1, sizeof *entries);
    if (!entries)
        return THAW_OUT_OF_MEMORY;
    average->entries = entries;
    float *copy = thaw_allocate_raw(context, bytes);
    if (!copy)
        return THAW_OUT_OF_MEMORY;
    memcpy(copy, values, bytes);
    entries[average->count++] = (thaw_averaged){ .parameter = parameter, .values = copy, .updates = updates };
    return THAW_OK;
}

/* ---------------------------------------------------------------- steps */

/* As torch.lerp: the form with the smaller error on either side of a half. */
static void approach(float *restrict average, const float *restrict values, size_t count, float weight)
{
    if (weight < 0.5F) {
        for (size_t i = 0; i < count; i++)
            average[i] += weight * (values[i] - average[i]);
        return;
    }
    const float rest = 1 - weight;
    for (size_t i = 0; i < count; i++)
        average[i] = values[i] - (values[i] - average[i]) * rest;
}

/* What the updates that the parameter did not train in have made of its average, all at once: its values stayed. */
static void catch_up(const thaw_average *average, const thaw_averaged *entry)
{
    const double missed = (double)(average->updates - entry->updates);
    if (missed > 0)
        approach(entry->values, entry->parameter->data, entry->parameter->count,
                 (float)(1 - pow(average->decay, missed)));
}

static bool is_followed(const thaw_average *average, thaw_parameter *const *trained, size_t count)
{
    bool same = average->active_count == count;
    for (size_t i = 0; i < count && same; i++)
        same = average->entries[average->active[i]].parameter == trained[i];
    return same;
}

static thaw_status begin(thaw_average *average, thaw_parameter *parameter, size_t *index)
{
    size_t i = 0;
    while (i < average->count && average->entries[i].parameter != parameter)
        i++;
    *index = i;
    thaw_parameter_bring_back(parameter);
    if (i == average->count)
        return thaw_average_add(average, parameter, parameter->data, average->updates);
    catch_up(average, &average->entries[i]);
    average->entries[i].updates = average->updates;
    return THAW_OK;
}

static thaw_status cut_blocks(thaw_average *average)
{
    size_t blocks = 0;
    for (size_t i = 0; i < average->active_count; i++)
        blocks += (average->entries[average->active[i]].parameter->count + BLOCK - 1) / BLOCK;
    thaw_averaged_block *made =
        thaw_grow(average->set->context, average->blocks, &average->block_capacity, blocks + 1, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    average->blocks = made;
    average->block_count = 0;
    for (size_t i = 0; i < average->active_count; i++) {
        const size_t entry = average->active[i], count = average->entries[entry].parameter->count;
        for (size_t begin = 0; begin < count; begin += BLOCK)
            made[average->block_count++] =
                (thaw_averaged_block){ entry, begin, count - begin < BLOCK ? count - begin : BLOCK };
    }
    return THAW_OK;
}

thaw_status thaw_average_follow(thaw_average *average, thaw_parameter *const *trained, size_t count)
{
    if (is_followed(average, trained, count))
        return THAW_OK;
    average->active_count = average->block_count = 0;
    size_t *active =
        thaw_grow(average->set->context, average->active, &average->active_capacity, count + 1, sizeof *active);
    if (!active)
        return THAW_OUT_OF_MEMORY;
    average->active = active;
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = begin(average, trained[i], &active[i]);
    if (status != THAW_OK)
        return status;
    average->active_count = count;
    status = cut_blocks(average);
    if (status != THAW_OK)
        average->active_count = 0; /* the next call tries again */
    return status;
}

static void update_blocks(void *argument, size_t begin, size_t end)
{
    const thaw_average *average = argument;
    const float weight = (float)(1 - average->decay);
    for (size_t i = begin; i < end; i++) {
        const thaw_averaged_block *block = &average->blocks[i];
        const thaw_averaged *entry = &average->entries[block->entry];
        float *values = entry->values + block->begin;
        const float *data = entry->parameter->data + block->begin;
        if (average->updates == 0)
            memcpy(values, data, block->count * sizeof *values);
        else
            approach(values, data, block->count, weight);
    }
}

void thaw_average_update(thaw_average *average)
{
    thaw_parallel_for(average->set->context, average->block_count, 1, update_blocks, average);
    average->updates++;
    for (size_t i = 0; i < average->active_count; i++)
        average->entries[average->active[i]].updates = average->updates;
}

/* ---------------------------------------------------------------- use */

static void exchange(const thaw_averaged *entry)
{
    float *restrict values = entry->values, *restrict data = entry->parameter->data;
    for (size_t i = 0; i < entry->parameter->count; i++) {
        const float value = values[i];
        values[i] = data[i];
        data[i] = value;
    }
}

/* Keeps the averages that are to be used with the updates that their parameters have missed. */
static thaw_status keep(thaw_average *average)
{
    for (size_t i = 0; i < average->count; i++) {
        thaw_averaged *entry = &average->entries[i];
        const size_t bytes = entry->parameter->count * sizeof(float);
        if (entry->parameter->removed || entry->updates == average->updates)
            continue;
        entry->kept = thaw_allocate_raw(average->set->context, bytes);
        if (!entry->kept)
            return THAW_OUT_OF_MEMORY;
        memcpy(entry->kept, entry->values, bytes);
    }
    return THAW_OK;
}

static void drop_kept(const thaw_average *average)
{
    for (size_t i = 0; i < average->count; i++) {
        thaw_release(average->set->context, average->entries[i].kept);
        average->entries[i].kept = NULL;
    }
}

/* The averages get versions that no values had before, and of which the sums differ, too: versions of weights stay
   below 2^32. Where the weights get theirs back, a version is not the largest so far, and so all plans are to look
   again. */
static void put_in(thaw_average *average)
{
    const uint64_t version = ++average->set->absences << 32;
    for (size_t i = 0; i < average->count; i++) {
        thaw_averaged *entry = &average->entries[i];
        thaw_parameter *parameter = entry->parameter;
        if (parameter->removed)
            continue;
        thaw_parameter_bring_back(parameter);
        catch_up(average, entry);
        exchange(entry);
        entry->version = parameter->version;
        parameter->version += version;
    }
}

/* The weights get their versions back: a feature cache that was made of them stays. */
static void put_back(thaw_average *average)
{
    for (size_t i = 0; i < average->count; i++) {
        thaw_averaged *entry = &average->entries[i];
        thaw_parameter *parameter = entry->parameter;
        if (parameter->removed)
            continue;
        thaw_parameter_bring_back(parameter);
        exchange(entry);
        parameter->version = entry->version;
        if (!entry->kept)
            continue;
        thaw_release(average->set->context, entry->values);
        entry->values = entry->kept;
        entry->kept = NULL;
    }
    average->set->finite = 0;
}

thaw_status thaw_average_use(thaw_average *average, bool use)
{
    if (use == average->in_use || average->updates == 0)
        return THAW_OK;
    if (use && keep(average) != THAW_OK) {
        drop_kept(average);
        return THAW_OUT_OF_MEMORY;
    }
    (use ? put_in : put_back)(average);
    average->in_use = use;
    return THAW_OK;
}
