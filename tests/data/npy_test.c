#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/small_npy.h"
#include "support/allocator.h"
#include "support/support.h"

/* ---- files that NumPy wrote (tests/golden/arrays.py) ---- */

static double golden_value(const char *name, size_t k)
{
    switch (name[0]) {
    case 'u':
        return strncmp(name, "u1_", 3) == 0 ? (double)((float)k / 255.0F) : (double)k; /* images of bytes */
    case 'i':
        return (double)k - 5;
    case 'b':
        return (double)(k % 2);
    default:
        return ((double)k - 5) / 2;
    }
}

static const int32_t golden_labels[] = { 2, 0, 1 };

static void check_golden(thaw_context *context, const char *description, const char *name)
{
    thaw_dataset *dataset;
    assert_ok(context, thaw_dataset_open(context, description, &dataset, NULL));
    cr_assert_eq(thaw_dataset_count(dataset), 3);
    const thaw_shape wanted = { .rank = 3, .dims = { 2, 2, 1 } };
    cr_assert(thaw_shape_equal(thaw_dataset_sample_shape(dataset), &wanted));
    cr_assert_eq(thaw_dataset_classes(dataset), 3);
    for (size_t n = 0; n < 3; n++) {
        float sample[4];
        int32_t label;
        assert_ok(context, thaw_dataset_read(dataset, &n, 1, sample, &label));
        cr_assert_eq(label, golden_labels[n]);
        for (size_t i = 0; i < 4; i++)
            cr_assert((double)sample[i] == golden_value(name, 4 * n + i), "%s: sample %zu, %zu is %g", name, n, i,
                      (double)sample[i]);
    }
    thaw_dataset_destroy(dataset);
}

Test(npy, all_types_and_orders_that_numpy_writes)
{
    static const char *const types[] = { "f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1" };
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    char path[SUPPORT_PATH_BYTES], name[32], text[2 * SUPPORT_PATH_BYTES];
    support_golden(path, "types.npz");
    for (size_t t = 0; t < THAW_COUNT(types); t++)
        for (int kind = 0; kind < 4; kind++) {
            snprintf(name, sizeof name, "%s_%s_%s", types[t], kind & 1 ? "big" : "little", kind & 2 ? "F" : "C");
            snprintf(text, sizeof text, "npz:%s;x=%s", path, name);
            check_golden(context, text, name);
            cr_assert_eq(allocator.live, 1, "%s leaks", name);
        }
    thaw_context_destroy(context);
}

Test(npy, packed_archives_and_all_versions, .init = folder_set_up, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    char path[SUPPORT_PATH_BYTES], text[3 * SUPPORT_PATH_BYTES];
    snprintf(text, sizeof text, "npz:%s", support_golden(path, "packed.npz"));
    check_golden(context, text, "f4");
    const npy_file y = npy_labels("(3,)", (const uint8_t[]){ 2, 0, 1 }, 3);
    const int descriptor = support_memory_file(path, y.bytes, y.count);
    for (int version = 2; version <= 3; version++) {
        char golden[SUPPORT_PATH_BYTES], file[32];
        snprintf(file, sizeof file, "version%d.npy", version);
        snprintf(text, sizeof text, "npy:%s,%s", support_golden(golden, file), path);
        check_golden(context, text, "f8");
    }
    close(descriptor);
    thaw_context_destroy(context);
}

/* ---- what arrays mean ---- */

static const float numbers[12] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };

