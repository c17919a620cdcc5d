/* thaw predict, against thaw evaluate on the same images. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "cli/photos.h"
#include "support/support.h"

enum { IMAGES = 24 };

static char one[SUPPORT_PATH_BYTES], list[SUPPORT_PATH_BYTES]; /* one image is $d */

static void begin(void)
{
    folder_set_up();
    for (int i = 0; i < IMAGES; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/%s/%02d", i % 3 == 0 ? "bright" : i % 3 == 1 ? "dark" : "grey", i);
        folder_put_image(name, i % 3 == 0 ? 200 + i : i % 3 == 1 ? 40 + i : 120 + i);
    }
    photos_variables[3] = folder_join(one, "images/dark/01");
    folder_join(list, "list");
    photos_begin(";mean=0.5");
    photos_command("train --model transfer-cnn --data $a --batch 8 --epochs 4 --threads 1 --save $b", 0);
}

TestSuite(predict, .init = begin, .fini = folder_tear_down);

/* Loss and share of right answers by the lines of --json: a path names its class. */
static void measure(double *loss, double *accuracy)
{
    double total = 0;
    int right = 0;
    for (int i = 0; i < IMAGES; i++) {
        json_t *line = support_json_line(&photos_run, i);
        cli_assert_event(line, "prediction");
        const char *path = json_string_value(json_object_get(line, "path"));
        const json_t *classes = json_object_get(line, "classes");
        cr_assert_eq(json_array_size(classes), 3);
        double sum = 0, before = 1;
        for (size_t k = 0; k < 3; k++) {
            const json_t *entry = json_array_get(classes, k);
            char folder[64];
            snprintf(folder, sizeof folder, "/%s/", json_string_value(json_object_get(entry, "name")));
            const double probability = support_json_number(entry, "probability");
            cr_assert_leq(probability, before);
            before = probability;
            sum += probability;
            if (!strstr(path, folder))
                continue;
            total -= log(probability);
            right += k == 0;
        }
        cr_assert_float_eq(sum, 1, 1e-6);
        json_decref(line);
    }
    *loss = total / IMAGES;
    *accuracy = (double)right / IMAGES;
}

Test(predict, gives_the_digits_of_evaluation)
{
    double loss, accuracy;
    photos_command("evaluate --load $b --data $a --threads 1 --json", 0);
    json_t *evaluation = support_json_line(&photos_run, 0);
    photos_command("predict --load $b --top 9 --threads 2 --batch 7 --json $c", 0);
    measure(&loss, &accuracy);
    cr_assert_float_eq(loss, support_json_number(evaluation, "loss"), 1e-6, "%.9g", loss);
    cr_assert_float_eq(accuracy, support_json_number(evaluation, "accuracy"), 1e-9);
    cr_assert_gt(accuracy, 0.5, "the test would see little");
    json_decref(evaluation);
}

Test(predict, tells_names_and_goes_on_after_what_it_cannot_read)
{
    photos_command("predict --load $b --threads 1 $d", 0);
    support_assert_says(photos_run.output, "images/dark/01: ");
    photos_command("predict --load $b --threads 1 absent $d", 1);
    support_assert_says(photos_run.errors, "thaw: absent: cannot be read: No such file or directory\n");
    support_assert_says(photos_run.output, "images/dark/01: ");
    folder_put_text("text", "Dear");
    folder_join(one, "text");
    photos_command("predict --load $b --threads 1 $d", 1);
    support_assert_says(photos_run.errors, "text: is neither JPEG nor PNG\n");
    cr_assert_str_empty(photos_run.output);
}

Test(predict, says_what_is_missing_or_contradicts)
{
    photos_command("predict --load $b", 2);
    support_assert_says(photos_run.errors, "FILE: is missing");
    photos_command("predict $d", 2);
    support_assert_says(photos_run.errors, "--load: is missing");
    photos_command("predict --load $b --images mean=0 $d", 2);
    support_assert_says(photos_run.errors, "--images: mean=0, the weights were trained with mean=0.5; --override");
    photos_command("predict --load $b --images mean=0 --override --threads 1 $d", 0);
    photos_command("predict --load $b --images siz=3 $d", 2);
    support_assert_says(photos_run.errors, "did you mean \"size\"?");
    photos_command("predict --load $b --model cnn-8-16 $d", 2);
    support_assert_says(photos_run.errors, "has weights of transfer-cnn");
    photos_command("evaluate --load $b --data $a $d", 2);
    support_assert_says(photos_run.errors, "is not an option");
}

Test(predict, reads_a_list_from_standard_input)
{
    char text[2 * SUPPORT_PATH_BYTES + 16];
    snprintf(text, sizeof text, "%s\n\n%s/grey/02", one, photos_folder);
    support_write_file(list, text, strlen(text));
    cr_assert_not_null(freopen(list, "r", stdin)); /* the command inherits it */
    photos_command("predict --load $b --threads 1 -", 0);
    const char *second = strstr(photos_run.output, "images/grey/02: ");
    cr_assert(second && strstr(photos_run.output, "images/dark/01: ") < second, "%s", photos_run.output);
}
