/* A checkpoint that is cut after any byte, or has any bit changed, is refused as damaged, and changes nothing. */
#include <string.h>
#include <unistd.h>

#include "support/files.h"
#include "support/small_run.h"

enum { MOST_BYTES = 16384 };

static small_run run;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES], bytes[MOST_BYTES], changed[SUPPORT_PATH_BYTES];
static size_t count;
static int memory;
static float weights[SMALL_RUN_FLOATS];

static void begin(void)
{
    support_make_directory(directory);
    support_path(path, directory, "run.safetensors");
    small_run_open(&run, NULL, false);
    small_run_step(&run, 3);
    assert_ok(run.context, thaw_trainer_save(run.trainer, path));
    const long length = support_read_file(path, bytes, MOST_BYTES);
    cr_assert(length > 100 && length <= MOST_BYTES, "%ld bytes", length);
    count = (size_t)length;
    memory = support_memory_file(changed, bytes, count);
    small_run_step(&run, 1);
    small_run_weights(&run, weights);
}

static void end(void)
{
    close(memory);
    small_run_close(&run);
    support_remove_directory(directory);
}

TestSuite(checkpoint_damage, .init = begin, .fini = end);

static void assert_refused(const char *what, size_t at)
{
    float now[SMALL_RUN_FLOATS];
    const thaw_status status = thaw_trainer_load(run.trainer, changed);
    cr_assert_eq(status, THAW_BAD_FORMAT, "%s %zu of %zu: %s: %s", what, at, count, thaw_status_name(status),
                 thaw_context_message(run.context));
    small_run_weights(&run, now);
    cr_assert_eq(memcmp(now, weights, sizeof now), 0, "%s %zu: the weights have changed", what, at);
    cr_assert_eq(thaw_trainer_position_of(run.trainer).all_steps, 4);
}

Test(checkpoint_damage, cut_after_any_byte)
{
    for (size_t length = count; length-- > 0;) {
        cr_assert_eq(ftruncate(memory, (off_t)length), 0);
        assert_refused("cut after byte", length);
    }
}

static void flip(size_t at, int bit)
{
    const char other = (char)(bytes[at] ^ 1 << bit);
    cr_assert_eq(pwrite(memory, &other, 1, (off_t)at), 1);
    assert_refused("a bit of byte", at);
    cr_assert_eq(pwrite(memory, &bytes[at], 1, (off_t)at), 1);
}

Test(checkpoint_damage, any_bit_of_the_header)
{
    uint64_t header;
    memcpy(&header, bytes, sizeof header);
    for (size_t at = 0; at < header + sizeof header; at++)
        for (int bit = 0; bit < 8; bit++)
            flip(at, bit);
    assert_ok(run.context, thaw_trainer_load(run.trainer, changed));
}

Test(checkpoint_damage, a_bit_of_any_byte)
{
    for (size_t at = 0; at < count; at++)
        flip(at, (int)(at % 8));
    assert_ok(run.context, thaw_trainer_load(run.trainer, changed));
    cr_assert_eq(thaw_trainer_position_of(run.trainer).all_steps, 3);
}
