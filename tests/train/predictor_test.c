/* Predictors: what a file of weights answers about images. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "data/folder_fixture.h"
#include "io/safetensors.h"
#include "support/files.h"
#include "support/support.h"

enum { IMAGES = 6, CLASSES = 3, SIDE = 28 };

static thaw_context *context;
static char weights[SUPPORT_PATH_BYTES];
static double expected[IMAGES][CLASSES]; /* of the images in order */

static const char *const names[IMAGES] = { "images/a/0", "images/a/1", "images/b/0",
                                           "images/b/1", "images/c/0", "images/c/1" };

/* The answers, from a data set of the same images, and a softmax of this test's own. */
static void answer(thaw_model *model, thaw_dataset *dataset)
{
    static float samples[IMAGES][SIDE * SIDE], logits[IMAGES][CLASSES];
    int32_t labels[IMAGES];
    const size_t indices[IMAGES] = { 0, 1, 2, 3, 4, 5 };
    assert_ok(context, thaw_dataset_read(dataset, indices, IMAGES, samples[0], labels));
    const thaw_tensor inputs = thaw_view_f32(samples[0], 4, (int64_t[]){ IMAGES, SIDE, SIDE, 1 });
    const thaw_tensor outputs = thaw_view_f32(logits[0], 2, (int64_t[]){ IMAGES, CLASSES });
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
    for (int i = 0; i < IMAGES; i++) {
        double sum = 0;
        for (int c = 0; c < CLASSES; c++)
            sum += exp((double)logits[i][c]);
        for (int c = 0; c < CLASSES; c++)
            expected[i][c] = exp((double)logits[i][c]) / sum;
    }
}

/* Untrained weights with all notes. */
static void begin(void)
{
    const thaw_folder_options options = { .size = SIDE, .channels = 1, .mean = { 0.25F }, .std = { 0.125F } };
    thaw_model *model;
    thaw_dataset *dataset;
    char folder[SUPPORT_PATH_BYTES];
    folder_set_up();
    context = folder_context(2);
    for (int i = 0; i < IMAGES; i++)
        folder_put_image(names[i], 40 * i + 7);
    assert_ok(context, thaw_dataset_open_folder(context, folder_join(folder, "images"),
                                                &(thaw_folder_options){ .size = options.size,
                                                                        .channels = options.channels,
                                                                        .mean = { options.mean[0] },
                                                                        .std = { options.std[0] },
                                                                        .validation = -1 },
                                                &dataset, NULL));
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, "transfer-cnn", CLASSES));
    assert_ok(context, thaw_model_note_data(model, dataset));
    answer(model, dataset);
    assert_ok(context, thaw_weights_save(model, folder_join(weights, "weights")));
    thaw_model_destroy(model);
    thaw_dataset_destroy(dataset);
}

static void end(void)
{
    thaw_context_destroy(context);
    folder_tear_down();
}

TestSuite(predictor, .init = begin, .fini = end);

static thaw_predictor *open_weights(const thaw_predictor_options *options)
{
    thaw_predictor *predictor;
    assert_ok(context, thaw_predictor_open(context, weights, options, &predictor));
    return predictor;
}

static void assert_scores(const float *scores, int image)
{
    for (int c = 0; c < CLASSES; c++)
        cr_assert(fabs((double)scores[c] - expected[image][c]) < 1e-6, "image %d, class %d: %g, wanted %g", image, c,
                  (double)scores[c], expected[image][c]);
}

Test(predictor, answers_as_evaluation_does)
{
    thaw_predictor *predictor = open_weights(NULL);
    cr_assert_eq(thaw_predictor_classes(predictor), CLASSES);
    cr_assert_str_eq(thaw_predictor_class_name(predictor, 0), "a");
    cr_assert_str_eq(thaw_predictor_class_name(predictor, 2), "c");
    cr_assert_null(thaw_predictor_class_name(predictor, 3));
    const thaw_folder_options *images = thaw_predictor_images(predictor);
    cr_assert(images->size == SIDE && images->channels == 1 && images->mean[0] == 0.25F && images->std[0] == 0.125F);
    for (int i = 0; i < IMAGES; i++) {
        char path[SUPPORT_PATH_BYTES], bytes[4096];
        float scores[CLASSES];
        assert_ok(context, thaw_predictor_file(predictor, folder_join(path, names[i]), scores));
        assert_scores(scores, i);
        const long count = support_read_file(path, bytes, sizeof bytes);
        memset(scores, 0, sizeof scores);
        assert_ok(context, thaw_predictor_image(predictor, bytes, (size_t)count, scores));
        assert_scores(scores, i);
    }
    thaw_predictor_destroy(predictor);
    thaw_predictor_destroy(NULL);
}

