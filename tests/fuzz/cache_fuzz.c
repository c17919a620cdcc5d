/* Any bytes as a file of the feature cache: rows that count as present can be read, and others can be written. */
#include <stdio.h>
#include <string.h>

#include "features/feature_storage.h"
#include "fuzz/fuzz.h"

enum { ROWS = 4, ROW_BYTES = 24 };

static void use_rows(thaw_feature_storage *rows, const bool *present)
{
    char content[ROW_BYTES];
    const struct iovec piece = { content, sizeof content };
    for (size_t i = 0; i < ROWS; i++) {
        memset(content, (int)i, sizeof content);
        if (present[i])
            fuzz_demand(rows->kind->read(rows, i, &piece, 1), "a row that is present can be read");
        else
            fuzz_demand(rows->kind->write(rows, i, &piece, 1), "a row that is missing can be written");
    }
    rows->kind->release(rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_path("features");
    const thaw_digest key = { .lane = { 1, 2 }, .length = 3 };
    thaw_context *context = fuzz_context(1 << 20);
    thaw_feature_storage *rows;
    fuzz_write(path, data, size);
    for (int round = 0; round < 2; round++) {
        bool present[ROWS] = { false };
        const thaw_status status = thaw_feature_file_open(context, path, &key, ROWS, ROW_BYTES, present, &rows);
        fuzz_demand_message(context, status);
        fuzz_demand(status == THAW_OK || !rows, "rows, or none");
        if (status != THAW_OK)
            break;
        for (size_t i = 0; i < ROWS && round; i++)
            fuzz_demand(present[i], "what was written is there again");
        use_rows(rows, present);
    }
    remove(path);
    thaw_context_destroy(context);
    return 0;
}
