/* --rename, and files of PyTorch. */
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "support/files.h"
#include "support/support.h"

TestSuite(renaming, .init = cli_begin, .fini = cli_end);

static void refuse(const char *line, int code, const char *says)
{
    support_command(&cli_run, cli_directory, line, cli_variables);
    cr_assert_eq(cli_run.code, code, "%s: %d: %s", line, cli_run.code, cli_run.errors);
    cr_assert_not_null(strstr(cli_run.errors, says), "%s lacks %s", cli_run.errors, says);
}

/* "conv1" becomes "ward1" in the file, by its bytes: the names are as long as before. */
static void rename_in_file(const char *path)
{
    static char bytes[4 << 20];
    const long count = support_read_file(path, bytes, sizeof bytes);
    cr_assert(count > 0 && (size_t)count < sizeof bytes);
    for (long i = 0; i + 6 < count && i < 4096; i++)
        if (memcmp(bytes + i, "\"conv", 5) == 0)
            memcpy(bytes + i, "\"ward", 5);
    support_write_file(path, bytes, (size_t)count);
}

Test(renaming, finds_weights_under_other_names)
{
    cli_pretrain();
    cli_succeed("evaluate --load $c --data $a --threads 1 --json");
    const double loss = cli_final("loss");
    rename_in_file(cli_variables[2]);
    refuse("evaluate --load $c --data $a --threads 1", 1, "unexpected in the file: ward1.bias");
    cli_succeed("evaluate --load $c --rename ward=conv --data $a --threads 1 --json");
    cr_assert_eq(cli_final("loss"), loss);
    cli_succeed(
        "finetune --load $c --rename ward1=conv1 --rename ward2=conv2 --reset dense2 --data $a --threads 1 --json");
    refuse("evaluate --load $c --rename ward --data $a", 2, "--rename: \"ward\", must be OLD=NEW");
    refuse("evaluate --load $c --rename word=conv --data $a", 1, "begins with \"word\"");
}

Test(renaming, says_how_files_of_pytorch_are_converted)
{
    static const char archive[] = "PK\3\4\0\0\10\10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\20\0\0\0archive/data.pkl";
    support_write_file(cli_variables[2], archive, sizeof archive);
    refuse("evaluate --model transfer-cnn --load $c --data $a", 1,
           "this is a PyTorch file, must be safetensors. Convert it: python3 -c '");
}
