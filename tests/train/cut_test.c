/* A budget that the end of the frozen prefix does not fit: the feature cache keeps what passes an earlier place, and
   training gives the bits that it gives without one. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/files.h"
#include "support/network.h"

enum { INPUT = 12, SAMPLES = 45, EPOCHS = 4, LABEL = sizeof(int32_t) };

/* Sixty values leave the frozen layers: twenty of `wide` and forty of its neighbour. Five pass behind `five`, and
   seven between `few` and `wide`. Nodes: input 0, five 1, tanh 2, few 3, wide 4, relu 5, wider 6, the heads. */
static thaw_model *expanding(thaw_context *context, const thaw_precision *precision)
{
    thaw_model *model;
    thaw_node x, few, wide, wider;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { INPUT } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "five", .units = 5 }, &x));
    assert_ok(context, thaw_tanh(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "few", .units = 2 }, &few));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "wide", .units = 20 }, &wide));
    assert_ok(context, thaw_relu(model, wide, NULL, &wide));
    assert_ok(context, thaw_dense(model, wide, &(thaw_dense_options){ .name = "wider", .units = 40 }, &wider));
    assert_ok(context, thaw_dense(model, few, &(thaw_dense_options){ .name = "head1", .units = 3 }, &few));
    assert_ok(context, thaw_dense(model, wider, &(thaw_dense_options){ .name = "head2", .units = 3 }, &wider));
    assert_ok(context, thaw_add(model, few, wider, NULL, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    assert_ok(context, thaw_model_freeze(model, "five|few|wide*"));
    assert_ok(context, thaw_model_set_precision(model, precision));
    support_optimize(model, "adam:lr=0.01");
    return model;
}

/* ---- where the plan cuts ---- */

typedef struct expectation {
    size_t limit;           /* bytes a sample; 0: none */
    const char *boundaries; /* a 1 for each node whose values are kept */
    size_t bytes;           /* of these, a sample */
    const char *text;       /* in the plan's description; NULL: it has nothing about cuts */
} expectation;

static void check_plan(thaw_context *context, thaw_model *model, const expectation *expected)
{
    const thaw_plan *plan;
    const thaw_plan_options options = { .batch = 16, .cache_sample_bytes = expected->limit };
    assert_ok(context, thaw_model_plan(model, &options, &plan));
    char found[16] = "", *text = NULL;
    for (size_t i = 0; i < thaw_plan_entry_count(plan); i++) {
        thaw_plan_entry entry;
        assert_ok(context, thaw_plan_entry_at(plan, i, &entry));
        found[i] = entry.cache_boundary ? '1' : '0';
    }
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    cr_assert_str_eq(found, expected->boundaries, "limit %zu: %s", expected->limit, found);
    cr_assert_eq(totals.cached_bytes_per_sample, expected->bytes, "limit %zu: %zu bytes", expected->limit,
                 totals.cached_bytes_per_sample);
    cr_assert_eq(totals.prefix_bytes_per_sample, 42 * sizeof(float));
    assert_ok(context, thaw_plan_describe(plan, &text));
    cr_assert(expected->text ? strstr(text, expected->text) != NULL : strstr(text, "budget") == NULL, "%s", text);
    thaw_text_destroy(context, text);
}

Test(cut, is_the_last_place_that_fits)
{
    static const expectation expectations[] = {
        { 0, "00010010000", 42 * 4, NULL },
        { 42 * 4, "00010010000", 42 * 4, NULL },
        { 42 * 4 - 1, "00010100000", 22 * 4, "before its end, which has 168 bytes a sample: the budget allows 167" },
        { 22 * 4, "00010100000", 22 * 4, "before its end" },
        { 22 * 4 - 1, "00110000000", 7 * 4, "before its end" },
        { 7 * 4 - 1, "00100000000", 5 * 4, "before its end" },
        { 5 * 4 - 1, "00000000000", 0, "no feature cache: the end of the frozen prefix has 168 bytes" },
    };
    thaw_context *context = support_context(2);
    thaw_model *model = expanding(context, NULL);
    for (size_t i = 0; i < THAW_COUNT(expectations); i++)
        check_plan(context, model, &expectations[i]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(cut, of_random_data_is_nowhere)
{
    thaw_context *context = support_context(1);
    thaw_model *model = expanding(context, NULL);
    const thaw_plan *plan;
    char *text = NULL;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = 4, .random_data = true }, &plan));
    cr_assert_eq(thaw_plan_totals_of(plan).cached_bytes_per_sample, 0);
    assert_ok(context, thaw_plan_describe(plan, &text));
    cr_assert_not_null(strstr(text, "no feature cache: the data are augmented at random"), "%s", text);
    thaw_text_destroy(context, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- training from there ---- */

static bool read_inputs(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                        size_t capacity)
{
    (void)user, (void)message, (void)capacity;
    for (size_t i = 0; i < count; i++) {
        support_fill(samples + i * INPUT, INPUT, (uint32_t)indices[i]);
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % 3);
    }
    return true;
}

typedef struct outcome {
    float *weights;
    size_t count, cached_epochs;
    thaw_epoch_result epoch_result;
} outcome;

static bool count_cached(void *user, const thaw_epoch_result *epoch_result)
{
    *(size_t *)user += epoch_result->cached;
    return true;
}

static outcome train(const thaw_fit_options *told, const thaw_precision *precision)
{
    outcome result = { 0 };
    thaw_context *context = support_context(2);
    thaw_model *model = expanding(context, precision);
    thaw_dataset *data;
    const thaw_source source = {
        .count = SAMPLES,
        .sample_shape = { 1, { INPUT } },
        .target_dtype = THAW_I32,
        .classes = 3,
        .read = read_inputs,
    };
    assert_ok(context, thaw_dataset_create(context, &source, &data));
    thaw_fit_options options = *told;
    options.epochs = EPOCHS;
    options.batch = 16;
    options.on_epoch = count_cached;
    options.user = &result.cached_epochs;
    assert_ok(context, thaw_fit(model, data, &options, &result.epoch_result));
    result.weights = support_weights(model, &result.count);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return result;
}

static void check_training_in(const thaw_precision *precision, const thaw_fit_options *options, size_t cached_epochs,
                              size_t cache_bytes)
{
    outcome plain = train(&(thaw_fit_options){ 0 }, precision), cached = train(options, precision);
    cr_assert_eq(cached.cached_epochs, cached_epochs, "%zu epochs were cached", cached.cached_epochs);
    cr_assert_eq(cached.epoch_result.cache_bytes, cache_bytes, "%zu bytes", cached.epoch_result.cache_bytes);
    cr_assert(memcmp(plain.weights, cached.weights, plain.count * sizeof(float)) == 0, "weights differ");
    cr_assert_eq(plain.epoch_result.loss, cached.epoch_result.loss);
    free(plain.weights);
    free(cached.weights);
}

static void check_training(const thaw_fit_options *options, size_t cached_epochs, size_t cache_bytes)
{
    check_training_in(NULL, options, cached_epochs, cache_bytes);
}

Test(cut, trains_to_the_bits_of_training_without_a_cache)
{
    static const size_t bytes[] = { 42 * 4, 22 * 4, 7 * 4, 5 * 4 };
    for (size_t i = 0; i < THAW_COUNT(bytes); i++) {
        const size_t budget = SAMPLES * (bytes[i] + LABEL);
        check_training(&(thaw_fit_options){ .cache_bytes = budget }, EPOCHS - 1, budget);
        if (i + 1 < THAW_COUNT(bytes))
            check_training(&(thaw_fit_options){ .cache_bytes = budget - 1 }, EPOCHS - 1,
                           SAMPLES * (bytes[i + 1] + LABEL));
    }
    check_training(&(thaw_fit_options){ .cache_bytes = SAMPLES * (5 * 4 + LABEL) - 1 }, 0, 0);
}

/* What follows the cut in the prefix reads what was kept in bfloat16. */
Test(cut, trains_to_the_same_bits_in_bfloat16)
{
    static const size_t bytes[] = { 42 * 4, 22 * 4, 7 * 4, 5 * 4 };
    skip_without_bfloat16();
    for (size_t i = 0; i < THAW_COUNT(bytes); i++) {
        const size_t budget = SAMPLES * (bytes[i] + LABEL);
        const thaw_fit_options options = { .cache_bytes = budget };
        check_training_in(&(thaw_precision){ .all = THAW_BF16, .emulated = true }, &options, EPOCHS - 1, budget);
        check_training_in(&(thaw_precision){ .frozen = THAW_BF16, .emulated = true }, &options, EPOCHS - 1, budget);
    }
}

/* Rows of a file are multiples of 64 bytes, with eight for a mark and a checksum, behind a header of 4096. */
Test(cut, keeps_a_file_within_its_bytes)
{
    static const struct {
        size_t row, bytes;
    } files[] = { { 192, 42 * 4 }, { 128, 22 * 4 }, { 64, 7 * 4 } };
    static char content[1 << 14];
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    support_make_directory(directory);
    support_path(path, directory, "features");
    for (size_t i = 0; i < THAW_COUNT(files); i++) {
        const size_t budget = 4096 + SAMPLES * files[i].row;
        const thaw_fit_options options = { .cache_file = path, .cache_file_bytes = budget };
        check_training(&options, EPOCHS - 1, SAMPLES * (files[i].bytes + LABEL));
        check_training(&options, EPOCHS, SAMPLES * (files[i].bytes + LABEL));
        cr_assert_leq((size_t)support_read_file(path, content, sizeof content), budget);
    }
    unlink(path);
    check_training(&(thaw_fit_options){ .cache_file = path, .cache_file_bytes = 4096 + SAMPLES * 64 - 1 }, 0, 0);
    cr_assert_neq(access(path, F_OK), 0);
    support_remove_directory(directory);
}