Test(predictor, reads_many_files_and_says_which_fail)
{
    static float samples[IMAGES][SIDE * SIDE], scores[IMAGES][CLASSES];
    char stored[IMAGES][SUPPORT_PATH_BYTES];
    const char *paths[IMAGES];
    thaw_reading readings[IMAGES];
    thaw_predictor *predictor = open_weights(NULL);
    folder_put_text(names[1], "no image");
    for (int i = 0; i < IMAGES; i++)
        paths[i] = folder_join(stored[i], i == 4 ? "absent" : names[i]);
    assert_ok(context, thaw_predictor_read_files(predictor, paths, IMAGES, samples[0], readings));
    const thaw_tensor view = thaw_view_f32(samples[0], 4, (int64_t[]){ IMAGES, SIDE, SIDE, 1 });
    assert_ok(context, thaw_predictor_samples(predictor, &view, scores[0]));
    for (int i = 0; i < IMAGES; i++) {
        if (i == 1 || i == 4)
            continue;
        cr_assert(readings[i].status == THAW_OK && !readings[i].message[0]);
        assert_scores(scores[i], i);
    }
    cr_assert(readings[1].status == THAW_BAD_FORMAT && strcmp(readings[1].message, "is neither JPEG nor PNG") == 0);
    cr_assert(readings[4].status == THAW_IO_ERROR && strstr(readings[4].message, "No such file"));
    assert_fails(context, thaw_predictor_file(predictor, paths[1], scores[0]), THAW_BAD_FORMAT,
                 "images/a/1: is neither JPEG nor PNG");
    assert_fails(context, thaw_predictor_image(predictor, "no image", 8, scores[0]), THAW_BAD_FORMAT,
                 "the image is neither JPEG nor PNG");
    assert_fails(context, thaw_predictor_image(predictor, "", 0, scores[0]), THAW_BAD_FORMAT, "the image is");
    thaw_predictor_destroy(predictor);
}

Test(predictor, ranks_classes)
{
    static const struct {
        float scores[CLASSES];
        size_t best[CLASSES];
    } cases[] = {
        { { 0.2F, 0.5F, 0.3F }, { 1, 2, 0 } }, { { 1, 0, 0 }, { 0, 1, 2 } },         { { 0, 0, 1 }, { 2, 0, 1 } },
        { { 0.1F, 0.2F, 0.7F }, { 2, 1, 0 } }, { { NAN, 0.5F, 0.5F }, { 1, 2, 0 } }, { { NAN, NAN, 0 }, { 2, 0, 1 } },
    };
    thaw_predictor *predictor = open_weights(NULL);
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        for (size_t most = 1; most <= CLASSES; most++) {
            size_t best[CLASSES + 1] = { 9, 9, 9, 9 };
            thaw_predictor_best(predictor, cases[i].scores, most, best);
            for (size_t k = 0; k <= CLASSES; k++)
                cr_assert_eq(best[k], k < most ? cases[i].best[k] : 9, "case %zu, %zu of %zu: %zu", i, k, most,
                             best[k]);
        }
    thaw_predictor_destroy(predictor);
}

Test(predictor, options_come_before_notes)
{
    static const char *const own[] = { "x", "y", "z" };
    thaw_predictor *predictor =
        open_weights(&(thaw_predictor_options){ .images = "mean=0.75;resize=40", .class_names = own });
    const thaw_folder_options *images = thaw_predictor_images(predictor);
    cr_assert(images->mean[0] == 0.75F && images->std[0] == 0.125F && images->resize == 40 && images->size == SIDE);
    cr_assert_str_eq(thaw_predictor_class_name(predictor, 1), "y");
    thaw_predictor_destroy(predictor);
    static const thaw_predictor_options bad[] = {
        { .images = "mean=x" }, { .images = "val=0.2" }, { .images = "frame=2" }, { .model = "transfer-cn" }
    };
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        const thaw_status status = thaw_predictor_open(context, weights, &bad[i], &predictor);
        cr_assert(!predictor && (status == THAW_INVALID_ARGUMENT || status == THAW_NOT_FOUND), "case %zu: %s", i,
                  thaw_context_message(context));
    }
    assert_fails(context,
                 thaw_predictor_open(context, weights, &(thaw_predictor_options){ .images = "channels=3" }, &predictor),
                 THAW_SHAPE_MISMATCH, "images become samples of shape [28, 28, 3], the network takes [28, 28, 1]");
    assert_fails(context, thaw_predictor_open(context, weights, &(thaw_predictor_options){ .classes = 4 }, &predictor),
                 THAW_SHAPE_MISMATCH, "dense2");
}

