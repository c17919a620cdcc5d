/* examples/classify.c, on weights that were not trained. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "data/folder_fixture.h"
#include "support/support.h"

static void save_weights(const char *path)
{
    thaw_context *context = folder_context(1);
    thaw_model *model;
    thaw_dataset *dataset;
    char folder[SUPPORT_PATH_BYTES];
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, "transfer-cnn", 2));
    assert_ok(context, thaw_dataset_open_folder(context, folder_join(folder, "images"),
                                                &(thaw_folder_options){ .size = 28, .channels = 1 }, &dataset, NULL));
    assert_ok(context, thaw_model_note_data(model, dataset));
    assert_ok(context, thaw_weights_save(model, path));
    thaw_dataset_destroy(dataset);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Runs it on the weights and one more file, and returns its exit code. */
static int classify(const char *weights, const char *image, char *output, size_t capacity)
{
    char line[3 * SUPPORT_PATH_BYTES];
    snprintf(line, sizeof line, "'%s/classify' '%s' '%s' 2>&1", getenv("THAW_EXAMPLES"), weights, image);
    FILE *stream = popen(line, "r");
    cr_assert_not_null(stream);
    output[fread(output, 1, capacity - 1, stream)] = '\0';
    const int code = pclose(stream);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

Test(classify, prints_names_and_probabilities, .init = folder_set_up, .fini = folder_tear_down)
{
    char weights[SUPPORT_PATH_BYTES], image[SUPPORT_PATH_BYTES], output[4096], first[16], second[16];
    double one = 0, other = 0;
    folder_put_image("images/cat/0", 50);
    folder_put_image("images/dog/0", 150);
    save_weights(folder_join(weights, "weights"));
    cr_assert_eq(classify(weights, folder_join(image, "images/cat/0"), output, sizeof output), 0, "%s", output);
    cr_assert_eq(sscanf(output, "%*[^\t]\t%15s %lf %%\n%*[^\t]\t%15s %lf", first, &one, second, &other), 4, "%s",
                 output);
    cr_assert(strcmp(first, second) != 0 && one >= other && one <= 100, "%s", output);
    cr_assert_float_eq(one + other, 100, 0.011);
    cr_assert_eq(classify(weights, "absent", output, sizeof output), 1);
    cr_assert_not_null(strstr(output, "absent: cannot be read"), "%s", output);
    cr_assert_eq(classify("absent", image, output, sizeof output), 1);
}
