/* Names of files, folders, classes, strategies and modules that a terminal would obey, that break lines, that are no
   text, or that look like options or formulas: whatever the command prints is harmless, and --json stays JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "core/printable.h"
#include "data/folder_fixture.h"
#include "report/write.h"
#include "support/support.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz0123456789"

/* The last one has 255 bytes, the most that file systems allow. */
static const char *const names[] = {
    "=HYPERLINK(1)",
    "-name",
    "\x1B[2J\x1B]0;title\a",
    "one\nthaw: two\r",
    "\"quotes' `id` $(id) <b>&amp;\\",
    "turned\xE2\x80\xAEgnp",
    "\xFF\xFE\x9B",
    LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS LETTERS "123",
};

static char folder[SUPPORT_PATH_BYTES];

static void begin(void)
{
    cli_begin();
    folder_set_up();
}

static void end(void)
{
    folder_tear_down();
    support_remove_tree(cli_directory);
}

/* The names of a test are in a folder that is new for each of them. */
static const char *at(char path[SUPPORT_PATH_BYTES], const char *name)
{
    return support_path(path, folder, name);
}

static void make_folder(void)
{
    support_path(folder, cli_directory, "named");
    cr_assert_eq(mkdir(folder, 0777), 0);
}

/* Whether each line is printable and begins so. */
static void assert_lines(char *text, const char *beginning, const char *what)
{
    for (char *line = text, *next; *line; line = next) {
        next = strchr(line, '\n');
        cr_assert_not_null(next, "%s: %s", what, line);
        *next++ = '\0';
        cr_assert(thaw_is_printable(line), "%s: %s", what, line);
        cr_assert_eq(strncmp(line, beginning, strlen(beginning)), 0, "%s: %s", what, line);
    }
}

static void assert_json_lines(char *text, const char *what)
{
    for (char *line = text, *next; *line; line = next) {
        next = strchr(line, '\n');
        cr_assert_not_null(next, "%s: %s", what, line);
        *next++ = '\0';
        json_t *object = json_loads(line, 0, NULL);
        cr_assert(json_is_object(object), "%s: %s", what, line);
        json_decref(object);
    }
}

/* Runs it, without --json and with; returns the greatest exit code. `after` is done after each that ends well. */
static int run(const char *line, const char *const *variables, void (*after)(void))
{
    int code = 0;
    for (int json = 0; json < 2; json++) {
        char whole[1024];
        snprintf(whole, sizeof whole, "%s%s", line, json ? " --json" : "");
        support_command(&cli_run, cli_directory, whole, variables);
        cr_assert(cli_run.code >= 0 && cli_run.code <= 2, "%s: exit code %d", whole, cli_run.code);
        cr_assert(cli_run.code == 0 || *cli_run.errors, "%s: exit code %d, and no message", whole, cli_run.code);
        code = cli_run.code > code ? cli_run.code : code;
        assert_lines(cli_run.errors, "thaw: ", whole);
        if (json)
            assert_json_lines(cli_run.output, whole);
        else
            assert_lines(cli_run.output, "", whole);
        if (after && cli_run.code == 0)
            after();
    }
    return code;
}

static bool is_text(const char *name)
{
    return !strchr(name, '\xFF');
}

static bool is_long(const char *name)
{
    return strlen(name) > 200;
}

/* ---------------------------------------------------------------- files */

static void empty_folder(void)
{
    support_remove_tree(folder);
    make_folder();
}

Test(hostile_names, of_files_that_training_writes, .init = begin, .fini = end, .timeout = 200)
{
    static const char *const lines[] = {
        "train --model mlp-500 --data $a --threads 1 --save $b",
        "train --model mlp-500 --data $a --threads 1 --epochs 2 --best $b",
        "train --model mlp-500 --data $a --threads 1 --log $b",
        "train --model mlp-500 --data $a --threads 1 --checkpoint $b",
        "train --model mlp-500 --data $a --threads 1 --freeze dense1 --epochs 2 --cache $b",
        "train --model mlp-500 --data $a --optimizer sgd:lr=1e39 --save-broken $b"
    };
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        for (size_t k = 0; k < THAW_COUNT(lines); k++) {
            char path[SUPPORT_PATH_BYTES];
            make_folder();
            const int code = run(lines[k], (const char *const[]){ cli_variables[0], at(path, names[i]) }, empty_folder);
            cr_assert(code == 0 || is_long(names[i]) || k == 5, "%s: %s", lines[k], cli_run.errors);
            support_remove_tree(folder);
        }
}

