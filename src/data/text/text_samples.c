#include "data/text/text_samples.h"

#include <string.h>

#include "core/allocation.h"
#include "core/threads.h"
#include "data/limit.h"
#include "data/text/list.h"

enum { CHUNK_ROWS = 512 };

/* What some rows become. */
typedef struct chunk {
    thaw_id_list ids, types;
    size_t lengths[CHUNK_ROWS];
    size_t cut, replaced;
    thaw_status status;
} chunk;

typedef struct encoding {
    const thaw_table *table;
    const thaw_text_columns *columns;
    thaw_encode_options options;
    thaw_encoder **encoders; /* one a thread */
    size_t *rows;            /* of the samples */
    size_t count, chunk_count;
    chunk *chunks;
} encoding;

static void encode_chunk(const encoding *e, thaw_encoder *encoder, size_t which)
{
    chunk *to = &e->chunks[which];
    const size_t first = which * CHUNK_ROWS, left = e->count - first;
    for (size_t i = 0; i < CHUNK_ROWS && i < left && to->status == THAW_OK; i++) {
        const char *text = thaw_table_cell(e->table, e->rows[first + i], e->columns->text), *second = NULL;
        thaw_encoded encoded;
        if (e->columns->pair)
            second = thaw_table_cell(e->table, e->rows[first + i], e->columns->second);
        to->status = thaw_encoder_encode(encoder, &e->options, text, strlen(text), second, second ? strlen(second) : 0,
                                         &encoded);
        to->lengths[i] = encoded.count;
        to->cut += encoded.whole > encoded.count;
        to->replaced += encoded.replaced;
        if (to->status == THAW_OK &&
            (!thaw_id_list_append(e->table->context, &to->ids, encoded.ids, encoded.count) ||
             (e->columns->pair && !thaw_id_list_append(e->table->context, &to->types, encoded.types, encoded.count))))
            to->status = THAW_OUT_OF_MEMORY;
    }
}

/* Each chunk is the same whichever thread encodes it. */
static void encode_share(void *argument, int thread, int threads)
{
    const encoding *e = argument;
    for (size_t i = (size_t)thread; i < e->chunk_count; i += (size_t)threads)
        encode_chunk(e, e->encoders[thread], i);
}

static thaw_status choose_rows(encoding *e, const bool *chosen, bool wanted)
{
    e->rows = thaw_allocate_array(e->table->context, e->table->rows + 1, sizeof *e->rows);
    for (size_t row = 0; e->rows && row < e->table->rows; row++)
        if (!chosen || chosen[row] == wanted)
            e->rows[e->count++] = row;
    e->chunk_count = (e->count + CHUNK_ROWS - 1) / CHUNK_ROWS;
    e->chunks = e->rows ? thaw_allocate_array(e->table->context, e->chunk_count + 1, sizeof *e->chunks) : NULL;
    return e->chunks ? THAW_OK : THAW_OUT_OF_MEMORY;
}

static thaw_status encode_all(encoding *e, const thaw_tokenizer *tokenizer)
{
    thaw_context *context = e->table->context;
    const thaw_thread_scope scope = thaw_threads_enter(context);
    const int threads = thaw_context_threads(context);
    e->encoders = thaw_allocate_array(context, (size_t)threads, sizeof *e->encoders);
    thaw_status status = e->encoders ? THAW_OK : THAW_OUT_OF_MEMORY;
    for (int i = 0; i < threads && status == THAW_OK; i++)
        status = thaw_encoder_create(tokenizer, &e->encoders[i]);
    if (status == THAW_OK)
        thaw_parallel(context, encode_share, e);
    for (int i = 0; e->encoders && i < threads; i++)
        thaw_encoder_destroy(e->encoders[i]);
    thaw_threads_leave(scope);
    for (size_t i = 0; i < e->chunk_count && status == THAW_OK; i++) {
        status = e->chunks[i].status;
        if (status == THAW_INVALID_ARGUMENT)
            thaw_fail(context, status, "%s: length=%zu leaves no room for the special tokens", e->table->path,
                      e->options.length);
        else if (status != THAW_OK)
            thaw_fail(context, status, "%s: no memory for the ids of its texts", e->table->path);
    }
    return status;
}

/* ---- in one piece ---- */

static thaw_status reserve(const encoding *e, size_t total, bool narrow, thaw_text_samples *samples)
{
    const size_t bytes = narrow ? sizeof *samples->narrow : sizeof *samples->wide;
    thaw_status status = thaw_data_allow(samples->context, e->table->path, total, bytes + e->columns->pair);
    if (status != THAW_OK)
        return status;
    samples->begins = thaw_allocate_array(samples->context, e->count + 1, sizeof *samples->begins);
    void *ids = thaw_allocate_array(samples->context, total + 1, bytes);
    samples->narrow = narrow ? ids : NULL;
    samples->wide = narrow ? NULL : ids;
    samples->types = e->columns->pair ? thaw_allocate_array(samples->context, total + 1, 1) : NULL;
    return samples->begins && ids && (samples->types || !e->columns->pair) ? THAW_OK : THAW_OUT_OF_MEMORY;
}