/* Saves a network with these notes instead of its own; NULL removes one. */
static void save_noted(const char *network, const char *outputs, const char *classes)
{
    thaw_model *model;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, "transfer-cnn", CLASSES));
    assert_ok(context, thaw_model_set_note(model, "thaw.model", network));
    assert_ok(context, thaw_model_set_note(model, "thaw.outputs", outputs));
    assert_ok(context, thaw_model_set_note(model, "thaw.classes", classes));
    assert_ok(context, thaw_weights_save(model, weights));
    thaw_model_destroy(model);
}

Test(predictor, refuses_notes_that_cannot_be)
{
    thaw_predictor *predictor;
    static const struct {
        const char *network, *outputs, *classes, *message;
    } cases[] = {
        { NULL, "3", NULL, "does not name its network" },
        { "transfer-cnm", "3", NULL, "did you mean" },
        { "transfer-cnn", "4000000000", NULL, "thaw.outputs is \"4000000000\"" },
        { "transfer-cnn", "0", NULL, "thaw.outputs is \"0\"" },
        { "transfer-cnn", "2.5", NULL, "thaw.outputs is \"2.5\"" },
        { "transfer-cnn", "three", NULL, "thaw.outputs is \"three\"" },
        { "transfer-cnn", "4", NULL, "dense2" },
        { "transfer-cnn", "3", "[\"a\",\"b\"]", "thaw.classes has 2 names, the network 3 outputs" },
        { "transfer-cnn", "3", "[1]", "thaw.classes" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        save_noted(cases[i].network, cases[i].outputs, cases[i].classes);
        const thaw_status status = thaw_predictor_open(context, weights, NULL, &predictor);
        cr_assert(status != THAW_OK && !predictor, "case %zu", i);
        cr_assert_not_null(strstr(thaw_context_message(context), cases[i].message), "%s: lacks %s",
                           thaw_context_message(context), cases[i].message);
    }
    save_noted("transfer-cnn", "3", NULL);
    predictor = open_weights(NULL);
    cr_assert_str_eq(thaw_predictor_class_name(predictor, 2), "2");
    cr_assert_eq(thaw_predictor_images(predictor)->size, SIDE);
    thaw_predictor_destroy(predictor);
}

/* ---------------------------------------------------------------- threads */

static void *answer_all(void *failures)
{
    thaw_context *own;
    thaw_predictor *predictor = NULL;
    int *failed = failures;
    *failed = thaw_context_create(&(thaw_context_options){ .threads = 1 }, &own) != THAW_OK;
    for (int round = 0; round < 5 && !*failed; round++) {
        *failed += thaw_predictor_open(own, weights, NULL, &predictor) != THAW_OK;
        for (int i = 0; i < IMAGES && !*failed; i++) {
            char path[SUPPORT_PATH_BYTES], bytes[4096];
            float scores[CLASSES];
            snprintf(path, sizeof path, "%.400s/%s", folder_path, names[i]);
            const long count = i % 2 ? support_read_file(path, bytes, sizeof bytes) : 0;
            *failed += (i % 2 ? thaw_predictor_image(predictor, bytes, (size_t)count, scores)
                              : thaw_predictor_file(predictor, path, scores)) != THAW_OK;
            for (int c = 0; c < CLASSES; c++)
                *failed += !(fabs((double)scores[c] - expected[i][c]) < 1e-6);
        }
        thaw_predictor_destroy(predictor);
    }
    thaw_context_destroy(own);
    return NULL;
}

Test(predictor, threads_with_contexts_of_their_own_do_not_disturb_each_other)
{
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    int failures[THREADS];
    for (int i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, answer_all, &failures[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        cr_assert_eq(failures[i], 0, "thread %d", i);
    }
}
