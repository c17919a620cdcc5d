/* The command on tables: regression, several labels, class weights. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "support/support.h"

static char rows[SUPPORT_PATH_BYTES], others[SUPPORT_PATH_BYTES], weights[SUPPORT_PATH_BYTES],
    uneven[SUPPORT_PATH_BYTES];
static const char *const variables[] = { rows, others, weights, uneven };
static support_run run;

static void command(const char *line, int code)
{
    support_command(&run, cli_directory, line, variables);
    cr_assert_eq(run.code, code, "%s: %d: %s", line, run.code, run.errors);
}

/* y = 3 a + 2 (b is "up") - 1; p and q say whether a and b are large. `count` rows of a whose values begin at `first`.
   */
static void write_rows(char path[SUPPORT_PATH_BYTES], const char *name, int first, int count)
{
    static char text[40000];
    size_t at = (size_t)sprintf(text, "a,b,y,p,q\n");
    for (int i = first; i < first + count; i++) {
        const double a = (i * 37 % 100) / 50.0 - 1;
        const bool up = i * 7 % 3 == 0;
        at += (size_t)sprintf(text + at, "%g,%s,%g,%d,%d\n", a, up ? "up" : "down", 3 * a + 2 * up - 1, a > 0, up);
    }
    support_write_file(support_path(path, cli_directory, name), text, at);
}

static void begin(void)
{
    cli_begin();
    write_rows(rows, "rows.csv", 0, 400);
    write_rows(others, "others.csv", 400, 30);
    support_path(weights, cli_directory, "weights");
    static const char text[] = "a,kind\n1,x\n2,x\n3,x\n4,x\n5,x\n6,x\n7,y\n8,y\n9,y\n";
    support_write_file(support_path(uneven, cli_directory, "uneven.csv"), text, sizeof text - 1);
}

static void end(void)
{
    support_remove_tree(cli_directory);
}

TestSuite(tables, .init = begin, .fini = end);

Test(tables, regression_is_learned_and_judged)
{
    command("train --model mlp-500 --data csv:rows.csv;label=y;skip=p,q --epochs 1", 1); /* no such file here */
    char line[4 * SUPPORT_PATH_BYTES];
    static const char *const losses[] = { "mse", "mae", "huber:delta=0.5" };
    for (int i = 0; i < 3; i++) {
        snprintf(line, sizeof line,
                 "train --model mlp-500 --data csv:%s;label=y;skip=p,q;split=0.2 --loss %s --epochs 30 --batch 32 "
                 "--optimizer adam:lr=0.01 --threads 1 --save $c --json",
                 rows, losses[i]);
        command(line, 0);
        json_t *done = support_json_line(&run, -1), *targets = support_json_line(&run, -2);
        cli_assert_event(done, "done");
        cli_assert_event(targets, "targets");
        cr_assert_gt(support_json_number(targets, "r2"), 0.98, "%s: %s", losses[i], run.output);
        json_decref(done);
        json_decref(targets);
        /* The same figures from the file alone, which knows columns, split, task and loss. */
        snprintf(line, sizeof line, "evaluate --load $c --data csv:%s --threads 1 --json", others);
        command(line, 0);
        json_t *evaluation = support_json_line(&run, 0);
        targets = support_json_line(&run, 1);
        const double mae = support_json_number(targets, "mae"), rmse = support_json_number(targets, "rmse");
        const double loss = support_json_number(evaluation, "loss");
        cr_assert_lt(mae, 0.3, "%s", run.output);
        if (i == 0)
            cr_assert_float_eq(loss, rmse * rmse, 1e-6);
        if (i == 1)
            cr_assert_float_eq(loss, mae, 1e-6);
        json_decref(evaluation);
        json_decref(targets);
    }
    snprintf(line, sizeof line, "evaluate --load $c --data csv:%s --threads 1", others);
    command(line, 0);
    support_assert_says(run.output, " on 30 samples");
    cr_assert_null(strstr(run.output, "accuracy"), "%s", run.output);
}

Test(tables, categories_are_embedded_on_wish)
{
    char line[4 * SUPPORT_PATH_BYTES];
    snprintf(line, sizeof line,
             "train --model mlp:hidden=16,embed=3 --data csv:%s;label=y;skip=p,q;split=0.2 --epochs 40 --batch 32 "
             "--optimizer adam:lr=0.01 --threads 1 --save $c",
             rows);
    command(line, 0);
    snprintf(line, sizeof line, "evaluate --load $c --data csv:%s --threads 1 --json", others);
    command(line, 0);
    json_t *targets = support_json_line(&run, 1);
    cr_assert_gt(support_json_number(targets, "r2"), 0.98, "%s", run.output);
    json_decref(targets);
    command("predict --load $c $b --threads 1", 0);
    snprintf(line, sizeof line, "train --model mlp:embed=3 --data csv:%s;label=y;skip=b,p,q --epochs 1 --threads 1",
             rows);
    command(line, 2);
    support_assert_says(run.errors, "embed=3: no column of categories is known");
}

