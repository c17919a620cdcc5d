/* The journal of a comparison by itself: what it accepts, and who may have it. */
#include "compare/journal.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/files.h"
#include "support/support.h"

enum { MOST_BYTES = 4096 };

/* Checksums by a CRC-32C of a few lines of Python, masked as TFRecord's. */
static const char GOLDEN[] = "3017b318 {\"schema\":\"x\"}\n"
                             "988adf69 {\"seed\":1}\n"
                             "334054f3 {\"seed\":2,\"loss\":0.25}\n";
enum { GOLDEN_BYTES = sizeof GOLDEN - 1, LINES = 3 };

static thaw_context *context;
static char directory[SUPPORT_PATH_BYTES], results[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    context = support_context(1);
    support_make_directory(directory);
    support_path(results, directory, "results.json");
    support_path(path, directory, "results.json.journal");
}

static void end(void)
{
    thaw_context_destroy(context);
    support_remove_directory(directory);
}

/* The number of lines that are read from this content; they must be the golden ones. */
static size_t count_read(const char *text, size_t bytes)
{
    thaw_journal journal;
    json_t *lines;
    support_write_file(path, text, bytes);
    assert_ok(context, thaw_journal_open(context, results, &journal));
    cr_assert_eq(journal.held, bytes > 0);
    assert_ok(context, thaw_journal_read(&journal, &lines));
    const size_t count = json_array_size(lines);
    cr_assert_leq(count, LINES);
    const char *line = GOLDEN;
    for (size_t i = 0; i < count; i++) {
        char *dump = json_dumps(json_array_get(lines, i), JSON_COMPACT);
        cr_assert_eq(strncmp(dump, line + 9, strcspn(line + 9, "\n")), 0, "%s", dump);
        free(dump);
        line = strchr(line, '\n') + 1;
    }
    json_decref(lines);
    thaw_journal_close(&journal);
    return count;
}

/* Lines of the golden text that end before this byte. */
static size_t lines_before(size_t byte)
{
    size_t count = 0;
    for (size_t i = 0; i < byte; i++)
        count += GOLDEN[i] == '\n';
    return count;
}

Test(journal, is_written_as_it_always_was, .init = begin, .fini = end)
{
    thaw_journal journal;
    char text[MOST_BYTES] = "";
    json_t *head = json_pack("{ss}", "schema", "x"), *one = json_pack("{si}", "seed", 1);
    json_t *other = json_pack("{sisf}", "seed", 2, "loss", 0.25);
    assert_ok(context, thaw_journal_open(context, results, &journal));
    assert_ok(context, thaw_journal_begin(&journal, head));
    for (int round = 0; round < 2; round++) { /* after it was cleared, too */
        assert_ok(context, thaw_journal_append(&journal, one));
        assert_ok(context, thaw_journal_append(&journal, other));
        cr_assert_eq(support_read_file(path, text, sizeof text - 1), GOLDEN_BYTES);
        cr_assert_str_eq(text, GOLDEN);
        assert_ok(context, thaw_journal_clear(&journal));
    }
    assert_ok(context, thaw_journal_empty(&journal));
    thaw_journal_close(&journal);
    cr_assert_neq(access(path, F_OK), 0, "an empty one goes");
    json_decref(head);
    json_decref(one);
    json_decref(other);
}

Test(journal, accepts_no_changed_byte, .init = begin, .fini = end)
{
    cr_assert_eq(count_read(GOLDEN, GOLDEN_BYTES), LINES);
    for (size_t i = 0; i < GOLDEN_BYTES; i++)
        for (int bit = 0; bit < 8; bit++) {
            char text[GOLDEN_BYTES + 1];
            memcpy(text, GOLDEN, sizeof text);
            text[i] = (char)(text[i] ^ 1 << bit);
            cr_assert_eq(count_read(text, GOLDEN_BYTES), lines_before(i), "bit %d of byte %zu", bit, i);
        }
}

Test(journal, keeps_the_whole_lines_of_one_that_was_cut, .init = begin, .fini = end)
{
    for (size_t bytes = 0; bytes <= GOLDEN_BYTES; bytes++)
        cr_assert_eq(count_read(GOLDEN, bytes), lines_before(bytes), "%zu bytes", bytes);
}

Test(journal, accepts_no_line_in_anothers_place, .init = begin, .fini = end)
{
    char text[MOST_BYTES];
    const size_t first = strcspn(GOLDEN, "\n") + 1, second = strcspn(GOLDEN + first, "\n") + 1;
    const size_t third = GOLDEN_BYTES - first - second;
    cr_assert_eq(count_read(GOLDEN + first, second + third), 0, "without its head");
    memcpy(text, GOLDEN, first);
    memcpy(text + first, GOLDEN + first + second, third);
    cr_assert_eq(count_read(text, first + third), 1, "a line is missing");
    memcpy(text + first + third, GOLDEN + first, second);
    cr_assert_eq(count_read(text, GOLDEN_BYTES), 1, "two are exchanged");
    memcpy(text, GOLDEN, first + second);
    memcpy(text + first + second, GOLDEN + first, second);
    cr_assert_eq(count_read(text, first + 2 * second), 2, "one stands there twice");
}

/* ---------------------------------------------------------------- the lock */

static void open_and_exit(void)
{
    thaw_journal journal;
    const thaw_status status = thaw_journal_open(context, results, &journal);
    const bool told = strstr(thaw_context_message(context), "results.json.journal: another run is writing") != NULL;
    _exit(status == THAW_OK ? 0 : status == THAW_IO_ERROR && told ? 1 : 2);
}

static int code_of_another_process(void)
{
    int status;
    const pid_t process = fork();
    if (process == 0)
        open_and_exit();
    cr_assert_eq(waitpid(process, &status, 0), process);
    cr_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

Test(journal, belongs_to_one, .init = begin, .fini = end)
{
    thaw_journal journal, second;
    assert_ok(context, thaw_journal_open(context, results, &journal));
    cr_assert_eq(code_of_another_process(), 1);
    assert_fails(context, thaw_journal_open(context, results, &second), THAW_IO_ERROR, "another run is writing");
    cr_assert_eq(access(path, F_OK), 0, "who is refused removes nothing");
    thaw_journal_close(&journal);
    cr_assert_eq(code_of_another_process(), 0, "and it is free again, though that process ended without a word");
}

Test(journal, follows_no_link_and_waits_for_nothing, .init = begin, .fini = end, .timeout = 20)
{
    thaw_journal journal;
    char target[SUPPORT_PATH_BYTES], text[8] = "";
    support_path(target, directory, "precious");
    cr_assert_eq(symlink("precious", path), 0);
    assert_fails(context, thaw_journal_open(context, results, &journal), THAW_IO_ERROR, "Too many levels of symbolic");
    cr_assert_neq(access(target, F_OK), 0, "the link was followed");
    support_write_file(target, "keep me", 7);
    assert_fails(context, thaw_journal_open(context, results, &journal), THAW_IO_ERROR, "Too many levels of symbolic");
    cr_assert_eq(support_read_file(target, text, 7), 7);
    cr_assert_str_eq(text, "keep me");
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkfifo(path, 0600), 0);
    assert_fails(context, thaw_journal_open(context, results, &journal), THAW_IO_ERROR, "is not a regular file");
}
