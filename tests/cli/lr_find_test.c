/* thaw lr-find: its chart, its figures, and that files stay as they are. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"

TestSuite(lr_find, .init = cli_begin, .fini = cli_end);

Test(lr_find, suggests_a_rate_with_a_chart)
{
    char line[1024], path[SUPPORT_PATH_BYTES];
    static char before[4 << 20], after[4 << 20];
    cli_pretrain();
    const long length = support_read_file(cli_variables[2], before, sizeof before);
    snprintf(line, sizeof line,
             "lr-find --load $c --data $a --batch 10 --threads 1 --freeze conv1 --group dense2:optimizer=sgd:lr=0.1 "
             "--steps 40 --from 1e-6 --to 100 --svg %s",
             support_path(path, cli_directory, "rates.svg"));
    support_command(&cli_run, cli_directory, line, cli_variables);
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    support_assert_says(cli_run.output, "suggestion: ");
    support_assert_says(cli_run.output, "*");
    cr_assert_eq(support_read_file(cli_variables[2], after, sizeof after), length);
    cr_assert_eq(memcmp(before, after, (size_t)length), 0);
    const long drawn = support_read_file(path, after, sizeof after - 1);
    cr_assert_gt(drawn, 0);
    after[drawn] = '\0';
    support_assert_says(after, "<svg ");
    support_assert_says(after, "</svg>");
}

Test(lr_find, prints_its_points_as_json)
{
    support_command(
        &cli_run, cli_directory,
        "lr-find --model mlp:hidden=16 --data $a --batch 10 --threads 1 --steps 11 --from 1e-5 --to 1 --json",
        cli_variables);
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    json_t *object = support_json_line(&cli_run, 0);
    cli_assert_event(object, "learning_rates");
    const json_t *points = json_object_get(object, "points");
    cr_assert_geq(json_array_size(points), 3);
    cr_assert_float_eq(support_json_number(json_array_get(points, 2), "rate"), 1e-4, 1e-9);
    json_decref(object);
    support_command(&cli_run, cli_directory, "lr-find --model mlp --data $a --from 1 --to 0.1", cli_variables);
    cr_assert_eq(cli_run.code, 2);
    support_assert_says(cli_run.errors, "learning rates go from 1 to 0.1");
}
