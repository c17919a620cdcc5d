/* Figures by class of thaw evaluate, against what follows from the answers of thaw predict to the same images. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "cli/photos.h"
#include "support/support.h"

enum { IMAGES = 33, CLASSES = 3 };

static char table[SUPPORT_PATH_BYTES], absent[SUPPORT_PATH_BYTES]; /* a file to write is $d, one in no folder $e */

/* One name is a spreadsheet's formula. In the order of classes. */
static const char *const names[CLASSES] = { "=cmd", "dark", "grey" };

static int labels[IMAGES];
static double probabilities[IMAGES][CLASSES];

/* Images that are hard to tell apart, in classes of different sizes, and a network that was hardly trained. */
static void begin(void)
{
    folder_set_up();
    for (int i = 0; i < IMAGES; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/%s/%02d", names[i % 5 % CLASSES], i);
        folder_put_image(name, (i * 37 + i % 5 % CLASSES * 60) % 256);
    }
    photos_variables[3] = folder_join(table, "table.csv");
    photos_variables[4] = folder_join(absent, "nowhere/table.csv");
    photos_begin("");
    photos_command("train --model transfer-cnn --data $a --batch 8 --epochs 3 --threads 1 --save $b", 0);
}

TestSuite(by_class, .init = begin, .fini = folder_tear_down);

static void ask(void)
{
    photos_command("predict --load $b --top 9 --threads 1 --json $c", 0);
    for (int i = 0; i < IMAGES; i++) {
        json_t *line = support_json_line(&photos_run, i);
        const char *path = json_string_value(json_object_get(line, "path"));
        const json_t *classes = json_object_get(line, "classes");
        for (int k = 0; k < CLASSES; k++) {
            const json_t *entry = json_array_get(classes, (size_t)k);
            char folder[64];
            snprintf(folder, sizeof folder, "/%s/", names[k]);
            labels[i] = strstr(path, folder) ? k : labels[i];
            probabilities[i][(int)support_json_number(entry, "class")] = support_json_number(entry, "probability");
        }
        json_decref(line);
    }
}

static int answer_to(int image)
{
    int best = 0;
    for (int k = 1; k < CLASSES; k++)
        best = probabilities[image][k] > probabilities[image][best] ? k : best;
    return best;
}

/* By all pairs. */
static double area(int class)
{
    double wins = 0, pairs = 0;
    for (int i = 0; i < IMAGES; i++)
        for (int k = 0; k < IMAGES; k++)
            if (labels[i] == class && labels[k] != class) {
                const double own = probabilities[i][class], other = probabilities[k][class];
                wins += own > other ? 1 : own == other ? 0.5 : 0;
                pairs++;
            }
    return wins / pairs;
}

static void count_answers(int counts[CLASSES][CLASSES])
{
    memset(counts, 0, sizeof(int[CLASSES][CLASSES]));
    for (int i = 0; i < IMAGES; i++)
        counts[labels[i]][answer_to(i)]++;
}

static void assert_number(const json_t *object, const char *key, double wanted)
{
    cr_assert_float_eq(support_json_number(object, key), wanted, 1e-8, "%s: %.9g, wanted %.9g", key,
                       support_json_number(object, key), wanted);
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : 0;
}

/* Asserts the line of a class, and returns its F1. */
static double assert_class(const json_t *line, int class, int counts[CLASSES][CLASSES])
{
    double support = 0, told = 0;
    const double right = counts[class][class];
    for (int k = 0; k < CLASSES; k++) {
        support += counts[class][k];
        told += counts[k][class];
    }
    const double precision = ratio(right, told), recall = ratio(right, support);
    cli_assert_event(line, "class");
    cr_assert_str_eq(json_string_value(json_object_get(line, "name")), names[class]);
    assert_number(line, "precision", precision);
    assert_number(line, "recall", recall);
    assert_number(line, "f1", ratio(2 * precision * recall, precision + recall));
    assert_number(line, "samples", support);
    assert_number(line, "predicted", told);
    assert_number(line, "correct", right);
    assert_number(line, "roc_auc", area(class));
    return ratio(2 * precision * recall, precision + recall);
}

