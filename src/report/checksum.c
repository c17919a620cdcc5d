#include "report/checksum.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/runtime.h>

#include "report/record.h"

thaw_status thaw_results_checksum(thaw_context *context, const char *path, const json_t *results,
                                  char digits[THAW_CHECKSUM_BYTES])
{
    json_t *bare = json_copy((json_t *)(uintptr_t)results);
    json_object_del(bare, THAW_RESULTS_CHECKSUM);
    char *dump = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(bare);
    if (!dump)
        return thaw_fail(context, THAW_OUT_OF_MEMORY, "%s: its checksum", path);
    snprintf(digits, THAW_CHECKSUM_BYTES, "%08" PRIx32, thaw_masked_crc(dump, strlen(dump)));
    free(dump);
    return THAW_OK;
}

thaw_status thaw_results_check(thaw_context *context, const char *path, const json_t *results)
{
    const json_t *kept = json_object_get(results, THAW_RESULTS_CHECKSUM);
    char right[THAW_CHECKSUM_BYTES];
    if (!kept)
        return THAW_OK;
    const thaw_status status = thaw_results_checksum(context, path, results, right);
    if (status != THAW_OK)
        return status;
    const char *found = json_string_value(kept);
    if (found && strcmp(found, right) == 0)
        return THAW_OK;
    return thaw_fail(
        context, THAW_BAD_FORMAT,
        "%s: is damaged: its content has the checksum %s, not the one that it holds; whoever edits it must "
        "remove its \"" THAW_RESULTS_CHECKSUM "\"",
        path, right);
}
