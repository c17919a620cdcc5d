/* Texts of a file as samples in memory: ids, and a label. They are encoded once, in parallel. */
#ifndef THAW_DATA_TEXT_TEXT_SAMPLES_H
#define THAW_DATA_TEXT_TEXT_SAMPLES_H

#include <thaw/tokenizer.h>

#include "data/table.h"

/* Starts as zero, except the context. */
typedef struct thaw_text_samples {
    thaw_context *context;
    size_t count;
    size_t *begins;   /* of each sample's ids; one more is the end of the last */
    uint16_t *narrow; /* all ids, where they fit */
    int32_t *wide;    /* otherwise */
    uint8_t *types;   /* of each id; NULL: all are 0 */
    int32_t *labels;  /* NULL: there are none */
    size_t longest;   /* ids of a sample */
    size_t cut;       /* samples that truncation made shorter */
    size_t replaced;  /* U+FFFD in place of invalid UTF-8 */
} thaw_text_samples;

/* The cells of each row that are its texts. */
typedef struct thaw_text_columns {
    size_t text, second;
    bool pair; /* there is a second one */
} thaw_text_columns;

/* Encodes the rows of a table whose mark in `chosen` is `wanted` (NULL: all). A tokenizer with a length that is too
   short for its special tokens is refused. Errors: THAW_INVALID_ARGUMENT, THAW_OUT_OF_MEMORY (also if the ids would
   exceed the limit of thaw_data_allow). */
thaw_status thaw_text_samples_encode(thaw_text_samples *samples, const thaw_tokenizer *tokenizer,
                                     const thaw_table *table, const thaw_text_columns *columns, const bool *chosen,
                                     bool wanted, size_t length);

/* The number of a sample's ids. Thread-safe, as the next. */
static inline size_t thaw_text_samples_length(const thaw_text_samples *samples, size_t index)
{
    return samples->begins[index + 1] - samples->begins[index];
}

/* The id at a place in all ids. */
static inline int32_t thaw_text_samples_id(const thaw_text_samples *samples, size_t place)
{
    return samples->narrow ? samples->narrow[place] : samples->wide[place];
}

/* Moves the `count` marked samples, which have neither types nor labels, to `test`. Either part keeps the order.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_text_samples_move(thaw_text_samples *samples, const bool *marked, size_t count,
                                   thaw_text_samples *test);

/* Writes a sample's ids and types (NULL: not wanted), `capacity` of each: those behind its end are `padding` and 0. The
   capacity is at least its length. */
void thaw_text_samples_read(const thaw_text_samples *samples, size_t index, int32_t padding, size_t capacity,
                            int32_t *ids, int32_t *types);

void thaw_text_samples_release(thaw_text_samples *samples);

#endif
