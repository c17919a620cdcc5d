#include "kept_weight.h"

#include <math.h>
#include <string.h>

#include "core/allocation.h"

/* A thread's rows at a time: the outermost blocks of layouts are of 16 rows, or of multiples. */
enum { GRAIN = 16 };

/* Rows that are let go of together are about this much. */
enum { LEAST_BYTES_AT_ONCE = 1 << 18 };

/* Numbers below are not restored: where a host's threads take denormal numbers for zero, a quotient near them may be
   another the next time. */
static const float least = 0x1p-100F;

/* Two bits for each element of a row. */
static size_t remainder_bytes(const thaw_kept_weight *kept)
{
    return (kept->row + 3) / 4;
}

static size_t choose_rows_at_once(size_t row)
{
    const size_t wanted = LEAST_BYTES_AT_ONCE / (row * sizeof(float)) + 1, unit = 4 * GRAIN;
    return (wanted + unit - 1) / unit * unit;
}

void thaw_kept_weight_release(thaw_context *context, thaw_kept_weight *kept)
{
    if (!kept)
        return;
    thaw_placement_release(context, kept->forward);
    thaw_placement_release(context, kept->backward);
    thaw_release(context, kept);
}

thaw_status thaw_kept_weight_create(thaw_context *context, const thaw_kept_weight_options *o, thaw_kept_weight **kept)
{
    *kept = NULL;
    thaw_kept_weight *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_kept_weight){
        .outputs = o->outputs,
        .row = o->row,
        .rows_at_once = choose_rows_at_once(o->row),
        .scaled = o->scaled,
        .forward_offset = o->forward_offset,
        .backward_offset = o->backward_offset,
        .scale_offset = o->notes_offset,
    };
    made->stays_offset = made->scale_offset + thaw_align(made->outputs * sizeof(float));
    made->remainder_offset = made->stays_offset + thaw_align(made->outputs);
    thaw_status status = thaw_placement_create(context, o->forward, o->outputs, &made->forward);
    if (status == THAW_OK && o->backward)
        status = thaw_placement_create(context, o->backward, o->outputs, &made->backward);
    if (status == THAW_OK && made->forward && (made->backward || !o->backward)) {
        *kept = made;
        return THAW_OK;
    }
    thaw_kept_weight_release(context, made);
    return status;
}

size_t thaw_kept_weight_bytes(const thaw_kept_weight *kept)
{
    return kept && kept->scaled ? kept->remainder_offset - kept->scale_offset + kept->outputs * remainder_bytes(kept)
                                : 0;
}

static void *in_packed(const thaw_layer_run *run, size_t offset)
{
    return (char *)run->packed + offset;
}

/* ---- packing ---- */

static void place_row(const thaw_placement *placement, size_t o, const float *from, float scale, float *copy)
{
    float *into = copy + placement->row_at[o];
    for (size_t k = 0; k < placement->row; k++)
        into[placement->element_at[k]] = scale * from[k];
}

/* How far `value` is from `guess`, in steps from one float to the next; 2 where that is not what was asked for. */
static int32_t steps_between(float value, float guess)
{
    int32_t bits[2];
    memcpy(&bits[0], &value, sizeof value);
    memcpy(&bits[1], &guess, sizeof guess);
    const int64_t steps = (int64_t)bits[0] - bits[1];
    return steps >= -1 && steps <= 1 ? (int32_t)steps : 2;
}

/* Whether scaling can be undone: sets `remainder` to what dividing by the scale misses. */
static bool note_row(const float *from, size_t count, float scale, unsigned char *remainder)
{
    memset(remainder, 0, (count + 3) / 4);
    bool whole = true;
    for (size_t k = 0; k < count; k++) {
        const float scaled = scale * from[k];
        const int32_t steps = steps_between(from[k], scaled / scale);
        const bool sized = (fabsf(from[k]) >= least && fabsf(scaled) >= least) || from[k] == 0;
        whole = whole && sized && steps < 2;
        remainder[k / 4] = (unsigned char)(remainder[k / 4] | (unsigned)(steps & 3) << (2 * (k % 4)));
    }
    return whole;
}

typedef struct part {
    const thaw_kept_weight *kept;
    const thaw_layer_run *run;
    size_t first; /* row */
} part;

