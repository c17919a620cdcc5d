/* What the command does where its surroundings are hostile: closed streams, limits of the shell, files that must not be
   the same, names that are no text. Lines are run by sh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "support/support.h"

static char cache[SUPPORT_PATH_BYTES];

/* $thaw is the command, $data data for training and testing, $save and $cache files that are not there yet. */
static void begin(void)
{
    cli_begin();
    support_path(cache, cli_directory, "cache.features");
    setenv("thaw", getenv("THAW_COMMAND"), 1);
    setenv("data", cli_variables[0], 1);
    setenv("save", cli_variables[2], 1);
    setenv("cache", cache, 1);
}

static void end(void)
{
    cli_end();
}

/* Returns the exit code, 128 and the signal's number where one ended it; cli_run.errors are the errors. */
static int shell(const char *line)
{
    char errors[SUPPORT_PATH_BYTES], whole[4096];
    support_path(errors, cli_directory, "errors");
    cr_assert_lt(snprintf(whole, sizeof whole, "(%s) 2>%s", line, errors), (int)sizeof whole);
    fflush(NULL);
    const int status = system(whole);
    memset(cli_run.errors, 0, sizeof cli_run.errors);
    support_read_file(errors, cli_run.errors, sizeof cli_run.errors - 1);
    unlink(errors);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void assert_says(const char *text)
{
    cr_assert_not_null(strstr(cli_run.errors, text), "\"%s\" lacks \"%s\"", cli_run.errors, text);
}

#define FROZEN "train --model mlp-500 --data \"$data\" --freeze dense1 --batch 20 --threads 1 --epochs 2 "

/* ---- streams ---- */

Test(streams, closed_ones_take_no_file, .init = begin, .fini = end)
{
    char magic[9] = "";
    cr_assert_eq(shell("\"$thaw\" " FROZEN "--cache \"$cache\" --save \"$save\" >&-"), 1);
    assert_says("standard output: could not be written");
    cr_assert_geq(support_read_file(cache, magic, 8), 8);
    cr_assert_str_eq(magic, "THAWFEAT");
    cr_assert_eq(shell("\"$thaw\" " FROZEN "--cache \"$cache\" --json <&- >\"$save.lines\""), 0, "%s", cli_run.errors);
    cr_assert_eq(shell("grep -q '\"cached\":true' \"$save.lines\" && ! grep '\"cached\":false' \"$save.lines\" >&2"), 0,
                 "rows are gone: %s", cli_run.errors);
    cr_assert_eq(shell("\"$thaw\" evaluate --model mlp-500 --load \"$save\" --data \"$data\" --threads 1 >/dev/null"),
                 0, "%s", cli_run.errors);
}

/* Whatever is closed: no file of ours becomes one of the streams, so what was written is whole. */
Test(streams, any_may_be_closed, .init = begin, .fini = end, .timeout = 200)
{
    static const char *const commands[] = {
        FROZEN "--cache \"$cache\" --save \"$save\"",
        "bench --model mlp-500 --data \"$data\" --strategies full --seeds 1 --epochs 1 --threads 1 --report \"$cache.r\"",
        "report --input \"$cache.r/results.json\" --report \"$cache.s\"",
    };
    static const char *const checks[] = {
        "\"$thaw\" evaluate --model mlp-500 --load \"$save\" --data \"$data\" --threads 1 >/dev/null && "
        "test \"$(head -c 8 \"$cache\")\" = THAWFEAT && rm \"$cache\" \"$save\"",
        "python3 -m json.tool \"$cache.r/results.json\" >/dev/null && "
        "test \"$(tail -n 1 \"$cache.r/index.html\")\" = '</html>' && cp \"$cache.r/results.json\" \"$cache.kept\" && "
        "rm -r \"$cache.r\" && mkdir \"$cache.r\" && mv \"$cache.kept\" \"$cache.k\"",
        "test \"$(tail -n 1 \"$cache.s/index.html\")\" = '</html>' && rm -r \"$cache.s\"",
    };
    for (size_t k = 0; k < THAW_COUNT(commands); k++)
        for (unsigned closed = 0; closed < 8; closed++) {
            char line[1024];
            snprintf(line, sizeof line, "%s\"$thaw\" %s %s %s %s",
                     k == 2 ? "mkdir -p \"$cache.r\"; cp \"$cache.k\" \"$cache.r/results.json\"; " : "", commands[k],
                     closed & 1 ? "<&-" : "</dev/null", closed & 2 ? ">&-" : ">/dev/null", closed & 4 ? "2>&-" : "");
            const int code = shell(line);
            cr_assert(code == 0 || (code == 1 && closed & 2), "%s: %d: %s", line, code, cli_run.errors);
            cr_assert_eq(shell(checks[k]), 0, "%s: %s", line, cli_run.errors);
        }
    cr_assert_eq(shell("rm -r \"$cache.r\" \"$cache.k\""), 0, "%s", cli_run.errors);
}

Test(streams, a_full_one_is_an_error_of_help_too, .init = begin, .fini = end)
{
    cr_assert_eq(shell("\"$thaw\" train --help >/dev/full"), 1);
    assert_says("standard output: could not be written");
    cr_assert_eq(shell("\"$thaw\" --help >/dev/full"), 1);
    cr_assert_eq(shell("\"$thaw\" train --help >/dev/null"), 0);
}

/* ---- limits ---- */

Test(limits, a_file_size_that_is_too_small_for_the_weights, .init = begin, .fini = end)
{
    const size_t entries = support_count_entries(cli_directory);
    cr_assert_eq(shell("ulimit -f 100; \"$thaw\" " FROZEN "--cache off --save \"$save\" >/dev/null"), 1);
    assert_says("File too large");
    cr_assert_eq(support_count_entries(cli_directory), entries, "something is left");
}

Test(limits, a_file_size_that_is_too_small_for_the_cache_costs_the_cache, .init = begin, .fini = end)
{
    cr_assert_eq(shell("ulimit -f 50; \"$thaw\" " FROZEN "--cache \"$cache\" >/dev/null"), 0, "%s", cli_run.errors);
    assert_says("File too large; training goes on without");
}

/* ---- files ---- */

Test(files, weights_and_cache_must_not_be_one, .init = begin, .fini = end)
{
    cr_assert_eq(shell("\"$thaw\" " FROZEN "--cache \"$save\" --save \"$save\" >/dev/null"), 2);
    assert_says("--cache: ");
    assert_says("is the file of --save, too");
    cr_assert_eq(shell("cd \"${save%/*}\" && ln -s . here && \"$thaw\" " FROZEN
                       "--cache here/source.safetensors --save source.safetensors >/dev/null"),
                 2);
    cr_assert_eq(shell("rm \"${save%/*}/here\""), 0);
    cr_assert_eq(access(cli_variables[2], F_OK), -1, "a file was made");
    cr_assert_eq(shell("\"$thaw\" " FROZEN "--cache \"$cache\" --save \"$save\" >/dev/null"), 0, "%s", cli_run.errors);
    cr_assert_eq(shell("ln \"$cache\" \"$cache.2\" && \"$thaw\" " FROZEN
                       "--cache \"$cache\" --save \"$cache.2\" >/dev/null"),
                 2);
}

Test(files, good_weights_are_not_replaced_by_broken_ones, .init = begin, .fini = end)
{
    cr_assert_eq(shell("\"$thaw\" " FROZEN "--save \"$save\" >/dev/null && cp \"$save\" \"$save.kept\""), 0, "%s",
                 cli_run.errors);
    cr_assert_eq(shell("\"$thaw\" " FROZEN "--optimizer sgd:lr=1e39 --save \"$save\" >/dev/null"), 1);
    assert_says("step 1 made weights infinite or NaN");
    assert_says("of dense2.weight is ");
    cr_assert_eq(shell("cmp \"$save\" \"$save.kept\""), 0, "%s", cli_run.errors);
}

/* ---- texts ---- */

Test(texts, a_path_that_is_no_text_is_named_as_such, .init = begin, .fini = end)
{
    cr_assert_eq(shell("cd \"${save%/*}\" && d=$(printf 'x\\377') && ln -s . \"$d\" && "
                       "\"$thaw\" bench --model mlp-500 --strategies full --seeds 1 --threads 1 --report r "
                       "--data \"idx:$d/train-images,$d/train-labels;test=test-images,test-labels\" >/dev/null"),
                 2);
    assert_says("data is not UTF-8 text");
    cr_assert_eq(shell("cd \"${save%/*}\" && rm -r x* r"), 0, "%s", cli_run.errors);
}
