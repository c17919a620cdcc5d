/* What the command says of tests: when, how long, and with which figures. */
#include "cli/fixture.h"

#include <string.h>

#include "support/support.h"

static bool is_true(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

/* A head on frozen layers: the second test starts at the features of the first. */
Test(testing, every_second_epoch_and_from_the_cache, .init = cli_begin, .fini = cli_end)
{
    double sum = 0;
    cli_succeed("train --model transfer-cnn --data $a --freeze conv* --epochs 5 --batch 16 --test-every 2 --json");
    for (int i = 0; i < 5; i++) {
        json_t *epoch = support_json_line(&cli_run, i);
        const bool tested = i == 1 || i >= 3;
        cr_assert_eq(is_true(epoch, "tested"), tested, "epoch %d", i + 1);
        cr_assert_eq(json_is_null(json_object_get(epoch, "test_accuracy")), !tested);
        cr_assert_eq(json_is_null(json_object_get(epoch, "test_macro_f1")), !tested);
        cr_assert_eq(is_true(epoch, "test_cached"), i >= 3, "epoch %d", i + 1);
        cr_assert_eq(support_json_number(epoch, "test_seconds") > 0, tested);
        sum += support_json_number(epoch, "wall_seconds");
        cr_assert_geq(support_json_number(epoch, "wall_seconds"),
                      support_json_number(epoch, "seconds") + support_json_number(epoch, "test_seconds"));
        json_decref(epoch);
    }
    cr_assert_float_eq(cli_final("run_seconds"), sum, 1e-6);
}

Test(testing, monitors_figures_of_classes, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("train --model mlp-500 --data $e --test-data $e --epochs 2 --best $c --monitor test-f1 --json");
    json_t *done = support_json_line(&cli_run, -1);
    cr_assert_str_eq(json_string_value(json_object_get(done, "monitor")), "test macro F1");
    cr_assert_gt(support_json_number(done, "best_value"), 0);
    cr_assert_gt(support_json_number(done, "test_top5_accuracy"), 0);
    json_decref(done);
    cli_succeed("evaluate --model mlp-500 --load $c --data $e");
    cr_assert_not_null(strstr(cli_run.output, "top-5 accuracy"), "%s", cli_run.output);
}
