/* A file of the feature cache that is damaged between two runs: the next run gives the weights of a run without one. */
#include <string.h>

#include "support/cached_run.h"
#include "support/files.h"

enum { MOST_BYTES = 1 << 14, MAGIC_BYTES = 8, HEADER_BYTES = 56, FIRST_ROW = 4096 };

static cached_run run;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES], whole[MOST_BYTES];
static size_t bytes;

static void begin(void)
{
    cached_run_create(&run);
    support_make_directory(directory);
    support_path(path, directory, "features");
    bytes = cached_run_fill(&run, path, whole, MOST_BYTES);
    cr_assert_gt(bytes, FIRST_ROW);
}

static void end(void)
{
    support_remove_directory(directory);
    cached_run_destroy(&run);
}

TestSuite(damaged_cache, .init = begin, .fini = end, .timeout = 200);

/* The file is refused if it does not begin as a feature cache; a run that may go on without it does so. */
static void check(size_t count, bool begins, const char *what, size_t where)
{
    thaw_epoch_result epoch;
    support_write_file(path, whole, count);
    const thaw_status status = cached_run_train(&run, path, false, &epoch);
    cr_assert_eq(status, begins ? THAW_OK : THAW_BAD_FORMAT, "%s %zu: %s", what, where, thaw_status_name(status));
    if (!begins)
        assert_ok(run.context, cached_run_train(&run, path, true, &epoch));
    cr_assert(cached_run_is_plain(&run), "%s %zu: other weights", what, where);
    cr_assert_eq(epoch.cache_on_disk, begins, "%s %zu", what, where);
}

static void check_flip(size_t bit)
{
    whole[bit / 8] = (char)(whole[bit / 8] ^ 1 << bit % 8);
    check(bytes, bit >= 8 * MAGIC_BYTES, "bit", bit);
    whole[bit / 8] = (char)(whole[bit / 8] ^ 1 << bit % 8);
}

Test(damaged_cache, by_any_bit_of_its_header)
{
    for (size_t bit = 0; bit < 8 * HEADER_BYTES; bit++)
        check_flip(bit);
}

Test(damaged_cache, by_a_bit_of_its_rows)
{
    for (size_t bit = 8 * FIRST_ROW; bit < 8 * bytes; bit += 41)
        check_flip(bit);
}

Test(damaged_cache, by_a_cut)
{
    for (size_t count = 0; count < bytes; count += count < HEADER_BYTES || count % 64 == 0 ? 1 : 7)
        check(count, count == 0 || count >= MAGIC_BYTES, "cut to", count);
}
