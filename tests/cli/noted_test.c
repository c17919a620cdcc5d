/* The command on files of weights that say what they are for. */
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "data/folder_fixture.h"
#include "support/support.h"

static support_run run;
enum { DESCRIPTION_BYTES = SUPPORT_PATH_BYTES + 64 };
static char images[DESCRIPTION_BYTES], centred[DESCRIPTION_BYTES + 64], weights[SUPPORT_PATH_BYTES],
    tuned[SUPPORT_PATH_BYTES], some[DESCRIPTION_BYTES], other[DESCRIPTION_BYTES + 64];

/* In command lines: $a and $b the folder, without options and as it is trained on, $c and $d files of weights, $e a
   folder with some of the classes, $f the first folder with another mean. */
static const char *const variables[] = { images, centred, weights, tuned, some, other };

static void command(const char *line, int code)
{
    support_command(&run, folder_path, line, variables);
    cr_assert_eq(run.code, code, "%s: %d: %s", line, run.code, run.errors);
}

/* Two classes that lie close together, so that a shift of the mean mixes them up. */
static void begin(void)
{
    folder_set_up();
    for (int i = 0; i < 40; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/%s/%d", i % 2 ? "dark" : "bright", i);
        folder_put_image(name, i % 2 ? 100 - i : 130 + i);
    }
    snprintf(images, sizeof images, "folder:%s/images", folder_path);
    snprintf(centred, sizeof centred, "%s;size=28;channels=1;mean=0.5", images);
    snprintf(other, sizeof other, "%s;mean=0.1", images);
    snprintf(some, sizeof some, "folder:%s/some;val=0", folder_path);
    folder_join(weights, "weights");
    folder_join(tuned, "tuned");
    command("train --model transfer-cnn --data $b --batch 4 --epochs 6 --threads 1 --save $c", 0);
}

TestSuite(noted, .init = begin, .fini = folder_tear_down);

Test(noted, a_file_remembers_its_network_and_its_preprocessing)
{
    command("evaluate --model transfer-cnn --load $c --data $b --threads 1", 0);
    support_assert_says(run.output, "accuracy 100.00 % on 8 samples");
    command("evaluate --model transfer-cnn --load $c --data $a --threads 1", 0);
    support_assert_says(run.output, "accuracy 100.00 % on 8 samples");
    command("evaluate --load $c --data $a --threads 1", 0);
    support_assert_says(run.output, "accuracy 100.00 % on 8 samples");
}

Test(noted, contradictions_are_errors_that_name_both)
{
    command("evaluate --load $c --data $f", 2);
    support_assert_says(run.errors,
                        "--data: its images have mean=0.1, the weights were trained with mean=0.5; --override");
    command("evaluate --load $c --data $f --override --threads 1", 0);
    support_assert_says(run.output, "accuracy 50.00 % on 8 samples");
    command("evaluate --model cnn-8-16 --load $c --data $a", 2);
    support_assert_says(run.errors, "--model: \"cnn-8-16\", but ");
    support_assert_says(run.errors, "has weights of transfer-cnn");
    command("evaluate --model cnn-8-16 --load $c --data $a --override", 1);
    support_assert_says(run.errors, "missing from the file: dense.weight");
}

Test(noted, classes_are_known_by_name)
{
    /* By itself, this folder's "dark" would be class 0, which is "bright" in the file. */
    folder_put_image("some/dark/0", 90);
    folder_put_image("some/dark/1", 80);
    command("evaluate --load $c --data $e --threads 1", 0);
    support_assert_says(run.output, "accuracy 100.00 % on 2 samples");
    folder_put_image("some/grey/0", 115);
    command("evaluate --load $c --data $e", 2);
    support_assert_says(run.errors, "class \"grey\" is none of the 2 classes from \"bright\" to \"dark\"");
    command("finetune --load $c --data $e --threads 1", 2);
    support_assert_says(run.errors, "for other classes see --reset and --override");
    command("finetune --load $c --reset dense2 --data $e --threads 1 --save $d", 0);
    thaw_context *context = support_context(1);
    thaw_notes *notes;
    assert_ok(context, thaw_notes_read(context, tuned, &notes));
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.classes"), "[\"dark\",\"grey\"]");
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.images"),
                     "size=28;resize=32;channels=1;mean=0.5;std=1;decode=scaled");
    thaw_notes_destroy(notes);
    thaw_context_destroy(context);
}

Test(noted, the_best_weights_say_the_same)
{
    command("finetune --load $c --data $a --batch 4 --epochs 2 --threads 1 --best $d", 0);
    command("evaluate --load $d --data $a --threads 1", 0);
    support_assert_says(run.output, "accuracy 100.00 % on 8 samples");
}

Test(noted, files_without_notes_work_as_before)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, "transfer-cnn", 2));
    assert_ok(context, thaw_model_set_note(model, "thaw.model", NULL));
    assert_ok(context, thaw_weights_save(model, weights));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    command("evaluate --load $c --data $b", 2);
    support_assert_says(run.errors, "--model: is missing, and ");
    command("evaluate --model transfer-cnn --load $c --data $b --threads 1", 0);
    command("evaluate --model transfer-cnn --load $c --data $a --threads 1", 1);
    support_assert_says(run.errors, "samples have shape [224, 224, 3], must have [224, 224, 1]");
    command("train --data $b", 2);
    support_assert_says(run.errors, "--model: is missing\n");
}