static void append(const chunk *from, thaw_text_samples *samples, size_t begin)
{
    for (size_t i = 0; i < from->ids.count; i++) {
        if (samples->narrow)
            samples->narrow[begin + i] = (uint16_t)from->ids.items[i];
        else
            samples->wide[begin + i] = from->ids.items[i];
        if (samples->types)
            samples->types[begin + i] = (uint8_t)from->types.items[i];
    }
    samples->cut += from->cut;
    samples->replaced += from->replaced;
}

static thaw_status gather(const encoding *e, size_t tokens, thaw_text_samples *samples)
{
    size_t total = 0, begin = 0;
    for (size_t i = 0; i < e->chunk_count; i++)
        total += e->chunks[i].ids.count;
    const thaw_status status = reserve(e, total, tokens <= (size_t)UINT16_MAX + 1, samples);
    if (status != THAW_OK)
        return status;
    for (size_t i = 0; i < e->chunk_count; begin += e->chunks[i++].ids.count)
        append(&e->chunks[i], samples, begin);
    for (size_t i = 0; i < e->count; i++) {
        const size_t length = e->chunks[i / CHUNK_ROWS].lengths[i % CHUNK_ROWS];
        samples->begins[i + 1] = samples->begins[i] + length;
        samples->longest = length > samples->longest ? length : samples->longest;
    }
    samples->count = e->count;
    return THAW_OK;
}

thaw_status thaw_text_samples_encode(thaw_text_samples *samples, const thaw_tokenizer *tokenizer,
                                     const thaw_table *table, const thaw_text_columns *columns, const bool *chosen,
                                     bool wanted, size_t length)
{
    thaw_context *context = table->context;
    encoding e = { .table = table, .columns = columns, .options = { .length = length } };
    thaw_status status = choose_rows(&e, chosen, wanted);
    if (status == THAW_OK)
        status = encode_all(&e, tokenizer);
    if (status == THAW_OK)
        status = gather(&e, thaw_tokenizer_count(tokenizer), samples);
    for (size_t i = 0; e.chunks && i < e.chunk_count; i++) {
        thaw_release(context, e.chunks[i].ids.items);
        thaw_release(context, e.chunks[i].types.items);
    }
    thaw_release(context, e.chunks);
    thaw_release(context, e.encoders);
    thaw_release(context, e.rows);
    return status;
}

/* ---- a part of them ---- */

/* Appends a sample's ids, which may be samples of the same. */
static void append_sample(const thaw_text_samples *from, size_t index, thaw_text_samples *into)
{
    const size_t begin = from->begins[index], length = thaw_text_samples_length(from, index);
    const size_t place = into->begins[into->count];
    if (from->narrow)
        memmove(into->narrow + place, from->narrow + begin, length * sizeof *from->narrow);
    else
        memmove(into->wide + place, from->wide + begin, length * sizeof *from->wide);
    into->begins[++into->count] = place + length;
}

thaw_status thaw_text_samples_move(thaw_text_samples *samples, const bool *marked, size_t count,
                                   thaw_text_samples *test)
{
    thaw_context *context = samples->context;
    const size_t all = samples->count;
    size_t ids = 0;
    for (size_t i = 0; i < all; i++)
        ids += marked[i] ? thaw_text_samples_length(samples, i) : 0;
    test->begins = thaw_allocate_array(context, count + 1, sizeof *test->begins);
    if (samples->narrow)
        test->narrow = thaw_allocate_array(context, ids + 1, sizeof *test->narrow);
    else
        test->wide = thaw_allocate_array(context, ids + 1, sizeof *test->wide);
    if (!test->begins || !(test->narrow || test->wide))
        return THAW_OUT_OF_MEMORY;
    test->longest = samples->longest;
    samples->count = 0;
    for (size_t i = 0; i < all; i++)
        append_sample(samples, i, marked[i] ? test : samples);
    return THAW_OK;
}

void thaw_text_samples_read(const thaw_text_samples *samples, size_t index, int32_t padding, size_t capacity,
                            int32_t *ids, int32_t *types)
{
    const size_t begin = samples->begins[index], length = thaw_text_samples_length(samples, index);
    for (size_t i = 0; i < capacity; i++) {
        const bool inside = i < length;
        ids[i] = inside ? thaw_text_samples_id(samples, begin + i) : padding;
        if (types)
            types[i] = inside && samples->types ? samples->types[begin + i] : 0;
    }
}

void thaw_text_samples_release(thaw_text_samples *samples)
{
    thaw_release(samples->context, samples->begins);
    thaw_release(samples->context, samples->narrow);
    thaw_release(samples->context, samples->wide);
    thaw_release(samples->context, samples->types);
    thaw_release(samples->context, samples->labels);
    *samples = (thaw_text_samples){ .context = samples->context };
}