static void pack_rows(void *argument, size_t begin, size_t end)
{
    const part *p = argument;
    const thaw_kept_weight *kept = p->kept;
    for (size_t o = p->first + begin; o < p->first + end; o++) {
        const float *from = p->run->parameters[0] + o * kept->row;
        const float scale = kept->scaled ? p->run->channel_scale[o] : 1;
        place_row(kept->forward, o, from, scale, in_packed(p->run, kept->forward_offset));
        if (kept->backward)
            place_row(kept->backward, o, from, scale, in_packed(p->run, kept->backward_offset));
    }
}

static void note_rows(void *argument, size_t begin, size_t end)
{
    const part *p = argument;
    const thaw_kept_weight *kept = p->kept;
    unsigned char *stays = in_packed(p->run, kept->stays_offset);
    for (size_t o = p->first + begin; o < p->first + end; o++) {
        unsigned char *remainder =
            (unsigned char *)in_packed(p->run, kept->remainder_offset) + o * remainder_bytes(kept);
        stays[o] = !note_row(p->run->parameters[0] + o * kept->row, kept->row, p->run->channel_scale[o], remainder);
    }
}

static void clear(const thaw_layer_run *run, const thaw_placement *placement, size_t offset)
{
    if (placement && placement->padded)
        memset(in_packed(run, offset), 0, placement->bytes);
}

void thaw_kept_weight_pack(const thaw_kept_weight *kept, const thaw_layer_run *run)
{
    clear(run, kept->forward, kept->forward_offset);
    clear(run, kept->backward, kept->backward_offset);
    if (kept->scaled)
        memcpy(in_packed(run, kept->scale_offset), run->channel_scale, kept->outputs * sizeof(float));
    for (size_t first = 0; first < kept->outputs; first += kept->rows_at_once) {
        const size_t left = kept->outputs - first, count = left < kept->rows_at_once ? left : kept->rows_at_once;
        part p = { kept, run, first };
        thaw_parallel_for(run->context, count, GRAIN, pack_rows, &p);
        if (kept->scaled)
            thaw_parallel_for(run->context, count, GRAIN, note_rows, &p);
        if (!kept->scaled || !memchr((char *)in_packed(run, kept->stays_offset) + first, true, count))
            thaw_let_go(run, first * kept->row, count * kept->row);
    }
}

/* ---- unpacking ---- */

/* Elements first .. past of a row. */
static void restore_row(const thaw_kept_weight *kept, const thaw_layer_run *run, size_t o, size_t first, size_t past,
                        float *values)
{
    const thaw_placement *placement = kept->forward;
    const float *from = (const float *)in_packed(run, kept->forward_offset) + placement->row_at[o];
    for (size_t k = first; k < past; k++)
        values[k - first] = from[placement->element_at[k]];
    if (!kept->scaled)
        return;
    const float scale = ((const float *)in_packed(run, kept->scale_offset))[o];
    const unsigned char *remainder =
        (const unsigned char *)in_packed(run, kept->remainder_offset) + o * remainder_bytes(kept);
    for (size_t k = first; k < past; k++) {
        const float guess = values[k - first] / scale;
        uint32_t bits;
        memcpy(&bits, &guess, sizeof bits);
        const uint32_t code = (uint32_t)remainder[k / 4] >> (2 * (k % 4)) & 3;
        bits += code == 3 ? UINT32_MAX : code; /* 3 is -1 */
        memcpy(&values[k - first], &bits, sizeof bits);
    }
}

void thaw_kept_weight_unpack(const thaw_kept_weight *kept, const thaw_layer_run *run, size_t first, size_t count,
                             float *values)
{
    const unsigned char *stays = in_packed(run, kept->stays_offset);
    for (size_t at = first; at < first + count;) {
        const size_t o = at / kept->row, begin = at % kept->row;
        const size_t left = first + count - at, rest = kept->row - begin, now = left < rest ? left : rest;
        if (!kept->scaled || !stays[o])
            restore_row(kept, run, o, begin, begin + now, values);
        else if (values != run->parameters[0] + at)
            memcpy(values, run->parameters[0] + at, now * sizeof *values);
        values += now;
        at += now;
    }
}