Test(by_class, follow_from_the_answers_of_predict)
{
    int counts[CLASSES][CLASSES];
    double f1 = 0, areas = 0;
    ask();
    count_answers(counts);
    photos_command("evaluate --load $b --data $a --per-class --confusion --threads 1 --batch 7 --json", 0);
    for (int i = 0; i < CLASSES; i++) {
        json_t *line = support_json_line(&photos_run, 1 + i);
        f1 += assert_class(line, i, counts) / CLASSES;
        areas += area(i) / CLASSES;
        json_decref(line);
    }
    json_t *all = support_json_line(&photos_run, 0), *matrix = support_json_line(&photos_run, -1);
    assert_number(json_object_get(all, "macro"), "f1", f1);
    assert_number(all, "roc_auc", areas);
    assert_number(all, "top5_accuracy", 1);
    cli_assert_event(matrix, "confusion");
    for (size_t i = 0; i < CLASSES; i++) {
        cr_assert_str_eq(json_string_value(json_array_get(json_object_get(matrix, "names"), i)), names[i]);
        for (size_t k = 0; k < CLASSES; k++)
            cr_assert_eq(json_integer_value(json_array_get(json_array_get(json_object_get(matrix, "counts"), i), k)),
                         counts[i][k]);
    }
    json_decref(all);
    json_decref(matrix);
    cr_assert(areas > 0.2 && areas < 0.9999, "the test would see little: %g", areas);
}

Test(by_class, stand_in_aligned_tables)
{
    int counts[CLASSES][CLASSES];
    char row[256];
    ask();
    count_answers(counts);
    photos_command("evaluate --load $b --data $a --per-class --confusion --threads 1", 0);
    support_assert_says(photos_run.output, "\nclass          precision     recall         F1   ROC AUC   samples\n");
    for (int i = 0; i < CLASSES; i++) {
        snprintf(row, sizeof row, "\n%-4s", names[i]);
        for (int k = 0; k < CLASSES; k++) {
            char cell[16] = ".";
            if (counts[i][k])
                snprintf(cell, sizeof cell, "%d", counts[i][k]);
            snprintf(row + strlen(row), sizeof row - strlen(row), " %4s", cell);
        }
        strncat(row, "\n", 2);
        support_assert_says(photos_run.output, row);
    }
    photos_command("evaluate --load $b --data $a --threads 1", 0);
    cr_assert_null(strstr(photos_run.output, "ROC"), "%s", photos_run.output);
}

Test(by_class, are_written_as_csv)
{
    char content[4096], row[64];
    int counts[CLASSES][CLASSES];
    ask();
    count_answers(counts);
    photos_command("evaluate --load $b --data $a --csv $d --threads 1", 0);
    support_assert_says(photos_run.output, "table.csv\n");
    const long count = support_read_file(table, content, sizeof content - 1);
    cr_assert_gt(count, 0);
    content[count] = '\0';
    support_assert_says(content, "class,name,precision,recall,f1,roc_auc,samples,predicted,correct,"
                                 "\"as =cmd\",\"as dark\",\"as grey\"\r\n0,\"'=cmd\",");
    for (int i = 0; i < CLASSES; i++) {
        snprintf(row, sizeof row, ",%d,%d,%d,%d\r\n", counts[i][i], counts[i][0], counts[i][1], counts[i][2]);
        support_assert_says(content, row);
    }
    photos_command("evaluate --load $b --data $a --csv $e --threads 1", 1);
    support_assert_says(photos_run.errors, "thaw: --csv: ");
    cr_assert_str_empty(photos_run.output);
    photos_command("predict --load $b --csv $d $c", 2);
}

Test(by_class, are_written_as_a_page)
{
    static char content[1 << 17];
    int counts[CLASSES][CLASSES];
    char cell[128];
    ask();
    count_answers(counts);
    photos_command("evaluate --load $b --data $a --html $d --threads 1 --json", 0);
    const long count = support_read_file(table, content, sizeof content - 1);
    cr_assert_gt(count, 0);
    content[count] = '\0';
    for (int i = 0; i < CLASSES; i++) {
        const int samples = counts[i][0] + counts[i][1] + counts[i][2];
        snprintf(cell, sizeof cell, "title=\"%s told right: %d of %d samples", names[i], counts[i][i], samples);
        support_assert_says(content, cell);
    }
    photos_command("evaluate --load $b --data $a --html $e --threads 1", 1);
    support_assert_says(photos_run.errors, "thaw: --html: ");
}

Test(by_class, give_the_most_frequent_confusions_of_a_wide_matrix)
{
    enum { MANY = 40 };
    for (int i = 0; i < MANY; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/class %02d with a long name/%d", i, i);
        folder_put_image(name, 6 * i);
    }
    photos_command("train --model transfer-cnn --data $a --batch 8 --epochs 1 --threads 1 --save $b", 0);
    photos_command("evaluate --load $b --data $a --confusion --threads 1", 0);
    support_assert_says(photos_run.output, "The confusion matrix of 43 classes is too wide");
    support_assert_says(photos_run.output, "\nMost frequent confusions:\n");
    support_assert_says(photos_run.output,
                        "\nclass                      taken for                   samples   of class\n");
    support_assert_says(photos_run.output, "   100.00 %\n");
}