/* The same run whatever the units of the target, and figures in these. */
Test(tables, targets_of_any_size_train_with_the_usual_rates)
{
    static const double units[] = { 1, 75000 }, offsets[] = { 0, 2000000 };
    char line[4 * SUPPORT_PATH_BYTES];
    double mae[2];
    for (int i = 0; i < 2; i++) {
        char text[20000] = "a,y\n";
        for (int k = 0; k < 300; k++) {
            const double a = (k * 37 % 100) / 50.0 - 1;
            sprintf(text + strlen(text), "%g,%.9g\n", a, offsets[i] + units[i] * (3 * a + 5));
        }
        support_write_file(others, text, strlen(text));
        snprintf(line, sizeof line,
                 "train --model mlp:hidden=16 --data csv:%s;label=y;split=0.2 --epochs 40 --batch 16 --threads 1 "
                 "--save $c --best %s/best --json",
                 others, cli_directory);
        command(line, 0);
        json_t *done = support_json_line(&run, -1), *targets = support_json_line(&run, -2);
        mae[i] = support_json_number(targets, "mae");
        const double rmse = support_json_number(targets, "rmse"), loss = support_json_number(done, "test_loss");
        cr_assert_gt(support_json_number(targets, "r2"), 0.95, "%s", run.output);
        cr_assert_float_eq(loss / (rmse * rmse), 1, 1e-4, "loss %g, RMSE %g", loss, rmse);
        cr_assert_float_eq(support_json_number(done, "best_value") / loss, 1, 0.2);
        json_decref(done);
        json_decref(targets);
        snprintf(line, sizeof line, "evaluate --load $c --data csv:%s;split=0.2 --threads 1 --json", others);
        command(line, 0);
        json_t *evaluation = support_json_line(&run, 0);
        cr_assert_float_eq(support_json_number(evaluation, "loss") / loss, 1, 1e-5);
        json_decref(evaluation);
    }
    cr_assert_float_eq(mae[1] / 75000 / mae[0], 1, 1e-2, "%g and %g", mae[0], mae[1]);
    snprintf(line, sizeof line, "evaluate --load $c --data csv:%s;scale-target=no", others);
    command(line, 2);
    support_assert_says(run.errors,
                        "scale-target=no, but the weights were trained with scale-target=yes; --override takes");
    snprintf(line, sizeof line, "evaluate --load $c --data csv:%s;scale-target=no;label=y --override", others);
    command(line, 0);
}

Test(tables, several_labels_have_an_accuracy_each)
{
    char line[4 * SUPPORT_PATH_BYTES];
    snprintf(line, sizeof line,
             "train --model mlp-500 --data csv:%s;label=p,q;skip=y;split=0.2 --epochs 20 --batch 32 --optimizer "
             "adam:lr=0.01 --threads 1",
             rows);
    command(line, 0);
    support_assert_says(run.output, "accuracy over all labels ");
    const char *q = strstr(run.output, "\nq: accuracy 100.00 %\n");
    cr_assert_not_null(q, "%s", run.output);
    cr_assert_not_null(strstr(run.output, "\np: accuracy "));
}

Test(tables, losses_must_suit_the_targets)
{
    static const struct {
        const char *options, *message;
    } bad[] = {
        { "label=y --loss bce", "\"bce\" is for several labels, but the data's targets are numbers" },
        { "label=b --loss mse", "\"mse\" is for numbers, but the data's targets are classes" },
        { "label=y --loss l1", "\"l1\", must be cross-entropy, bce, mse, mae or huber:delta=X" },
        { "label=y --loss huber:delta=0", "must be a loss, or huber:delta=X with a number above 0" },
        { "label=y --loss mse:delta=1", "must be a loss, or huber:delta=X" },
        { "label=y --loss mse --class-weights balanced", "--class-weights: is for --loss cross-entropy, not for mse" },
        { "label=y --label-smoothing 0.1", "--label-smoothing: is for classes, but the data's targets are numbers" },
        { "label=b --class-weights 1,2,3", "has 3 weights, must have one for each of the 2 classes" },
        { "label=y --sampling balanced", "--sampling: data set: it has no labels, so classes cannot be balanced" },
        { "label=b --sampling even", "\"even\", must be uniform or balanced" },
        { "label=b --class-weights 1,-2", "weight 2 must be a number from 0" },
    };
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        char line[4 * SUPPORT_PATH_BYTES];
        snprintf(line, sizeof line, "train --model mlp-500 --data csv:%s;%s --threads 1", rows, bad[i].options);
        command(line, 2);
        support_assert_says(run.errors, bad[i].message);
    }
}

/* With one epoch of one batch before any update, the loss is that of the initial network. Balanced weights of 6 and 3
   samples are 0.75 and 1.5: the same as giving them. */
Test(tables, balanced_weights_are_by_the_number_of_samples)
{
    static const char *const weighted[] = { "balanced", "0.75,1.5", "1,1" };
    double losses[3];
    for (int i = 0; i < 3; i++) {
        char line[4 * SUPPORT_PATH_BYTES];
        snprintf(line, sizeof line,
                 "train --model mlp-500 --data csv:%s;label=kind --class-weights %s --epochs 1 --threads 1 --json",
                 uneven, weighted[i]);
        command(line, 0);
        json_t *done = support_json_line(&run, -1);
        losses[i] = support_json_number(done, "loss");
        json_decref(done);
    }
    cr_assert_eq(losses[0], losses[1]);
    cr_assert_neq(losses[0], losses[2]);
}

/* Another loss is another run. */
Test(tables, a_checkpoint_knows_its_loss)
{
    char line[4 * SUPPORT_PATH_BYTES];
    const char *const options[] = { "", "--resume --epochs 2 --label-smoothing 0.2", "--resume --epochs 2",
                                    "--resume --epochs 3 --sampling balanced" };
    for (int i = 0; i < 4; i++) {
        snprintf(line, sizeof line, "train --model mlp-500 --data csv:%s;label=kind --threads 1 --checkpoint %s/run %s",
                 uneven, cli_directory, options[i]);
        command(line, i % 2 ? 1 : 0);
        if (i == 1)
            support_assert_says(run.errors, "mlp-500 in the checkpoint, mlp-500, label smoothing 0.2");
        if (i == 3)
            support_assert_says(run.errors, "is of another run: content of the data");
    }
}
