/* The command on networks as downloaded, in tests/golden/hub, which tests/golden/hub.py made. */
#include <stdio.h>
#include <string.h>

#include "cli/photos.h"
#include "support/support.h"

static char data[SUPPORT_PATH_BYTES + 64], vit[SUPPORT_PATH_BYTES], dinov2[SUPPORT_PATH_BYTES];

/* $a are images that leave their form to the network, $d and $e the folders of vit, with a head of three classes, and
   dinov2, without one. */
static void begin(void)
{
    folder_set_up();
    for (int i = 0; i < 12; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/%s/%d", i % 2 ? "dark" : "bright", i);
        folder_put_image(name, i % 2 ? 5 * i : 255 - 5 * i);
    }
    photos_begin("");
    snprintf(data, sizeof data, "folder:%s;val=0", photos_folder);
    photos_variables[0] = data;
    photos_variables[3] = support_golden(vit, "hub/vit");
    photos_variables[4] = support_golden(dinov2, "hub/dinov2");
}

TestSuite(hub, .init = begin, .fini = folder_tear_down);

/* Runs with $f for a text behind another one. */
static void command_with(const char *line, const char *text, const char *behind, int code)
{
    char both[SUPPORT_PATH_BYTES + 64];
    snprintf(both, sizeof both, "%s%s", text, behind);
    photos_variables[5] = both;
    photos_command(line, code);
    photos_variables[5] = NULL;
}

Test(hub, folders_are_networks_with_weights)
{
    photos_command("summary --model $d", 0);
    support_assert_says(photos_run.output, "classifier         dense                  [3]");
    support_assert_says(photos_run.output, "vit.encoder.layer.1.attention.attention.query");
    photos_command("plan --model $d --batch 2 --threads 1", 0);
    photos_command("predict --model $d --threads 1 --json $c", 0);
    cr_assert(strstr(photos_run.output, "\"cat\"") || strstr(photos_run.output, "\"dog\"") ||
                  strstr(photos_run.output, "\"crow\""),
              "%s", photos_run.output);
}

Test(hub, new_heads_replace_that_of_the_folder)
{
    photos_command("finetune --model $d --data $a --batch 4 --threads 1", 2);
    support_assert_says(photos_run.errors, "for other classes see --reset");
    photos_command("finetune --model $d --data $a --reset classifier --freeze vit.* --batch 4 --epochs 2 --threads 1 "
                   "--save $b",
                   0);
    photos_command("evaluate --load $b --data $a --threads 1", 0);
    support_assert_says(photos_run.output, "accuracy");
    photos_command("predict --load $b --threads 1 --json $c", 0);
    cr_assert(strstr(photos_run.output, "\"dark\"") || strstr(photos_run.output, "\"bright\""));
}

Test(hub, folders_without_a_head_get_one)
{
    command_with("finetune --model $e --data $f --batch 4 --epochs 2 --threads 1 --save $b", data, ";size=28", 0);
    support_assert_says(photos_run.errors, "has no head: new with PyTorch's initial values: classifier.weight");
    photos_command("evaluate --load $b --data $a --threads 1", 0);
    photos_command("embed --model $e --layer dinov2.layernorm --threads 1 -o $b $c", 0);
}

Test(hub, options_behind_the_folder_count)
{
    command_with("summary --model $f", vit, ":size=16", 0);
    support_assert_says(photos_run.output, "vit.embeddings.position_embeddings positions              [17, 8]");
    command_with("finetune --model $f --data $a --batch 4 --threads 1", vit, "/:head=mlp:4", 0);
    support_assert_says(photos_run.output, "head=mlp:4");
    command_with("summary --model $f", vit, ":width=16", 1);
    command_with("summary --model $f", vit, ":colour=red", 2);
    support_assert_says(photos_run.errors, "option of vit \"colour\"");
}

Test(hub, what_is_wrong_with_a_folder_is_told)
{
    photos_command("summary --model $c", 1);
    support_assert_says(photos_run.errors, "has no config.json, must be a folder as downloaded from the Hub");
    folder_put_text("images/config.json", "{\"model_type\":\"t5\"}");
    photos_command("finetune --model $c --data $a", 1);
    support_assert_says(photos_run.errors, "unknown model_type \"t5\"");
}
