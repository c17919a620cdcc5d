#include "data/text/text_list.h"

#include <string.h>

#include "core/allocation.h"

/* Puts a copy into the next cell; room for it has been made. */
static void put(thaw_table *table, const char *text)
{
    const size_t bytes = strlen(text) + 1;
    table->cells[table->cell_count++] = table->text_bytes;
    memcpy(table->text + table->text_bytes, text, bytes);
    table->text_bytes += bytes;
}

/* Columns have no names, so that the first row has empty cells. */
static thaw_status make_table(thaw_table *table, const char *const *texts, const char *const *seconds, size_t count)
{
    size_t bytes = table->columns, cells;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(texts[i]) + 1 + (seconds ? strlen(seconds[i]) + 1 : 0);
    if (!thaw_multiply_sizes(count + 1, table->columns, &cells))
        return thaw_fail(table->context, THAW_OUT_OF_MEMORY, "%zu texts overflow a size", count);
    table->text = thaw_allocate_raw(table->context, bytes);
    table->cells = thaw_allocate_array(table->context, cells, sizeof *table->cells);
    if (!table->text || !table->cells)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < table->columns; i++)
        put(table, "");
    for (size_t i = 0; i < count; i++) {
        put(table, texts[i]);
        if (seconds)
            put(table, seconds[i]);
    }
    table->rows = count;
    return THAW_OK;
}

thaw_status thaw_text_list_encode(thaw_text_samples *samples, const thaw_tokenizer *tokenizer, const char *const *texts,
                                  const char *const *seconds, size_t count, size_t length)
{
    const thaw_text_columns columns = { .text = 0, .second = 1, .pair = seconds != NULL };
    thaw_table table = { .context = samples->context, .path = "texts", .columns = seconds ? 2 : 1 };
    thaw_status status = make_table(&table, texts, seconds, count);
    if (status == THAW_OK)
        status = thaw_text_samples_encode(samples, tokenizer, &table, &columns, NULL, true, length);
    thaw_table_release(&table);
    return status;
}
