#include "layers/packed_weight.h"

#include <math.h>
#include <string.h>

#include "core/pages.h"

enum { WEIGHT };

/* Rows of a thread at a time: the outermost blocks of layouts have 16 rows, or a multiple. */
enum { GRAIN = 16 };

/* The fewest bytes of rows that are released together. */
enum { LEAST_BYTES_AT_ONCE = 1 << 18 };

/* Smaller numbers are not restored: if the host's threads flush subnormal numbers to zero, a quotient close to them
   may differ the next time. */
static const float least = 0x1p-100F;

/* Room for a bit for each element of a row. Few are needed. */
static size_t choice_bytes(const thaw_packed_weight *packed)
{
    return (packed->row + 7) / 8;
}

static size_t choose_rows_at_once(size_t row)
{
    const size_t wanted = LEAST_BYTES_AT_ONCE / (row * sizeof(float)) + 1, unit = 4 * GRAIN;
    return (wanted + unit - 1) / unit * unit;
}

void thaw_packed_weight_release(thaw_context *context, thaw_packed_weight *packed)
{
    if (!packed)
        return;
    thaw_placement_release(context, packed->forward);
    thaw_placement_release(context, packed->backward);
    thaw_release(context, packed);
}

thaw_status thaw_packed_weight_create(thaw_context *context, const thaw_packed_weight_options *o,
                                      thaw_packed_weight **packed)
{
    *packed = NULL;
    thaw_packed_weight *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_packed_weight){
        .outputs = o->outputs,
        .row = o->row,
        .rows_at_once = choose_rows_at_once(o->row),
        .scaled = o->scaled,
        .forward_offset = o->forward_offset,
        .backward_offset = o->backward_offset,
        .scale_offset = o->notes_offset,
    };
    made->stays_offset = made->scale_offset + thaw_align(made->outputs * sizeof(float));
    made->starts_offset = made->stays_offset + thaw_align(made->outputs);
    made->choices_offset = made->starts_offset + thaw_align(made->outputs * sizeof(uint32_t));
    thaw_status status = thaw_placement_create(context, o->forward, o->outputs, &made->forward);
    if (status == THAW_OK && o->backward)
        status = thaw_placement_create(context, o->backward, o->outputs, &made->backward);
    if (status == THAW_OK && made->forward && (made->backward || !o->backward)) {
        *packed = made;
        return THAW_OK;
    }
    thaw_packed_weight_release(context, made);
    return status;
}

size_t thaw_packed_weight_bytes(const thaw_packed_weight *packed)
{
    return packed && packed->scaled
               ? packed->choices_offset - packed->scale_offset + packed->outputs * choice_bytes(packed)
               : 0;
}

bool thaw_packed_weight_equal(const thaw_packed_weight *packed, const thaw_packed_weight *other)
{
    if (!packed || !other)
        return packed == other;
    return packed->scaled == other->scaled && packed->forward_offset == other->forward_offset &&
           packed->backward_offset == other->backward_offset && packed->scale_offset == other->scale_offset &&
           thaw_placement_equal(packed->forward, other->forward) &&
           thaw_placement_equal(packed->backward, other->backward);
}

