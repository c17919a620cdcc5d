/* The feature cache in a file: training gives the bits that it gives without one, whatever the file holds. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/filed_run.h"

enum { MOST_FILE = 1 << 16 };

TestSuite(cache_file, .init = filed_begin, .fini = filed_end);

/* ---- use ---- */

Test(cache_file, gives_the_bits_of_training_without_it)
{
    static const unsigned trainable[] = { 0x1C, 0x10, 0x12 };
    for (size_t i = 0; i < 3; i++) {
        const filed_setting told = { .file = filed_path, .trainable = trainable[i] };
        cr_assert_not(filed_check_equal(&told));
        filed_outcome again = filed_train(&told);
        for (int epoch = 1; epoch <= FILED_EPOCHS; epoch++)
            cr_assert(again.cached[epoch], "epoch %d of a second run was not cached", epoch);
        cr_assert(again.epoch_result.cache_on_disk);
        free(again.weights);
        cr_assert(filed_check_equal(&told));
    }
}

static void check_keys(bool bfloat16)
{
    filed_setting first = { .file = filed_path, .bfloat16 = bfloat16 }, other_weights = first, other_data = first,
                  other_cut = first, other_type = first;
    other_weights.shift = 1e-3F;
    other_data.data_seed = 6;
    other_cut.trainable = 0x18;
    other_type.bfloat16 = !bfloat16;
    cr_assert_not(filed_check_equal(&first));
    cr_assert_not(filed_check_equal(&other_weights));
    cr_assert(filed_check_equal(&other_weights));
    cr_assert_not(filed_check_equal(&other_data));
    cr_assert_not(filed_check_equal(&other_cut));
    cr_assert_not(filed_check_equal(&other_type));
    cr_assert_not(filed_check_equal(&first));
    cr_assert(filed_check_equal(&first));
}

Test(cache_file, is_not_believed_for_other_weights_data_or_types)
{
    check_keys(false);
    cr_assert_eq(unlink(filed_path), 0);
    check_keys(true);
}

Test(cache_file, makes_nothing_where_nothing_is_frozen)
{
    const filed_setting told = { .file = filed_path, .trainable = 0x1F };
    cr_assert_not(filed_check_equal(&told));
    cr_assert_neq(access(filed_path, F_OK), 0);
}

/* ---- damage ---- */

static long read_whole(char *content)
{
    const long length = support_read_file(filed_path, content, MOST_FILE);
    cr_assert(length > FILED_HEADER && length < MOST_FILE, "the file has %ld bytes", length);
    return length;
}

static void check_cuts(bool bfloat16)
{
    static char content[MOST_FILE];
    const filed_setting told = { .file = filed_path, .bfloat16 = bfloat16 };
    cr_assert_not(filed_check_equal(&told));
    const long length = read_whole(content);
    const long kept[] = { 0,          8,           40,        71, 72, FILED_HEADER - 1, FILED_HEADER, FILED_HEADER + 1,
                          length / 2, length - 65, length - 1 };
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i += bfloat16 ? 2 : 1) {
        support_write_file(filed_path, content, (size_t)kept[i]);
        filed_check_equal(&told);
        cr_assert(filed_check_equal(&told), "%ld bytes were not filled again", kept[i]);
    }
}

Test(cache_file, that_was_cut_short_is_filled_again)
{
    check_cuts(false);
    check_cuts(true);
}

/* A flipped bit in the header or in a row's used bytes makes the first epoch compute. */
static void check_flips(bool bfloat16)
{
    static char content[MOST_FILE];
    const filed_setting told = { .file = filed_path, .bfloat16 = bfloat16 };
    cr_assert_not(filed_check_equal(&told));
    const long length = read_whole(content);
    const long stride = (length - FILED_HEADER) / FILED_SAMPLES;
    const long used = 30 * (bfloat16 ? 2 : 4) + 4; /* features and a label */
    for (long flip = 0; flip < 24; flip += bfloat16 ? 3 : 1) {
        const long place = flip < 8 ? flip * 7 : FILED_HEADER + flip % FILED_SAMPLES * stride + flip * 5 % used;
        content[place] ^= (char)(1 << flip % 8);
        support_write_file(filed_path, content, (size_t)length);
        content[place] ^= (char)(1 << flip % 8);
        if (flip < 8 && place < 8) { /* the name of the format: the file may be anything */
            char message[512];
            filed_outcome refused;
            cr_assert_eq(filed_try(&told, &refused, message), THAW_BAD_FORMAT, "%s", message);
            free(refused.weights);
            continue;
        }
        cr_assert_not(filed_check_equal(&told), "byte %ld was believed", place);
        cr_assert(filed_check_equal(&told));
    }
}

Test(cache_file, of_which_a_bit_has_changed_is_filled_again)
{
    check_flips(false);
    check_flips(true);
}

static void check_places(bool bfloat16)
{
    static char content[MOST_FILE], row[MOST_FILE];
    const filed_setting told = { .file = filed_path, .bfloat16 = bfloat16 };
    cr_assert_not(filed_check_equal(&told));
    const long length = read_whole(content);
    const size_t stride = (size_t)(length - FILED_HEADER) / FILED_SAMPLES;
    memcpy(row, content + FILED_HEADER, stride);
    memcpy(content + FILED_HEADER, content + FILED_HEADER + 7 * stride, stride);
    memcpy(content + FILED_HEADER + 7 * stride, row, stride);
    support_write_file(filed_path, content, (size_t)length);
    cr_assert_not(filed_check_equal(&told));
}

Test(cache_file, rows_that_changed_places_are_not_believed)
{
    check_places(false);
    check_places(true);
}