Test(hostile_names, of_files_that_are_read, .init = begin, .fini = end, .timeout = 200)
{
    static const char *const lines[] = {
        "evaluate --model mlp-500 --data $a --load $b",
        "finetune --model mlp-500 --data $a --load $b",
        "train --model mlp-500 --data $a --strategy mine --strategy-file $b",
        "train --model mlp-500 --data $a --checkpoint $b --resume",
        "train --model mlp-500 --data $a --optimizer $b",
        "train --model $b --data $a",
        "train --model mlp-500 --data idx:$b,$b",
        "train --model mlp-500 --data $b",
        "train --model mlp-500 --data $a --test-data $c",
        "train --model mlp-500 --data $a --freeze $b --strategy $b",
        "train --model mlp-500 --data $a --freeze dense1 --cache $b",
    };
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        for (size_t k = 0; k < THAW_COUNT(lines); k++)
            for (int there = 0; there < 2; there++) {
                char path[SUPPORT_PATH_BYTES], data[SUPPORT_PATH_BYTES + 16], page[SUPPORT_PATH_BYTES];
                make_folder();
                if (there)
                    support_write_file(at(path, names[i]), "{\"none\": 1}\x1B[2J", 15);
                snprintf(data, sizeof data, "folder:%s", at(path, names[i]));
                const char *const variables[] = { cli_variables[0], path, data, at(page, "page") };
                run(lines[k], variables, NULL);
                support_remove_tree(folder);
            }
}

/* ---------------------------------------------------------------- folders of images */

Test(hostile_names, of_classes_and_images, .init = begin, .fini = end, .timeout = 200)
{
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        char place[2 * SUPPORT_PATH_BYTES], description[2 * SUPPORT_PATH_BYTES];
        snprintf(place, sizeof place, "set%zu/%s/%s", i, names[i], is_long(names[i]) ? "image" : names[i]);
        folder_put_image(place, 50);
        snprintf(place, sizeof place, "set%zu/%s/whole", i, names[i]);
        folder_put_image(place, 55);
        snprintf(place, sizeof place, "set%zu/%s/broken", i, names[i]);
        folder_put_text(place, "no image");
        snprintf(place, sizeof place, "set%zu/other/%s", i, names[i]);
        folder_put_text(place, "no image");
        snprintf(place, sizeof place, "set%zu/other/whole", i);
        folder_put_image(place, 200);
        snprintf(description, sizeof description, "folder:%s/set%zu;size=28;channels=1;val=0", folder_path, i);
        const char *const variables[] = { description };
        const int code = run("train --model transfer-cnn --data $a --batch 2 --threads 1", variables, NULL);
        cr_assert(code == 0 || !is_text(names[i]), "%s", cli_run.errors);
    }
}

/* ---------------------------------------------------------------- comparisons */

static char strategies[SUPPORT_PATH_BYTES], report[SUPPORT_PATH_BYTES];

static void write_strategy(const char *name)
{
    json_t *file = json_pack("{s[{sss[]}]}", "strategies", "name", name, "rules");
    cr_assert_eq(json_dump_file(file, strategies, 0), 0);
    json_decref(file);
}

static void check_table(const char *what)
{
    static char text[1 << 16];
    char path[SUPPORT_PATH_BYTES];
    const long bytes = support_read_file(support_path(path, report, "results.csv"), text, sizeof text - 1);
    cr_assert_gt(bytes, 0, "%s", what);
    text[bytes] = '\0';
    for (const char *field = strtok(text, ",\n"); field; field = strtok(NULL, ",\n")) {
        if (strcmp(field, "\r") == 0) /* the last field of this line is empty */
            continue;
        const char *first = *field == '"' ? field + 1 : field;
        cr_assert(!strchr("=@\t\r", *first), "%s: %s", what, field);
        cr_assert(*first != '-' || strtod(first, NULL) != 0, "%s: %s", what, field);
        cr_assert_null(strchr(field, '\x1B'), "%s", what);
    }
}

