/* Any bytes as the space of a search: whatever is read gives each optimizer values in its ranges, or it says why not. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "compare/search.h"
#include "fuzz/fuzz.h"

static const char *const optimizers[] = { "adam", "sgd:momentum=0.9", "lookahead/adamw" };

static void check(const thaw_context *context, const thaw_search_space *space)
{
    double values[THAW_MOST_COORDINATES];
    fuzz_demand(space->count > 0 && space->count <= THAW_MOST_COORDINATES, "there is something to search");
    for (size_t trial = 0; trial < 3; trial++) {
        thaw_search_draw(context, space, 1, trial, values);
        for (size_t i = 0; i < space->count; i++)
            fuzz_demand(isfinite(values[i]), "a value is a number");
    }
    for (size_t i = 1; i < space->count; i++)
        fuzz_demand(strcmp(space->ranges[i - 1].name, space->ranges[i].name) != 0, "each is searched once");
    json_t *told = thaw_search_json(space);
    fuzz_demand(json_array_size(told) == space->count, "the space is told");
    json_decref(told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH_BYTES];
    const int file = fuzz_file(path, data, size);
    thaw_context *context = fuzz_context(1 << 24);
    thaw_search_space spaces[THAW_COUNT(optimizers)] = { { .count = 0 } };
    const thaw_status status = thaw_search_read(context, path, optimizers, THAW_COUNT(optimizers), spaces);
    fuzz_demand_message(context, status);
    for (size_t i = 0; i < THAW_COUNT(optimizers) && status == THAW_OK; i++)
        check(context, &spaces[i]);
    thaw_search_release(context, spaces, THAW_COUNT(optimizers));
    thaw_context_destroy(context);
    close(file);
    return 0;
}
