/* Any bytes as a pattern, a zero, and a name: an answer in short time, and the same as that of another matcher. */
#include <stdlib.h>
#include <string.h>

#include "core/name.h"
#include "core/pattern.h"
#include "fuzz/fuzz.h"
#include "policy/part.h"

/* Of patterns of plain characters, ? and *. */
static bool matches_simply(const char *pattern, const char *name)
{
    if (!*pattern)
        return !*name;
    if (*pattern == '*')
        return matches_simply(pattern + 1, name) || (*name && matches_simply(pattern, name + 1));
    return *name && (*pattern == '?' || *pattern == *name) && matches_simply(pattern + 1, name + 1);
}

static bool is_simple(const char *pattern, const char *name)
{
    size_t stars = 0;
    for (const char *at = pattern; *at; at++)
        stars += *at == '*';
    return strlen(pattern) < 12 && strlen(name) < 12 && stars < 4 && !strpbrk(pattern, "[]{}|,\\");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *pattern = fuzz_text(data, size);
    const size_t length = strlen(pattern);
    const char *name = length < size ? pattern + length + 1 : "conv1.weight";
    const char *error = thaw_pattern_error(pattern);
    fuzz_demand(!error || *error, "a malformed pattern has a reason");
    if (!error) {
        const bool matches = thaw_pattern_matches(pattern, name);
        fuzz_demand(!is_simple(pattern, name) || matches == matches_simply(pattern, name), "both matchers agree");
    }
    fuzz_demand(thaw_name_error(name) || strlen(name) >= THAW_LONGEST_PATTERN ||
                    (!thaw_pattern_error(name) && thaw_pattern_matches(name, name)),
                "a name matches itself");
    const char *part = thaw_part_error(pattern);
    fuzz_demand(!part || *part, "a malformed part has a reason");
    free(pattern);
    return 0;
}
