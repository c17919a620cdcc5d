#include "support/command.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIDE = 28, CLASSES = 10, LINE_BYTES = 2048 };

/* Cuts a copy of the line into words; returns how many there are. */
static size_t split(char *copy, const char *const *variables, char **words)
{
    size_t count = 0;
    words[count++] = (char *)"thaw";
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        cr_assert_lt(count, SUPPORT_WORDS - 1);
        words[count++] = word[0] == '$' ? (char *)(uintptr_t)variables[word[1] - 'a'] : word;
    }
    words[count] = NULL;
    return count;
}

static void redirect(const char *directory, const char *name, int to)
{
    char path[SUPPORT_PATH_BYTES];
    const int file = open(support_path(path, directory, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || dup2(file, to) < 0)
        _exit(126);
    close(file);
}

pid_t support_command_start(const char *directory, const char *line, const char *const *variables, int output)
{
    const char *command = getenv("THAW_COMMAND");
    cr_assert_not_null(command, "THAW_COMMAND is not set");
    char copy[LINE_BYTES], *words[SUPPORT_WORDS];
    cr_assert_lt(snprintf(copy, sizeof copy, "%s", line), LINE_BYTES);
    split(copy, variables, words);
    fflush(NULL);
    const pid_t process = fork();
    cr_assert_geq(process, 0);
    if (process == 0) {
        redirect(directory, "output", STDOUT_FILENO);
        redirect(directory, "errors", STDERR_FILENO);
        if (output >= 0 && dup2(output, STDOUT_FILENO) < 0)
            _exit(126);
        execv(command, words);
        _exit(127);
    }
    return process;
}

static void read_text(const char *directory, const char *name, char *text)
{
    char path[SUPPORT_PATH_BYTES];
    memset(text, 0, SUPPORT_OUTPUT_BYTES);
    if (access(support_path(path, directory, name), F_OK) != 0)
        return; /* a process that was killed at once has not opened it */
    const long length = support_read_file(path, text, SUPPORT_OUTPUT_BYTES - 1);
    cr_assert(length >= 0 && length < SUPPORT_OUTPUT_BYTES, "%s: %ld bytes", path, length);
    unlink(path);
}

void support_command_finish(support_run *run, const char *directory, pid_t process)
{
    int status;
    cr_assert_eq(waitpid(process, &status, 0), process);
    run->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    read_text(directory, "output", run->output);
    read_text(directory, "errors", run->errors);
}

void support_command(support_run *run, const char *directory, const char *line, const char *const *variables)
{
    support_command_finish(run, directory, support_command_start(directory, line, variables, -1));
}

/* ---------------------------------------------------------------- JSON */

static int count_lines(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

void support_assert_says(const char *text, const char *wanted)
{
    cr_assert_not_null(strstr(text, wanted), "\"%s\" lacks \"%s\"", text, wanted);
}

json_t *support_json_line(const support_run *run, int index)
{
    const int lines = count_lines(run->output);
    int wanted = index < 0 ? lines + index : index;
    cr_assert(wanted >= 0 && wanted < lines, "no line %d in:\n%s%s", index, run->output, run->errors);
    const char *line = run->output;
    for (; wanted > 0; wanted--)
        line = strchr(line, '\n') + 1;
    json_error_t error;
    json_t *object = json_loadb(line, strcspn(line, "\n"), JSON_REJECT_DUPLICATES, &error);
    cr_assert(json_is_object(object), "%s: %s", error.text, line);
    return object;
}

double support_json_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    cr_assert(json_is_number(value), "%s is no number", key);
    return json_number_value(value);
}

/* ---------------------------------------------------------------- images */

/* A class is a bright bar of two rows at its own height, in front of noise. */
static void draw(uint8_t *image, size_t class, uint32_t *noise)
{
    for (size_t i = 0; i < SIDE * SIDE; i++) {
        *noise = *noise * 1664525 + 1013904223; /* Numerical Recipes' constants */
        const size_t row = i / SIDE;
        const bool bar = row >= 2 * class + 2 && row < 2 * class + 4;
        image[i] = (uint8_t)((bar ? 180 : 0) + (*noise >> 26));
    }
}

static void write_part(const char *directory, const char *name, size_t per_class, uint32_t noise)
{
    enum { HEADER = 16 };
    const uint32_t count = (uint32_t)(CLASSES * per_class);
    uint8_t *pixels = malloc(count * SIDE * SIDE), *labels = malloc(count);
    uint8_t *file = malloc(HEADER + count * SIDE * SIDE);
    cr_assert(pixels && labels && file);
    for (size_t i = 0; i < count; i++) {
        labels[i] = (uint8_t)(i % CLASSES);
        draw(pixels + i * SIDE * SIDE, labels[i], &noise);
    }
    char path[SUPPORT_PATH_BYTES], leaf[32];
    snprintf(leaf, sizeof leaf, "%s-images", name);
    size_t bytes = support_idx(file, 3, (const uint32_t[]){ count, SIDE, SIDE }, pixels);
    support_write_file(support_path(path, directory, leaf), file, bytes);
    snprintf(leaf, sizeof leaf, "%s-labels", name);
    bytes = support_idx(file, 1, &count, labels);
    support_write_file(support_path(path, directory, leaf), file, bytes);
    free(pixels);
    free(labels);
    free(file);
}

void support_write_images(const char *directory)
{
    write_part(directory, "train", SUPPORT_PER_CLASS, 1);
    write_part(directory, "test", SUPPORT_TEST_PER_CLASS, 2);
}
