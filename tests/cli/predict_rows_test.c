/* thaw predict on rows of tables and arrays, against thaw evaluate and the known targets. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fixture.h"
#include "support/support.h"

enum { ROWS = 120 };

static char table[SUPPORT_PATH_BYTES], fresh[SUPPORT_PATH_BYTES], weights[SUPPORT_PATH_BYTES],
    answers[SUPPORT_PATH_BYTES];
static const char *const variables[] = { table, fresh, weights, answers };
static support_run run;

static void command(const char *line, int code)
{
    support_command(&run, cli_directory, line, variables);
    cr_assert_eq(run.code, code, "%s: %d: %s", line, run.code, run.errors);
}

static double size_of(int row)
{
    return (row * 37 % 100) / 50.0 - 1;
}

static bool is_up(int row)
{
    return row * 7 % 3 == 0;
}

static double price_of(int row)
{
    return 200000 + 40000 * size_of(row) + 10000 * is_up(row);
}

/* $a: all columns. $b: no targets, columns in another order, and one more. */
static void begin(void)
{
    static char text[20000], other[20000];
    cli_begin();
    size_t at = (size_t)sprintf(text, "size,way,price,p,q\n"), to = (size_t)sprintf(other, "way,id,size\n");
    for (int i = 0; i < ROWS; i++) {
        const char *way = is_up(i) ? "up" : "down";
        at += (size_t)sprintf(text + at, "%g,%s,%.9g,%d,%d\n", size_of(i), way, price_of(i), size_of(i) > 0, is_up(i));
        to += (size_t)sprintf(other + to, "%s,%d,%g\n", way, i, size_of(i));
    }
    support_write_file(support_path(table, cli_directory, "table.csv"), text, at);
    support_write_file(support_path(fresh, cli_directory, "fresh.csv"), other, to);
    support_path(weights, cli_directory, "weights");
    support_path(answers, cli_directory, "answers.csv");
}

static void end(void)
{
    support_remove_tree(cli_directory);
}

TestSuite(predict_rows, .init = begin, .fini = end);

static void train(const char *options)
{
    char line[4 * SUPPORT_PATH_BYTES];
    snprintf(line, sizeof line,
             "train --model mlp:hidden=16 --data csv:%s;%s --lr 0.02 --epochs 30 --batch 16 --threads 1 --save $c",
             table, options);
    command(line, 0);
}

static json_t *entry(int row, const char *list, size_t index)
{
    json_t *line = support_json_line(&run, row);
    cli_assert_event(line, "prediction");
    cr_assert_eq((int)support_json_number(line, "row"), row + 1);
    cr_assert_eq((int)support_json_number(line, "line"), row + 2);
    json_t *found = json_incref(json_array_get(json_object_get(line, list), index));
    json_decref(line);
    return found;
}

Test(predict_rows, numbers_are_in_the_units_of_the_targets)
{
    double squared = 0;
    train("label=price;skip=p,q");
    command("predict --load $c $b --json --batch 7 --threads 1", 0);
    for (int i = 0; i < ROWS; i++) {
        json_t *one = entry(i, "numbers", 0);
        cr_assert_str_eq(json_string_value(json_object_get(one, "name")), "price");
        const double error = support_json_number(one, "value") - price_of(i);
        squared += error * error / ROWS;
        json_decref(one);
    }
    char line[2 * SUPPORT_PATH_BYTES];
    snprintf(line, sizeof line, "evaluate --load $c --data csv:%s --threads 1 --json", table);
    command(line, 0);
    json_t *evaluation = support_json_line(&run, 0);
    cr_assert_float_eq(squared / support_json_number(evaluation, "loss"), 1, 1e-4);
    cr_assert_lt(sqrt(squared), 10000);
    json_decref(evaluation);
}

/* What the last layer computes is the predicted number, standardised: prices are on a line over vectors. */
Test(predict_rows, rows_become_vectors)
{
    static double prices[ROWS], vectors[ROWS];
    train("label=price;skip=p,q");
    command("predict --load $c $b --json --threads 1", 0);
    for (int i = 0; i < ROWS; i++) {
        json_t *one = entry(i, "numbers", 0);
        prices[i] = support_json_number(one, "value");
        json_decref(one);
    }
    command("embed --load $c --layer head --json --batch 7 --threads 1 $b", 0);
    for (int i = 0; i < ROWS; i++) {
        json_t *line = support_json_line(&run, i);
        cli_assert_event(line, "embedding");
        cr_assert_eq((int)support_json_number(line, "row"), i + 1);
        cr_assert_eq((int)support_json_number(line, "line"), i + 2);
        vectors[i] = json_real_value(json_array_get(json_object_get(line, "vector"), 0));
        json_decref(line);
    }
    const double slope = (prices[1] - prices[0]) / (vectors[1] - vectors[0]);
    for (int i = 0; i < ROWS; i++)
        cr_assert_float_eq(prices[i], prices[0] + slope * (vectors[i] - vectors[0]), 5, "row %d: %g", i, prices[i]);
    command("embed --load $c --layer head -o $d $b", 0);
    support_assert_says(run.output, "saved ");
}

