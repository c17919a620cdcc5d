/* Processes that save weights to one path: killed at any moment, and two at once. The file is always whole. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "core/clock.h"
#include "support/files.h"
#include "support/holder.h"
#include "support/processes.h"
#include "support/support.h"

enum { KILLS = 30, SAVES = 200, FILE_BYTES = 1024 };

static thaw_context *context;
static thaw_model *model;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
static char files[2][FILE_BYTES]; /* what is saved: one or the other */
static long file_bytes;
static double seconds; /* of a save */

static void save(uint32_t seed)
{
    support_holder_fill(model, seed);
    const double before = thaw_seconds();
    assert_ok(context, thaw_weights_save(model, path));
    seconds = thaw_seconds() - before;
}

static void begin(void)
{
    context = support_context(1);
    model = support_holder(context);
    support_make_directory(directory);
    support_path(path, directory, "file.safetensors");
    for (uint32_t i = 0; i < 2; i++) {
        save(i);
        file_bytes = support_read_file(path, files[i], FILE_BYTES);
        cr_assert(file_bytes > 0 && file_bytes <= FILE_BYTES);
    }
    cr_assert_neq(memcmp(files[0], files[1], (size_t)file_bytes), 0);
}

static void end(void)
{
    support_remove_directory(directory);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Saves one file or the other in turn, and ends when a save fails. */
static int save_often(int first)
{
    for (uint32_t i = (uint32_t)first;; i++) {
        support_holder_fill(model, i % 2);
        if (thaw_weights_save(model, path) != THAW_OK)
            return 1;
    }
}

static int save_many(int first)
{
    for (int i = first; i < first + SAVES; i++) {
        support_holder_fill(model, (uint32_t)i % 2);
        if (thaw_weights_save(model, path) != THAW_OK)
            return 1;
    }
    return 0;
}

static void assert_whole(const char *when, int number)
{
    char now[FILE_BYTES];
    cr_assert_eq(support_read_file(path, now, FILE_BYTES), file_bytes, "%s %d: another length", when, number);
    cr_assert(memcmp(now, files[0], (size_t)file_bytes) == 0 || memcmp(now, files[1], (size_t)file_bytes) == 0,
              "%s %d: neither of the files", when, number);
}

Test(kills, leave_a_whole_file_and_the_next_save_nothing_else, .init = begin, .fini = end, .timeout = 100)
{
    int left = 0;
    srand(1);
    for (int i = 0; i < KILLS; i++) {
        const pid_t process = support_start(save_often, i);
        support_wait_seconds(4 * seconds * rand() / RAND_MAX);
        kill(process, SIGKILL);
        cr_assert_eq(support_finish(process), -SIGKILL, "kill %d: a save failed", i);
        assert_whole("kill", i);
        left += support_count_entries(directory) > 1;
        save((uint32_t)i % 2);
        assert_whole("save", i);
        cr_assert_eq(support_count_entries(directory), 1, "kill %d: something is left", i);
    }
    cr_assert_geq(left, 1, "no save was killed before its end");
}

Test(savers, of_one_path_do_not_mix, .init = begin, .fini = end, .timeout = 100)
{
    int running = 2, reads = 0;
    support_start(save_many, 0);
    support_start(save_many, 1);
    while (running > 0) {
        int status;
        assert_whole("read", reads++);
        if (waitpid(-1, &status, WNOHANG) <= 0)
            continue;
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a save failed");
        running--;
    }
    cr_assert_eq(support_count_entries(directory), 1, "something is left");
}
