/* The command on folders of images. */
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "data/folder_fixture.h"
#include "support/command.h"
#include "support/support.h"

TestSuite(folder_command, .init = folder_set_up, .fini = folder_tear_down);

static support_run run;

/* Runs with $a standing for the folder's description, and $b for a file of weights. */
static void command(const char *line, const char *options, int code)
{
    char description[SUPPORT_PATH_BYTES + 64], weights[SUPPORT_PATH_BYTES];
    snprintf(description, sizeof description, "folder:%s/images%s", folder_path, options);
    support_command(&run, folder_path, line, (const char *const[]){ description, folder_join(weights, "weights") });
    cr_assert_eq(run.code, code, "%s: %d: %s", line, run.code, run.errors);
}

static void put_images(void)
{
    for (int i = 0; i < 20; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/%s/%d", i % 2 ? "dark" : "bright", i);
        folder_put_image(name, i % 2 ? 5 * i : 255 - 5 * i);
    }
}

Test(folder_command, trains_saves_and_evaluates)
{
    put_images();
    folder_put_copy("images/dark/cut.png", "rgb.png", 0.5);
    folder_put_text("images/dark/letter.png", "Dear");
    command("train --model transfer-cnn --data $a --batch 4 --epochs 8 --threads 2 --save $b", ";size=28;channels=1",
            0);
    support_assert_says(run.output,
                        "transfer-cnn: 599778 parameters, 599778 trainable; 17 samples to train on, 4 to test");
    support_assert_says(run.errors, "images/dark/letter.png: is neither JPEG nor PNG; left out\n");
    support_assert_says(run.errors, "images/dark/cut.png: is cut short; replaced by another image of its class\n");
    command("evaluate --model transfer-cnn --load $b --data $a --threads 2", ";size=28;channels=1", 0);
    support_assert_says(run.output, "accuracy 100.00 % on 4 samples");
    command("train --model transfer-cnn --data $a --threads 2", ";size=28;channels=1;on-error=fail", 1);
    support_assert_says(run.errors, "images/dark/letter.png: is neither JPEG nor PNG");
}

Test(folder_command, knows_the_classes_of_test_data_by_name)
{
    char line[2 * SUPPORT_PATH_BYTES];
    put_images();
    /* By itself, this folder's "dark" would be class 0, which is "bright" among the training data. */
    folder_put_image("test/dark/0", 20);
    folder_put_image("test/dark/1", 30);
    snprintf(line, sizeof line,
             "train --model transfer-cnn --data $a --batch 4 --epochs 8 --threads 2 --test-data "
             "folder:%s/test;val=0 --json",
             folder_path);
    command(line, ";size=28;channels=1", 0);
    support_assert_says(run.output, "\"test_accuracy\":1.0");
    command(line, ";size=28;channels=1;mean=0.5", 0);
    support_assert_says(run.output, "\"test_accuracy\":1.0");
    folder_put_image("test/grey/0", 128);
    command(line, ";size=28;channels=1", 2);
    support_assert_says(run.errors, "--test-data: class \"grey\" is none of the 2 classes from \"bright\" to \"dark\"");
    folder_put_image("test/birght/0", 200);
    command(line, ";size=28;channels=1", 2);
    support_assert_says(run.errors, "did you mean \"bright\"?");
}

Test(folder_command, prepares_test_data_as_the_training_data)
{
    char line[2 * SUPPORT_PATH_BYTES];
    put_images();
    folder_put_image("test/dark/0", 20);
    static const char *const options[] = { ";mean=0.5", ";size=32", ";std=0.25" };
    for (size_t i = 0; i < THAW_COUNT(options); i++) {
        snprintf(line, sizeof line, "train --model mlp-500 --data $a --test-data folder:%s/test%s", folder_path,
                 options[i]);
        command(line, ";size=28;channels=1;mean=0.25;std=0.5", 2);
        support_assert_says(run.errors, "--test-data: ");
        support_assert_says(run.errors, "those of the training data");
    }
}

Test(folder_command, gives_the_network_the_size_of_the_images)
{
    put_images();
    command("train --model mobilenet-v2:dropout=0 --data $a --batch 8 --threads 2", ";size=32;val=0;per-class=2", 0);
    support_assert_says(run.output, "4 samples to train on");
    command("train --model mobilenet-v2:size=64 --data $a", ";size=32", 1);
    support_assert_says(run.errors, "samples have shape [32, 32, 3], must have [64, 64, 3] for mobilenet-v2:size=64");
    command("train --model transfer-cnn --data $a", "", 1);
    support_assert_says(run.errors, "samples have shape [224, 224, 3], must have [224, 224, 1] for transfer-cnn");
}

Test(folder_command, caches_views)
{
    put_images();
    static const char line[] = "train --model transfer-cnn --data $a --batch 4 --epochs 4 --freeze conv* --threads 2";
    char budget[256];
    command(line, ";size=28;channels=1;augment=crop-flip;views=2", 0);
    support_assert_says(run.output, "  view 2 of 2\n");
    support_assert_says(run.output, "  cached, test too  view 1 of 2\n");
    snprintf(budget, sizeof budget, "%s --cache memory --cache-bytes 300000", line);
    command(budget, ";size=28;channels=1;augment=crop-flip;views=200", 0);
    support_assert_says(run.errors, "of the 200 views of each sample: epochs go through");
    snprintf(budget, sizeof budget, "%s --cache memory --cache-bytes 300", line);
    command(budget, ";size=28;channels=1;augment=crop-flip;views=2", 0);
    support_assert_says(run.errors, "bytes per sample and view, its budget allows");
    command("plan --model transfer-cnn --data $a --batch 4 --freeze conv*",
            ";size=28;channels=1;augment=crop-flip;views=2", 0);
    support_assert_says(run.output, "the feature cache keeps all 2 views of each sample\n");
    command(line, ";size=28;channels=1;augment=crop-flip;views=0", 2);
    support_assert_says(run.errors, "views=0, must be a whole number from 1");
}

Test(folder_command, mixes)
{
    put_images();
    static const char form[] = ";size=28;channels=1";
    command("train --model transfer-cnn --data $a --batch 4 --mixup 0.4 --cutmix 1 --threads 2", form, 0);
    command("train --model transfer-cnn --data $a --batch 4 --epochs 2 --freeze conv* --threads 2 --feature-mixup 0.4 "
            "--feature-noise 0.1",
            form, 0);
    support_assert_says(run.output, "  cached, test too\n");
    command("train --model transfer-cnn --data $a --mixup 0", form, 2);
    support_assert_says(run.errors, "must be a finite number above 0");
    command("train --model transfer-cnn --data $a --batch 4 --mixup 1 --feature-mixup 1", form, 1);
    support_assert_says(run.errors, "feature_mixup is given beside mixup or cutmix");
}

Test(folder_command, says_why_nothing_is_cached)
{
    put_images();
    command("train --model transfer-cnn --data $a --batch 4 --epochs 2 --freeze conv* --threads 2",
            ";size=28;channels=1;augment=crop-flip", 0);
    support_assert_says(run.errors, "no feature cache: the training data is augmented");
    support_assert_says(run.output, "  test cached\n");
    cr_assert_null(strstr(run.output, "  cached"), "%s", run.output);
    command("train --model transfer-cnn --data $a --batch 4 --epochs 2 --freeze conv* --threads 2",
            ";size=28;channels=1", 0);
    cr_assert_eq(cli_take_warning(run.errors), 1);
    cr_assert_str_empty(run.errors);
    support_assert_says(run.output, "  cached, test too\n");
}
