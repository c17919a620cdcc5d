/* Targets of regression are standardised, and files of weights note how. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/small_npy.h"
#include "data/target_scale.h"
#include "support/allocator.h"
#include "support/folder.h"
#include "support/support.h"

enum { ROWS = 6, COLUMNS = 2 };

static const float inputs[ROWS] = { 1, 2, 3, 4, 5, 6 };
static const float prices[ROWS] = { 200000, 260000, 180000, 220000, 150000, 300000 };
static const float both[ROWS * COLUMNS] = { 200000, 1, 260000, 1, 180000, 1, 220000, 1, 150000, 1, 300000, 1 };

static npy_file x, y;

static void begin(void)
{
    folder_set_up();
    x = npy_floats("(6, 1)", inputs, ROWS);
    y = npy_floats("(6,)", prices, ROWS);
}

TestSuite(target_scale, .init = begin, .fini = folder_tear_down);

/* Mean and population deviation of the rows that a data set serves. */
static void figure(thaw_context *context, thaw_dataset *dataset, double *mean, double *deviation)
{
    double sum = 0, squares = 0, numbers[ROWS];
    const size_t count = thaw_dataset_count(dataset);
    for (size_t i = 0; i < count; i++) {
        float sample, target;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, &sample, &target));
        numbers[i] = (double)prices[(size_t)sample - 1];
        sum += numbers[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++)
        squares += (numbers[i] - sum) * (numbers[i] - sum) / (double)count;
    *mean = sum;
    *deviation = sqrt(squares);
}

static void assert_scaled(thaw_context *context, thaw_dataset *dataset, double mean, double deviation)
{
    double found, found_deviation;
    cr_assert(thaw_dataset_target_scale(dataset, 0, &found, &found_deviation));
    cr_assert_float_eq(found, mean, 1e-6 * mean);
    cr_assert_float_eq(found_deviation, deviation, 1e-6 * deviation);
    cr_assert_not(thaw_dataset_target_scale(dataset, 1, &found, &found_deviation));
    cr_assert(found == 0 && found_deviation == 1);
    for (size_t i = 0; i < thaw_dataset_count(dataset); i++) {
        float sample, target;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, &sample, &target));
        cr_assert_float_eq((double)target, ((double)prices[(size_t)sample - 1] - mean) / deviation, 1e-5);
    }
}

Test(target_scale, is_that_of_the_training_part)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *training, *test;
    double mean, deviation;
    assert_ok(context, npy_open(context, &x, &y, ";split=0.34;seed=3", &training, &test));
    figure(context, training, &mean, &deviation);
    cr_assert_eq(thaw_dataset_count(test), 2);
    assert_scaled(context, training, mean, deviation);
    assert_scaled(context, test, mean, deviation);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    /* The same test part, without the training part. */
    assert_ok(context, npy_open(context, &x, &y, ";split=0.34;seed=3", NULL, &test));
    assert_scaled(context, test, mean, deviation);
    thaw_dataset_destroy(test);
    cr_assert_eq(allocator.live, 1);
    thaw_context_destroy(context);
}

