/* Any bytes as a journal: what is read are lines with their checksums, and can be added to. After a first byte of
   'c' each line gets the checksum that it should have, so that what lies behind is reached, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare/journal.h"
#include "fuzz/fuzz.h"
#include "report/record.h"

static char results[2 * FUZZ_PATH_BYTES], path[2 * FUZZ_PATH_BYTES];

/* Writes the lines, each behind its checksum. */
static void write_chained(const uint8_t *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    char *line = malloc(size + 16);
    uint32_t checksum = 0;
    fuzz_demand(file && line, "a journal can be made");
    for (size_t begin = 0, end; begin < size; begin = end + 1) {
        for (end = begin; end < size && data[end] != '\n';)
            end++;
        const int head = sprintf(line, "%08x ", checksum);
        memcpy(line + head, data + begin, end - begin);
        checksum = thaw_masked_crc(line, (size_t)head + end - begin);
        fprintf(file, "%08x ", checksum);
        fwrite(data + begin, 1, end - begin, file);
        fputc('\n', file);
    }
    free(line);
    fuzz_demand(fclose(file) == 0, "a journal can be closed");
}

static size_t count_lines(thaw_context *context, const thaw_journal *journal)
{
    json_t *lines;
    fuzz_demand(thaw_journal_read(journal, &lines) == THAW_OK, thaw_context_message(context));
    const size_t count = json_array_size(lines);
    json_decref(lines);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!*path) {
        snprintf(results, sizeof results, "%s", fuzz_path("results.json"));
        snprintf(path, sizeof path, "%s", fuzz_path("results.json.journal"));
    }
    if (size && data[0] == 'c')
        write_chained(data + 1, size - 1);
    else
        fuzz_write(path, data, size);
    thaw_context *context = fuzz_context(1 << 20);
    thaw_journal journal;
    json_t *object = json_object();
    fuzz_demand(thaw_journal_open(context, results, &journal) == THAW_OK, thaw_context_message(context));
    count_lines(context, &journal);
    fuzz_demand(thaw_journal_begin(&journal, object) == THAW_OK, "it can begin anew");
    fuzz_demand(thaw_journal_append(&journal, object) == THAW_OK && count_lines(context, &journal) == 2,
                "what is added can be read");
    fuzz_demand(thaw_journal_empty(&journal) == THAW_OK, "it can be emptied");
    thaw_journal_close(&journal);
    json_decref(object);
    thaw_context_destroy(context);
    return 0;
}
