/* What training gives, to the bit, beside what it gave when tests/golden/same_bits.txt was recorded. A change of code
   that should change no result changes none of these.

   A line of the file is "KEY DIGEST NAME": the key names what results may depend on besides the code, see
   same_bits_key. It was recorded by this program, with the environment variable THAW_SAME_BITS_RECORD set: that
   replaces the lines of the key at hand and keeps those of others. For the keys of fewer instructions, set
   ONEDNN_MAX_CPU_ISA as well. */
#include "support/same_bits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"

enum { LINE_BYTES = 256, FILE_BYTES = 1 << 20 };

/* The whole file, which the caller frees. */
static char *read_record(void)
{
    char path[SUPPORT_PATH_BYTES], *text = calloc(FILE_BYTES, 1);
    cr_assert_lt(support_read_file(support_golden(path, "same_bits.txt"), text, FILE_BYTES - 1), FILE_BYTES - 1);
    return text;
}

static bool has_key(const char *record, const char *key)
{
    char begin[SAME_BITS_KEY_BYTES + 2];
    snprintf(begin, sizeof begin, "\n%s ", key);
    return strncmp(record, begin + 1, strlen(begin) - 1) == 0 || strstr(record, begin) != NULL;
}

static void format_line(char line[LINE_BYTES], const char *key, const char *digest, const same_bits_run *run)
{
    snprintf(line, LINE_BYTES, "%s %s %s\n", key, digest, run->name);
}

static void check(const char *record, const char *key)
{
    char changed[4096] = "";
    size_t changes = 0;
    for (size_t i = 0; i < same_bits_run_count; i++) {
        char digest[SAME_BITS_DIGEST_BYTES], line[LINE_BYTES];
        if (!same_bits_train(&same_bits_runs[i], digest))
            continue;
        format_line(line, key, digest, &same_bits_runs[i]);
        if (strstr(record, line))
            continue;
        changes++;
        snprintf(changed + strlen(changed), sizeof changed - strlen(changed), "\n  %s", same_bits_runs[i].name);
    }
    cr_assert_eq(changes, 0, "%zu of %zu runs give other bits than recorded:%s", changes, same_bits_run_count, changed);
}

static void write_record(const char *record, const char *key)
{
    char path[SUPPORT_PATH_BYTES];
    FILE *file = fopen(support_golden(path, "same_bits.txt"), "w");
    cr_assert_not_null(file, "%s does not open", path);
    for (const char *line = record; *line; line = strchr(line, '\n') + 1)
        if (strncmp(line, key, strlen(key)) != 0 || line[strlen(key)] != ' ')
            fprintf(file, "%.*s\n", (int)strcspn(line, "\n"), line);
    for (size_t i = 0; i < same_bits_run_count; i++) {
        char digest[SAME_BITS_DIGEST_BYTES], line[LINE_BYTES];
        if (!same_bits_train(&same_bits_runs[i], digest))
            continue;
        format_line(line, key, digest, &same_bits_runs[i]);
        fputs(line, file);
    }
    cr_assert_eq(fclose(file), 0);
}

Test(same_bits, training_gives_what_was_recorded)
{
    char key[SAME_BITS_KEY_BYTES], *record = read_record();
    same_bits_key(key);
    if (getenv("THAW_SAME_BITS_RECORD"))
        write_record(record, key);
    else if (!has_key(record, key))
        cr_skip_test("nothing is recorded for %s: see tests/train/same_bits_test.c", key);
    else
        check(record, key);
    free(record);
}