Test(target_scale, each_column_has_its_own_and_a_constant_one_stays)
{
    thaw_context *context = support_context(1);
    thaw_dataset *dataset;
    double mean, deviation;
    const npy_file two = npy_floats("(6, 2)", both, ROWS * COLUMNS);
    assert_ok(context, npy_open(context, &x, &two, "", &dataset, NULL));
    cr_assert(thaw_dataset_target_scale(dataset, 1, &mean, &deviation));
    cr_assert(mean == 1 && deviation == 1);
    for (size_t i = 0; i < ROWS; i++) {
        float sample, targets[2];
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, &sample, targets));
        cr_assert(targets[1] == 0 && fabsf(targets[0]) < 2, "%g %g", (double)targets[0], (double)targets[1]);
    }
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(target_scale, classes_and_labels_have_none)
{
    static const float ones[ROWS * COLUMNS] = { 1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0 };
    thaw_context *context = support_context(1);
    const npy_file labels = npy_floats("(6, 2)", ones, ROWS * COLUMNS);
    const npy_file classes = npy_labels("(6,)", (const uint8_t[]){ 0, 1, 2, 0, 1, 2 }, ROWS);
    const npy_file *const cases[] = { &labels, &classes };
    for (int i = 0; i < 2; i++) {
        thaw_dataset *dataset;
        double mean, deviation;
        assert_ok(context, npy_open(context, &x, cases[i], "", &dataset, NULL));
        cr_assert_not(thaw_dataset_target_scale(dataset, 0, &mean, &deviation));
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

/* What `options` notes, as notes of a model. */
static thaw_model *note(thaw_context *context, const char *options)
{
    thaw_model *model;
    thaw_dataset *dataset;
    assert_ok(context, npy_open(context, &x, &y, options, &dataset, NULL));
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_model_note_data(model, dataset));
    thaw_dataset_destroy(dataset);
    return model;
}

static thaw_status open_noted(thaw_context *context, const thaw_model *model, const char *options,
                              thaw_dataset **dataset)
{
    char path[SUPPORT_PATH_BYTES], text[2 * SUPPORT_PATH_BYTES], directory[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    static const char rows[] = "a,b\n1,200000.5\n2,260000.5\n";
    support_write_file(support_path(path, directory, "rows.csv"), rows, sizeof rows - 1);
    snprintf(text, sizeof text, "csv:%s;label=b%s", path, options);
    const thaw_status status = thaw_dataset_open_noted(context, thaw_model_notes(model), text, dataset, NULL);
    support_remove_directory(directory);
    return status;
}

Test(target_scale, is_noted_and_used_for_other_data)
{
    thaw_context *context = support_context(1);
    thaw_model *scaled = note(context, ""), *raw = note(context, ";scale-target=no");
    thaw_dataset *dataset;
    double mean, deviation;
    float sample, target;
    cr_assert_null(thaw_notes_find(thaw_model_notes(raw), "thaw.targets"));
    assert_ok(context, open_noted(context, scaled, "", &dataset));
    cr_assert(thaw_dataset_target_scale(dataset, 0, &mean, &deviation));
    cr_assert_float_eq(mean, 1310000.0 / 6, 1e-6);
    thaw_dataset_destroy(dataset);
    assert_ok(context, open_noted(context, raw, "", &dataset));
    cr_assert_not(thaw_dataset_target_scale(dataset, 0, &mean, &deviation));
    assert_ok(context, thaw_dataset_read(dataset, &(size_t){ 0 }, 1, &sample, &target));
    cr_assert(target == 200000.5F);
    thaw_dataset_destroy(dataset);
    assert_fails(context, open_noted(context, scaled, ";scale-target=no", &dataset), THAW_INVALID_ARGUMENT,
                 "scale-target=no, but the weights were trained with scale-target=yes");
    assert_fails(context, open_noted(context, raw, ";scale-target=yes", &dataset), THAW_INVALID_ARGUMENT,
                 "scale-target=yes, but the weights were trained with scale-target=no");
    thaw_model_destroy(scaled);
    thaw_model_destroy(raw);
    thaw_context_destroy(context);
}

Test(target_scale, broken_notes_are_refused)
{
    static const char *const broken[] = {
        "[]", "[\"1\"]", "[\"1\",\"0\"]", "[\"1\",\"-2\"]", "[\"x\",\"1\"]", "[\"1\",\"inf\"]", "[\"1\",\"2\",\"3\"]",
        "{}"
    };
    thaw_context *context = support_context(1);
    thaw_model *model = note(context, "");
    for (size_t i = 0; i < THAW_COUNT(broken); i++) {
        thaw_dataset *dataset;
        assert_ok(context, thaw_model_set_note(model, "thaw.targets", broken[i]));
        assert_fails(context, open_noted(context, model, "", &dataset), THAW_BAD_FORMAT, "thaw.targets");
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(target_scale, survives_its_text_bit_for_bit)
{
    thaw_context *context = support_context(1);
    thaw_target_column columns[] = { { 1.0 / 3, 1e-300 }, { -1e300, 2.0 / 7 } };
    const thaw_target_scale scale = { 2, columns };
    thaw_target_scale read;
    char *text;
    assert_ok(context, thaw_target_scale_write(context, &scale, &text));
    assert_ok(context, thaw_target_scale_read(context, text, &read));
    cr_assert_eq(read.count, 2);
    cr_assert_arr_eq(read.columns, columns, sizeof columns);
    thaw_target_scale_release(context, &read);
    thaw_text_destroy(context, text);
    thaw_context_destroy(context);
}

Test(target_scale, numbers_too_far_from_the_mean_are_refused)
{
    static const char content[] = "a,y\n1,1\n1,1.0000001\n1,1\n";
    static const char far[] = "a,y\n1,3e38\n";
    thaw_context *context = support_context(1);
    thaw_dataset *training, *test;
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES], other[SUPPORT_PATH_BYTES],
        text[3 * SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    support_write_file(support_path(path, directory, "rows.csv"), content, sizeof content - 1);
    support_write_file(support_path(other, directory, "far.csv"), far, sizeof far - 1);
    snprintf(text, sizeof text, "csv:%s;label=y;test=%s", path, other);
    assert_fails(context, thaw_dataset_open(context, text, &training, &test), THAW_BAD_FORMAT,
                 "data set: target 3e+38 of sample 0 is too far from the mean, 1");
    cr_assert(training == NULL && test == NULL);
    support_remove_directory(directory);
    thaw_context_destroy(context);
}
