/* The feature cache of test data in a file, on ranks, and in runs that continue. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/ranks.h"
#include "train/tested_run.h"

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES], beside[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(path, directory, "run.features");
    support_path(beside, directory, "run.features.test");
}

static void end(void)
{
    support_remove_directory(directory);
}

TestSuite(test_cache_file, .init = begin, .fini = end);

enum { PROBE = 16 /* samples that are read for a file's key */ };

static void check_equal(const thaw_epoch_result *found, const thaw_epoch_result *wanted, int first)
{
    for (int epoch = first; epoch <= TESTED_EPOCHS; epoch++)
        cr_assert_eq(found[epoch].test_loss, wanted[epoch].test_loss, "epoch %d: %.17g, not %.17g", epoch,
                     found[epoch].test_loss, wanted[epoch].test_loss);
}

static void train_filed(tested_run *now, size_t reads)
{
    now->options.cache_file = path;
    tested_train(now);
    cr_assert_eq(now->reads, reads, "%zu samples were read, not %zu", now->reads, reads);
}

Test(test_cache_file, serves_the_next_run)
{
    tested_run plain = { 0 }, first = { 0 }, second = { 0 }, other = { .trainable = 0x10 };
    tested_train(&plain);
    train_filed(&first, PROBE + TESTED_COUNT);
    train_filed(&second, PROBE);
    cr_assert(second.results[1].test_cached && second.results[1].cached && !first.results[1].test_cached);
    check_equal(first.results, plain.results, 1);
    check_equal(second.results, plain.results, 1);
    train_filed(&other, PROBE + TESTED_COUNT); /* another prefix: the file is rebuilt */
    train_filed(&first, PROBE + TESTED_COUNT);
    check_equal(first.results, plain.results, 1);
}

/* The last row is damaged: the samples are read again, and the row is written again. */
Test(test_cache_file, reads_again_what_is_damaged)
{
    tested_run first = { 0 }, second = { 0 }, third = { 0 };
    train_filed(&first, PROBE + TESTED_COUNT);
    FILE *file = fopen(beside, "r+b");
    cr_assert_not_null(file);
    cr_assert_eq(fseek(file, -180, SEEK_END), 0);
    cr_assert_eq(fwrite("damage", 1, 6, file), 6);
    cr_assert_eq(fclose(file), 0);
    train_filed(&second, PROBE + TESTED_COUNT);
    train_filed(&third, PROBE);
    check_equal(second.results, first.results, 1);
    check_equal(third.results, first.results, 1);
}

Test(test_cache_file, leaves_a_foreign_file_alone)
{
    static const char foreign[] = "of another program";
    char warning[512] = "", found[64];
    tested_run now = { .warning = warning }, plain = { 0 };
    support_write_file(beside, foreign, sizeof foreign);
    tested_train(&plain);
    train_filed(&now, PROBE + (size_t)TESTED_EPOCHS * TESTED_COUNT);
    check_equal(now.results, plain.results, 1);
    cr_assert_not_null(strstr(warning, "run.features.test: exists and is not a feature cache"), "%s", warning);
    cr_assert_eq(support_read_file(beside, found, sizeof found), (long)sizeof foreign);
    cr_assert_str_eq(found, foreign);
}

/* The files' limit is for both: what the training data leave is too small. */
Test(test_cache_file, keeps_to_the_limit)
{
    enum { ROW = 192 /* of TESTED_ROW bytes with its checksum, aligned */, HEADER = 4096 };
    tested_run both = { .options = { .cache_file_bytes = 2 * HEADER + (TESTED_TRAINED + TESTED_COUNT) * ROW } };
    tested_run one = { .options = { .cache_file_bytes = both.options.cache_file_bytes - 1 } };
    train_filed(&both, PROBE + TESTED_COUNT);
    cr_assert_eq(remove(path), 0);
    cr_assert_eq(remove(beside), 0);
    train_filed(&one, (size_t)TESTED_EPOCHS * TESTED_COUNT);
    cr_assert(one.results[2].cached && !one.results[2].test_cached);
}

/* ---------------------------------------------------------------- continuing */

static void check_continues(const thaw_fit_options *options)
{
    static const size_t cuts[] = { 2, 3, 4, 6, 8, 13 };
    tested_run whole = { .options = *options };
    tested_train(&whole);
    for (size_t i = 0; i < THAW_COUNT(cuts); i++) {
        tested_run first = { .options = *options, .saved = path, .steps = cuts[i] };
        tested_run second = { .options = *options, .saved = path };
        tested_train(&first);
        tested_train(&second);
        check_equal(second.results, whole.results, (int)cuts[i] / 3 + 1);
    }
}

Test(test_cache_file, a_run_that_continues_agrees)
{
    check_continues(&(thaw_fit_options){ .cache_bytes = 1 << 20 });
    check_continues(&(thaw_fit_options){ .cache_bytes = 1 << 20, .average_decay = 0.9 });
}

/* ---------------------------------------------------------------- ranks */

static tested_run on_rank[MOST_RANKS];

static void train_rank(void *argument, const thaw_communicator *communicator)
{
    const thaw_fit_options *options = argument;
    on_rank[communicator->rank] = (tested_run){ .options = *options };
    tested_train_rank(&on_rank[communicator->rank], communicator);
}

/* Each reads its own part once. Of 4 ranks, one has no batch of the three. */
Test(test_cache_file, ranks_keep_their_parts)
{
    thaw_fit_options options = { .shards = 4, .cache_bytes = 1 << 20 };
    tested_run alone = { .options = options }, plain = { .options = { .shards = 4 } };
    tested_train(&alone);
    tested_train(&plain);
    check_equal(alone.results, plain.results, 1);
    for (int ranks = 2; ranks <= 4; ranks += 2) {
        size_t reads = 0, bytes = 0;
        run_ranks(ranks, train_rank, &options);
        for (int i = 0; i < ranks; i++) {
            check_equal(on_rank[i].results, alone.results, 1);
            reads += on_rank[i].reads;
            bytes += on_rank[i].results[TESTED_EPOCHS].test_cache_bytes;
        }
        cr_assert_eq(reads, TESTED_COUNT, "%d ranks read %zu samples", ranks, reads);
        cr_assert_eq(bytes, TESTED_COUNT * TESTED_ROW, "%d ranks keep %zu bytes", ranks, bytes);
    }
}
