/* thaw embed, against a predictor of the library that ends at the same layer. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "cli/photos.h"
#include "support/support.h"

enum { IMAGES = 9, UNITS = 128, MOST_BYTES = 1 << 15 };

static char one[SUPPORT_PATH_BYTES], array[SUPPORT_PATH_BYTES]; /* one image is $d, and the array $e */

static const char *name_of(int image)
{
    static char name[64];
    snprintf(name, sizeof name, "images/%c/%02d", 'a' + image / 3, image);
    return name;
}

static void begin(void)
{
    folder_set_up();
    for (int i = 0; i < IMAGES; i++)
        folder_put_image(name_of(i), 25 * i + 9);
    photos_variables[3] = folder_join(one, name_of(4));
    photos_variables[4] = folder_join(array, "array.npy");
    photos_begin(";mean=0.5");
    photos_command("train --model transfer-cnn --data $a --batch 8 --epochs 1 --threads 1 --save $b", 0);
}

TestSuite(embed, .init = begin, .fini = folder_tear_down);

/* The vectors of all images, one by one. */
static void ask(float vectors[IMAGES][UNITS])
{
    thaw_context *context = folder_context(1);
    thaw_predictor *predictor;
    assert_ok(context,
              thaw_predictor_open(context, photos_weights, &(thaw_predictor_options){ .layer = "relu3" }, &predictor));
    for (int i = 0; i < IMAGES; i++) {
        char path[SUPPORT_PATH_BYTES];
        assert_ok(context, thaw_predictor_file(predictor, folder_join(path, name_of(i)), vectors[i]));
    }
    thaw_predictor_destroy(predictor);
    thaw_context_destroy(context);
}

static void assert_vectors(const float *found, const float *wanted, size_t rows)
{
    for (size_t i = 0; i < rows * UNITS; i++)
        cr_assert(fabsf(found[i] - wanted[i]) < 1e-5F, "row %zu, value %zu: %g, wanted %g", i / UNITS, i % UNITS,
                  (double)found[i], (double)wanted[i]);
}

/* Reads an array by the format's description, and asserts its shape. */
static const float *read_array(const char *path, size_t rows)
{
    static _Alignas(64) char bytes[MOST_BYTES];
    char shape[160];
    const long count = support_read_file(path, bytes, sizeof bytes);
    cr_assert_gt(count, 128);
    cr_assert_eq(memcmp(bytes, "\x93NUMPY\x01\x00", 8), 0);
    const size_t header = 10 + (size_t)(unsigned char)bytes[8] + ((size_t)(unsigned char)bytes[9] << 8);
    cr_assert(header % 64 == 0 && bytes[header - 1] == '\n', "%zu", header);
    snprintf(shape, sizeof shape, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %d), }", rows, UNITS);
    cr_assert_eq(strncmp(bytes + 10, shape, strlen(shape)), 0, "%.*s", (int)header - 10, bytes + 10);
    cr_assert_eq(strspn(bytes + 10 + strlen(shape), " "), header - 11 - strlen(shape));
    cr_assert_eq((size_t)count, header + rows * UNITS * sizeof(float));
    return (const float *)(bytes + header);
}

Test(embed, writes_an_array_of_numpy)
{
    static float wanted[IMAGES][UNITS];
    ask(wanted);
    photos_command("embed --load $b --layer relu3 --threads 2 --batch 4 -o $e $c", 0);
    char saved[SUPPORT_PATH_BYTES + 16];
    snprintf(saved, sizeof saved, "saved %s\n", array);
    cr_assert_str_eq(photos_run.output, saved);
    assert_vectors(read_array(array, IMAGES), wanted[0], IMAGES);
    const int file = open(array, O_WRONLY | O_TRUNC);
    cr_assert_geq(file, 0);
    const pid_t process =
        support_command_start(folder_path, "embed --load $b --layer relu3 --threads 1 $d", photos_variables, file);
    support_command_finish(&photos_run, folder_path, process);
    close(file);
    cr_assert_eq(photos_run.code, 0, "%s", photos_run.errors);
    assert_vectors(read_array(array, 1), wanted[4], 1);
}

Test(embed, prints_paths_and_vectors_as_json)
{
    static float wanted[IMAGES][UNITS], found[UNITS];
    ask(wanted);
    photos_command("embed --load $b --layer relu3 --threads 1 --json $c", 0);
    for (int i = 0; i < IMAGES; i++) {
        json_t *line = support_json_line(&photos_run, i);
        const json_t *vector = json_object_get(line, "vector"), *shape = json_object_get(line, "shape");
        cli_assert_event(line, "embedding");
        support_assert_says(json_string_value(json_object_get(line, "path")), name_of(i));
        cr_assert_str_eq(json_string_value(json_object_get(line, "layer")), "relu3");
        cr_assert(json_array_size(shape) == 1 && json_integer_value(json_array_get(shape, 0)) == UNITS);
        cr_assert_eq(json_array_size(vector), UNITS);
        for (size_t k = 0; k < UNITS; k++)
            found[k] = (float)json_number_value(json_array_get(vector, k));
        assert_vectors(found, wanted[i], 1);
        json_decref(line);
    }
}

Test(embed, leaves_out_what_it_cannot_read)
{
    static float wanted[IMAGES][UNITS];
    ask(wanted);
    photos_command("embed --load $b --layer relu3 --threads 1 --output $e absent $d", 1);
    support_assert_says(photos_run.errors, "thaw: absent: cannot be read: No such file or directory\n");
    assert_vectors(read_array(array, 1), wanted[4], 1);
    remove(array);
    photos_command("embed --load $b --layer relu3 --threads 1 --output $e absent", 1);
    cr_assert_neq(access(array, F_OK), 0, "an array without rows");
}

Test(embed, says_what_is_missing_or_wrong)
{
    photos_command("embed --load $b $d", 2);
    support_assert_says(photos_run.errors, "thaw: --layer: is missing");
    photos_command("embed --load $b --layer relu3", 2);
    support_assert_says(photos_run.errors, "FILE: is missing");
    photos_command("embed --load $b --layer relu33 $d", 2);
    support_assert_says(photos_run.errors, "--layer: the network has no layer \"relu33\", did you mean \"relu3\"?");
    photos_command("embed --load $b --layer relu3 --json --output $e $d", 2);
    support_assert_says(photos_run.errors, "--output: cannot be used with --json");
    photos_command("embed --load $b --layer relu3 --images mean=0 $d", 2);
    support_assert_says(photos_run.errors, "--images: mean=0, the weights were trained with mean=0.5; --override");
    strncat(array, "/nowhere", 9);
    photos_command("embed --load $b --layer relu3 --output $e $d", 1);
    support_assert_says(photos_run.errors, "thaw: --output: ");
}
