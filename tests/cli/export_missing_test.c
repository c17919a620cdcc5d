/* thaw export where the library was built without ONNX. */
#include <unistd.h>

#include "cli/fixture.h"
#include "support/support.h"

Test(export_missing, says_what_to_install, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("train --model mlp-500 --data $a --threads 1 --save $c");
    support_command(&cli_run, cli_directory, "export --load $c --onnx $d", cli_variables);
    cr_assert_eq(cli_run.code, 1, "%d", cli_run.code);
    support_assert_says(cli_run.errors, "built without ONNX: install libprotobuf-c-dev");
    support_assert_says(cli_run.errors, "-Donnx=enabled");
    cr_assert_neq(access(cli_variables[3], F_OK), 0);
}