Test(npy, targets_decide_about_the_task, .init = folder_set_up, .fini = folder_tear_down)
{
    static const struct {
        const char *shape, *options;
        bool floats;
        float values[4];
        size_t count;
        thaw_task task;
        size_t classes;
        int rank;
    } cases[] = {
        { "(2,)", "", false, { 1, 0 }, 2, THAW_TASK_CLASSES, 2, 0 },
        { "(2, 1)", "", false, { 4, 0 }, 2, THAW_TASK_CLASSES, 5, 0 },
        { "(2,)", ";scale-target=no", true, { 1, 0 }, 2, THAW_TASK_REGRESSION, 0, 1 },
        { "(2,)", ";task=classes", true, { 1, 0 }, 2, THAW_TASK_CLASSES, 2, 0 },
        { "(2,)", ";task=regression;scale-target=no", false, { 7, 200 }, 2, THAW_TASK_REGRESSION, 0, 1 },
        { "(2, 2)", "", true, { 1, 0, 0, 1 }, 4, THAW_TASK_LABELS, 0, 1 },
        { "(2, 2)", "", false, { 1, 0, 1, 1 }, 4, THAW_TASK_LABELS, 0, 1 },
        { "(2, 2)", ";scale-target=no", true, { 1, 0, 0.5F, 1 }, 4, THAW_TASK_REGRESSION, 0, 1 },
        { "(2, 2)", ";task=regression;scale-target=no", true, { 1, 0, 0, 1 }, 4, THAW_TASK_REGRESSION, 0, 1 },
        { "(2,)", ";task=labels", true, { 1, 0 }, 2, THAW_TASK_LABELS, 0, 1 },
    };
    thaw_context *context = support_context(1);
    const npy_file x = npy_floats("(2, 3)", numbers, 6);
    for (size_t c = 0; c < THAW_COUNT(cases); c++) {
        uint8_t bytes[4];
        for (size_t i = 0; i < 4; i++)
            bytes[i] = (uint8_t)cases[c].values[i];
        const npy_file y = cases[c].floats ? npy_floats(cases[c].shape, cases[c].values, cases[c].count)
                                           : npy_labels(cases[c].shape, bytes, cases[c].count);
        thaw_dataset *dataset;
        assert_ok(context, npy_open(context, &x, &y, cases[c].options, &dataset, NULL));
        cr_assert_eq(thaw_dataset_task(dataset), cases[c].task, "case %zu: task %d", c, thaw_dataset_task(dataset));
        cr_assert_eq(thaw_dataset_classes(dataset), cases[c].classes, "case %zu", c);
        for (size_t n = 0; n < 2; n++) {
            float sample[3], targets[2];
            int32_t label;
            assert_ok(context, thaw_dataset_read(dataset, &n, 1, sample, targets));
            cr_assert(sample[1] == (float)(3 * n + 1));
            if (cases[c].task == THAW_TASK_CLASSES)
                cr_assert_eq(*(int32_t *)memcpy(&label, targets, sizeof label), (int32_t)cases[c].values[n], "case %zu",
                             c);
            else
                for (size_t i = 0; i < cases[c].count / 2; i++)
                    cr_assert(targets[i] == cases[c].values[cases[c].count / 2 * n + i], "case %zu", c);
        }
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

Test(npy, images_get_their_channels_last, .init = folder_set_up, .fini = folder_tear_down)
{
    static const struct {
        const char *shape, *options;
        int64_t dims[3];
        float first[4]; /* elements of the first sample */
    } cases[] = {
        { "(2, 3, 1, 2)", "", { 1, 2, 3 }, { 0, 2, 4, 1 } }, /* channels first */
        { "(2, 1, 2, 3)", "", { 1, 2, 3 }, { 0, 1, 2, 3 } },
        { "(2, 1, 2, 3)", ";layout=chw", { 2, 3, 1 }, { 0, 1, 2, 3 } },
        { "(1, 2, 2, 3)", ";layout=chw", { 2, 3, 2 }, { 0, 6, 1, 7 } },
        { "(2, 2, 3)", "", { 2, 3, 1 }, { 0, 1, 2, 3 } },
    };
    thaw_context *context = support_context(1);
    for (size_t c = 0; c < THAW_COUNT(cases); c++) {
        const npy_file x = npy_floats(cases[c].shape, numbers, 12);
        const npy_file y = npy_labels(cases[c].shape[1] == '1' ? "(1,)" : "(2,)", (const uint8_t[]){ 0, 1 },
                                      cases[c].shape[1] == '1' ? 1 : 2);
        thaw_dataset *dataset;
        float sample[12];
        int32_t label;
        assert_ok(context, npy_open(context, &x, &y, cases[c].options, &dataset, NULL));
        const thaw_shape *shape = thaw_dataset_sample_shape(dataset);
        cr_assert_eq(shape->rank, 3);
        for (int d = 0; d < 3; d++)
            cr_assert_eq(shape->dims[d], cases[c].dims[d], "case %zu", c);
        assert_ok(context, thaw_dataset_read(dataset, &(size_t){ 0 }, 1, sample, &label));
        for (size_t i = 0; i < 4; i++)
            cr_assert(sample[i] == cases[c].first[i], "case %zu: element %zu is %g", c, i, (double)sample[i]);
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

/* ---- test data ---- */

static void collect(thaw_context *context, thaw_dataset *dataset, bool *seen)
{
    for (size_t n = 0; n < thaw_dataset_count(dataset); n++) {
        float sample;
        int32_t label;
        assert_ok(context, thaw_dataset_read(dataset, &n, 1, &sample, &label));
        cr_assert(sample >= 0 && sample < 10 && !seen[(int)sample], "sample %g", (double)sample);
        cr_assert_eq(label, (int)sample % 2, "a label goes with its sample");
        seen[(int)sample] = true;
    }
}

Test(npy, a_split_is_drawn_by_its_seed, .init = folder_set_up, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    const npy_file x = npy_floats("(10, 1)", numbers, 10);
    const npy_file y = npy_labels("(10,)", (const uint8_t[]){ 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 }, 10);
    float drawn[3][3];
    for (int round = 0; round < 3; round++) {
        thaw_dataset *training, *test;
        bool seen[10] = { false };
        assert_ok(context,
                  npy_open(context, &x, &y, round == 2 ? ";split=0.3;seed=8" : ";split=0.3", &training, &test));
        cr_assert_eq(thaw_dataset_count(training), 7);
        cr_assert_eq(thaw_dataset_count(test), 3);
        int32_t labels[3];
        assert_ok(context, thaw_dataset_read(test, (const size_t[]){ 0, 1, 2 }, 3, drawn[round], labels));
        collect(context, training, seen);
        collect(context, test, seen);
        for (int i = 0; i < 10; i++)
            cr_assert(seen[i]);
        thaw_dataset_destroy(training);
        thaw_dataset_destroy(test);
    }
    cr_assert_eq(memcmp(drawn[0], drawn[1], sizeof drawn[0]), 0);
    cr_assert_neq(memcmp(drawn[0], drawn[2], sizeof drawn[0]), 0);
    thaw_context_destroy(context);
}

Test(npy, classes_are_selected, .init = folder_set_up, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    const npy_file x = npy_floats("(4, 1)", numbers, 4);
    const npy_file y = npy_labels("(4,)", (const uint8_t[]){ 2, 1, 2, 0 }, 4);
    thaw_dataset *dataset;
    assert_ok(context, npy_open(context, &x, &y, ";classes=1-2;per-class=1", &dataset, NULL));
    cr_assert_eq(thaw_dataset_count(dataset), 2);
    cr_assert_eq(thaw_dataset_classes(dataset), 2);
    float sample;
    int32_t label;
    assert_ok(context, thaw_dataset_read(dataset, &(size_t){ 1 }, 1, &sample, &label));
    cr_assert(sample == 1 && label == 0);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}