Test(predict_rows, classes_and_labels_have_probabilities)
{
    int right = 0;
    train("label=way;skip=price,p");
    snprintf(fresh, sizeof fresh, "%s", table);
    command("predict --load $c $b --top 2 --json --threads 1", 0);
    for (int i = 0; i < ROWS; i++) {
        json_t *best = entry(i, "classes", 0), *other = entry(i, "classes", 1);
        cr_assert_float_eq(support_json_number(best, "probability") + support_json_number(other, "probability"), 1,
                           1e-6);
        right += strcmp(json_string_value(json_object_get(best, "name")), is_up(i) ? "up" : "down") == 0;
        json_decref(best);
        json_decref(other);
    }
    cr_assert_eq(right, ROWS);
    right = 0;
    train("label=p,q;skip=price");
    command("predict --load $c $b --json --threads 1", 0);
    for (int i = 0; i < ROWS; i++) {
        json_t *q = entry(i, "labels", 1);
        cr_assert_str_eq(json_string_value(json_object_get(q, "name")), "q");
        right += (support_json_number(q, "probability") > 0.5) == is_up(i);
        json_decref(q);
    }
    cr_assert_eq(right, ROWS);
}

Test(predict_rows, lines_and_a_table_are_written)
{
    static char text[40000];
    train("label=price;skip=p,q");
    command("predict --load $c $b --threads 1", 0);
    support_assert_says(run.output, "fresh.csv: row 1: price ");
    double first;
    cr_assert_eq(sscanf(strstr(run.output, "price ") + 6, "%lf", &first), 1);
    command("predict --load $c $b --threads 1 -o $d", 0);
    cr_assert_str_empty(run.output);
    const long length = support_read_file(answers, text, sizeof text - 1);
    text[length] = '\0';
    cr_assert_eq(strncmp(text, "\"path\",\"row\",\"price\"\n", 21), 0, "%.60s", text);
    const char *number = strstr(text, "fresh.csv\",1,");
    cr_assert_not_null(number);
    cr_assert_float_eq(strtod(number + 13, NULL) / first, 1, 1e-5);
    command("predict --load $c $b --threads 1 -o $d --json", 0);
    support_read_file(answers, text, sizeof text - 1);
    cr_assert_eq(strncmp(text, "{\"event\":\"prediction\",", 22), 0);
    command("predict --load $c $b --threads 1 -o /nowhere/answers.csv", 1);
    support_assert_says(run.errors, "--output: /nowhere/answers.csv");
}

static void put(const char *content)
{
    support_write_file(support_path(fresh, cli_directory, "fresh.csv"), content, strlen(content));
}

Test(predict_rows, missing_cells_are_as_in_training)
{
    static const char holes[] = "size,way\n0.1,up\n,up\n-0.5,down\n";
    train("label=price;skip=p,q");
    put(holes);
    command("predict --load $c $b --threads 1", 1);
    support_assert_says(run.errors, "fresh.csv: line 3, column 1 (size): \"\" has no value");
    cr_assert_str_empty(run.output);
    command("predict --load $c csv:fresh.csv;missing=mean --threads 1", 1); /* no such file here */
    train("label=price;skip=p,q;missing=mean");
    command("predict --load $c $b --threads 1", 0);
    support_assert_says(run.output, "row 3: price ");
    train("label=price;skip=p,q;missing=drop");
    command("predict --load $c $b --threads 1 --json", 0);
    support_assert_says(run.errors, "left out 1 of 3 rows that lack a value");
    json_t *second = support_json_line(&run, 1);
    cr_assert_eq((int)support_json_number(second, "line"), 4);
    json_decref(second);
}

Test(predict_rows, what_is_wrong_is_named)
{
    train("label=price;skip=p,q");
    put("size,p\n1,2\n");
    command("predict --load $c $b --threads 1", 1);
    support_assert_says(run.errors, "fresh.csv: has no column \"way\"");
    put("size,way\n1,sideways\n");
    command("predict --load $c $b --threads 1", 1);
    support_assert_says(run.errors, "line 2, column 2 (way): \"sideways\" is none of the 2 categories");
    command("predict --load $c absent.csv --threads 1", 1);
    support_assert_says(run.errors, "absent.csv: cannot open");
    put("\x93NUMPY\1");
    char line[2 * SUPPORT_PATH_BYTES];
    snprintf(line, sizeof line, "predict --load $c npy:%s --threads 1", fresh);
    command(line, 1);
    support_assert_says(run.errors, "fresh.csv: ");
}