static void check_page(const char *what)
{
    static char text[1 << 21];
    char path[SUPPORT_PATH_BYTES];
    const long bytes = support_read_file(support_path(path, report, "index.html"), text, sizeof text - 1);
    cr_assert(bytes > 0 && bytes < (long)sizeof text, "%s", what);
    text[bytes] = '\0';
    cr_assert_null(strstr(text, "<b>&amp;"), "%s", what);
    cr_assert_null(strchr(text, '\x1B'), "%s", what);
}

/* What was written is what a spreadsheet, a browser and a JSON reader may open. */
static void check_report(void)
{
    char path[SUPPORT_PATH_BYTES];
    json_t *results = json_load_file(support_path(path, report, "results.json"), 0, NULL);
    cr_assert_not_null(results);
    json_decref(results);
    check_table(report);
    check_page(report);
    support_remove_tree(report);
}

#define BENCH "bench --model mlp-500 --data $a --threads 1 --seeds 1 --batch 16 --report $b "

Test(hostile_names, of_strategies_and_reports, .init = begin, .fini = end, .timeout = 200)
{
    support_path(strategies, cli_directory, "strategies.json");
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        const bool named = thaw_is_printable(names[i]) && !strchr(names[i], ' ');
        make_folder();
        at(report, names[i]);
        const char *const variables[] = { cli_variables[0], report, strategies, named ? names[i] : "full" };
        const int code =
            run(BENCH "--strategies $d", (const char *const[]){ variables[0], report, NULL, "full" }, check_report);
        cr_assert(code == 0 || is_long(names[i]) || !is_text(names[i]), "%s", cli_run.errors);
        if (is_text(names[i])) {
            write_strategy(names[i]);
            const int accepted = run(BENCH "--strategies $d --strategy-file $c", variables, check_report);
            cr_assert_eq(accepted == 0, named, "\"%s\": %d: %s", names[i], accepted, cli_run.errors);
        }
        support_remove_tree(folder);
    }
}

/* ---------------------------------------------------------------- the page alone, and the command line itself */

static void run_plain(const char *line, const char *const *variables)
{
    support_command(&cli_run, cli_directory, line, variables);
    cr_assert(cli_run.code >= 0 && cli_run.code <= 2, "%s: exit code %d", line, cli_run.code);
    cr_assert(cli_run.code == 0 || *cli_run.errors, "%s", line);
    assert_lines(cli_run.errors, "", line);
    assert_lines(cli_run.output, "", line);
}

Test(hostile_names, of_measurements_and_words, .init = begin, .fini = end, .timeout = 60)
{
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        char path[SUPPORT_PATH_BYTES], page[SUPPORT_PATH_BYTES], option[512];
        make_folder();
        json_t *one = json_pack("{sssssssssssssisfsf}", "schema", THAW_MEASUREMENT_SCHEMA, "benchmark", "b", "title",
                                "t", "setting", "s", "what", is_text(names[i]) ? names[i] : "w", "processor", "p",
                                "threads", 2, "size", 3.0, "seconds", 0.5);
        cr_assert_eq(json_dump_file(one, at(path, names[i]), 0), 0);
        json_decref(one);
        snprintf(option, sizeof option, "--%s", names[i]);
        const char *const variables[] = { path, at(page, "page"), names[i], option };
        run_plain("report --input $a --report $b", variables);
        cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
        snprintf(report, sizeof report, "%s", page);
        check_page(path);
        run_plain("train $c", variables);
        run_plain("$c --json", variables);
        run_plain("evaluate $d", variables);
        run_plain("train --model mlp-500 --data fashion-mnist $d", variables);
        support_remove_tree(folder);
    }
}