static void *in_packed(const thaw_layer_run *run, size_t offset)
{
    return (char *)run->packed + offset;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool same(float a, float b)
{
    return bits_of(a) == bits_of(b);
}

static bool makes(float scaled, float scale, uint32_t bits)
{
    return scale * from_bits(bits) == scaled;
}

/* The first number whose product with the scale is `scaled`: the quotient, or a neighbour. */
static float unscale(float scaled, float scale)
{
    const uint32_t quotient = bits_of(scaled / scale);
    const uint32_t from_quotient = makes(scaled, scale, quotient) ? quotient : quotient + 1;
    return from_bits(makes(scaled, scale, quotient - 1) ? quotient - 1 : from_quotient);
}

static float after(float value)
{
    return from_bits(bits_of(value) + 1);
}

/* Whether the number after the first has the same product. This is so if products are further apart than numbers. */
static bool has_second(float scaled, float scale, float first)
{
    return scaled != 0 && makes(scaled, scale, bits_of(first) + 1);
}

/* ---- packing ---- */

static void place_row(const thaw_placement *placement, size_t o, const float *from, float scale, float *copy)
{
    float *into = copy + placement->row_at[o];
    for (size_t k = 0; k < placement->row; k++)
        into[placement->element_at[k]] = scale * from[k];
}

/* Returns whether scaling can be undone. If two numbers have the same product, `choices` gets a bit that tells
   which. */
static bool note_row(const float *from, size_t count, float scale, unsigned char *choices, uint32_t *bytes)
{
    memset(choices, 0, (count + 7) / 8);
    bool whole = true;
    size_t noted = 0;
    for (size_t k = 0; k < count; k++) {
        const float scaled = scale * from[k], first = unscale(scaled, scale);
        const bool two = has_second(scaled, scale, first), second = two && !same(first, from[k]);
        const bool sized = (fabsf(from[k]) >= least && fabsf(scaled) >= least) || from[k] == 0;
        whole = whole && sized && same(second ? after(first) : first, from[k]);
        choices[noted / 8] = (unsigned char)(choices[noted / 8] | (unsigned)second << noted % 8);
        noted += two;
    }
    *bytes = whole ? (uint32_t)((noted + 7) / 8) : 0;
    return whole;
}

typedef struct row_range {
    const thaw_packed_weight *packed;
    const thaw_layer_run *run;
    size_t first; /* row */
} row_range;

static void pack_rows(void *argument, size_t begin, size_t end)
{
    const row_range *p = argument;
    const thaw_packed_weight *packed = p->packed;
    for (size_t o = p->first + begin; o < p->first + end; o++) {
        const float *from = p->run->parameters[WEIGHT] + o * packed->row;
        const float scale = packed->scaled ? p->run->capabilities->channel_scale[o] : 1;
        place_row(packed->forward, o, from, scale, in_packed(p->run, packed->forward_offset));
        if (packed->backward)
            place_row(packed->backward, o, from, scale, in_packed(p->run, packed->backward_offset));
    }
}

static void note_rows(void *argument, size_t begin, size_t end)
{
    const row_range *p = argument;
    const thaw_packed_weight *packed = p->packed;
    unsigned char *stays = in_packed(p->run, packed->stays_offset);
    uint32_t *bytes = in_packed(p->run, packed->starts_offset);
    for (size_t o = p->first + begin; o < p->first + end; o++) {
        unsigned char *choices = (unsigned char *)in_packed(p->run, packed->choices_offset) + o * choice_bytes(packed);
        const float *from = p->run->parameters[WEIGHT] + o * packed->row;
        stays[o] = !note_row(from, packed->row, p->run->capabilities->channel_scale[o], choices, &bytes[o]);
    }
}

/* Moves the choices of these rows behind the `used` bytes of earlier rows. Returns the new number of used bytes. */
static size_t gather_rows(const row_range *p, size_t count, size_t used)
{
    const thaw_packed_weight *packed = p->packed;
    uint32_t *starts = in_packed(p->run, packed->starts_offset);
    unsigned char *choices = in_packed(p->run, packed->choices_offset);
    for (size_t o = p->first; o < p->first + count; o++) {
        const size_t bytes = starts[o];
        memmove(choices + used, choices + o * choice_bytes(packed), bytes);
        starts[o] = (uint32_t)used;
        used += bytes;
    }
    return used;
}

static void clear(const thaw_layer_run *run, const thaw_placement *placement, size_t offset)
{
    if (placement && placement->padded)
        memset(in_packed(run, offset), 0, placement->bytes);
}

void thaw_packed_weight_pack(const thaw_packed_weight *packed, const thaw_layer_run *run)
{
    clear(run, packed->forward, packed->forward_offset);
    clear(run, packed->backward, packed->backward_offset);
    if (packed->scaled)
        memcpy(in_packed(run, packed->scale_offset), run->capabilities->channel_scale, packed->outputs * sizeof(float));
    size_t leaving = 0; /* rows from here are released together, so that pages between two parts are, too */
    size_t used = 0;    /* bytes of choices */
    for (size_t first = 0; first < packed->outputs; first += packed->rows_at_once) {
        const size_t left = packed->outputs - first, count = left < packed->rows_at_once ? left : packed->rows_at_once;
        row_range p = { packed, run, first };
        thaw_parallel_for(run->context, count, GRAIN, pack_rows, &p);
        if (packed->scaled) {
            thaw_parallel_for(run->context, count, GRAIN, note_rows, &p);
            used = gather_rows(&p, count, used);
        }
        if (!packed->scaled || !memchr((char *)in_packed(run, packed->stays_offset) + first, true, count))
            thaw_let_go(run, WEIGHT, leaving * packed->row, (first + count - leaving) * packed->row);
        else
            leaving = first + count;
    }
    if (packed->scaled)
        thaw_pages_give_back((char *)in_packed(run, packed->choices_offset) + used,
                             packed->outputs * choice_bytes(packed) - used);
}

/* ---- unpacking ---- */

/* Elements first .. past of a row, as they were before scaling. Choices of earlier elements precede theirs. */
static void restore_scaled(const thaw_packed_weight *packed, const thaw_layer_run *run, size_t o, size_t first,
                           size_t past, float *values)
{
    const thaw_placement *placement = packed->forward;
    const float *from = (const float *)in_packed(run, packed->forward_offset) + placement->row_at[o];
    const float scale = ((const float *)in_packed(run, packed->scale_offset))[o];
    const unsigned char *choices = in_packed(run, packed->choices_offset);
    size_t at = 8 * (size_t)((const uint32_t *)in_packed(run, packed->starts_offset))[o];
    for (size_t k = 0; k < past; k++) {
        const float scaled = from[placement->element_at[k]];
        float value = unscale(scaled, scale);
        if (has_second(scaled, scale, value)) {
            value = choices[at / 8] >> at % 8 & 1 ? after(value) : value;
            at++;
        }
        if (k >= first)
            values[k - first] = value;
    }
}

static void restore_row(const thaw_packed_weight *packed, const thaw_layer_run *run, size_t o, size_t first,
                        size_t past, float *values)
{
    const thaw_placement *placement = packed->forward;
    const float *from = (const float *)in_packed(run, packed->forward_offset) + placement->row_at[o];
    for (size_t k = first; k < past; k++)
        values[k - first] = from[placement->element_at[k]];
}

void thaw_packed_weight_unpack(const thaw_packed_weight *packed, const thaw_layer_run *run, size_t first, size_t count,
                               float *values)
{
    const unsigned char *stays = in_packed(run, packed->stays_offset);
    for (size_t at = first; at < first + count;) {
        const size_t o = at / packed->row, begin = at % packed->row;
        const size_t left = first + count - at, rest = packed->row - begin, now = left < rest ? left : rest;
        if (!packed->scaled)
            restore_row(packed, run, o, begin, begin + now, values);
        else if (!stays[o])
            restore_scaled(packed, run, o, begin, begin + now, values);
        else if (values != run->parameters[WEIGHT] + at)
            memcpy(values, run->parameters[WEIGHT] + at, now * sizeof *values);
        values += now;
        at += now;
    }
}
