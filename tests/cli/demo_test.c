/* thaw demo. */
#include <string.h>

#include "cli/fixture.h"
#include "support/support.h"

Test(demo, compares_ways_to_transfer, .init = cli_begin, .fini = cli_end, .timeout = 250)
{
    enum { ROWS = 11 };
    cli_succeed("demo --data $f --threads 1 --json");
    json_t *rows[ROWS];
    for (int i = 0; i < ROWS; i++) {
        rows[i] = support_json_line(&cli_run, i);
        cli_assert_event(rows[i], "run");
        cr_assert_eq(json_array_size(json_object_get(rows[i], "epoch_seconds")), 3);
        cr_assert_geq(support_json_number(rows[i], "test_accuracy"), 0);
    }
    /* Row 0 is pre-training; then all trainable, frozen, frozen and cached. */
    cr_assert_eq(support_json_number(rows[1], "trainable_parameters"), ALL);
    cr_assert_eq(support_json_number(rows[2], "trainable_parameters"), DENSE1 + DENSE2);
    cr_assert_eq(support_json_number(rows[2], "cache_bytes"), 0);
    cr_assert_gt(support_json_number(rows[3], "cache_bytes"), 0);
    cr_assert_eq(support_json_number(rows[2], "loss"), support_json_number(rows[3], "loss"));
    cr_assert_eq(support_json_number(rows[2], "test_accuracy"), support_json_number(rows[3], "test_accuracy"));
    for (int i = 0; i < ROWS; i++)
        json_decref(rows[i]);
    json_t *done = support_json_line(&cli_run, ROWS);
    cli_assert_event(done, "done");
    json_decref(done);
}

Test(demo, prints_plain_lines, .init = cli_begin, .fini = cli_end, .timeout = 250)
{
    cli_succeed("demo --data $f --threads 1");
    static const char *const parts[] = { "all trainable",
                                         "convolutions frozen, features cached",
                                         "gradual unfreezing",
                                         "discriminative learning rates",
                                         "head Adam, convolutions SGD at a tenth",
                                         "from scratch",
                                         "20 per class: convolutions frozen",
                                         "The plan of \"convolutions frozen\":",
                                         "\nFreezing the convolutions makes an epoch" };
    for (size_t i = 0; i < THAW_COUNT(parts); i++)
        cr_assert_not_null(strstr(cli_run.output, parts[i]), "\"%s\" is not in\n%s", parts[i], cli_run.output);
    cr_assert(!strchr(cli_run.output, '\r') && !strchr(cli_run.output, '\033'));
}
