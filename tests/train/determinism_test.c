/* Same seed and thread count: the same bits. */
#include <stdlib.h>
#include <string.h>

#include "support/max_cpu.h"
#include "support/network.h"

/* Trains a fresh network and returns its weights. */
static float *train(int threads, uint64_t seed, const thaw_fit_options *options, size_t *count)
{
    thaw_context *context;
    cr_assert(
        thaw_context_create(&(thaw_context_options){ .threads = threads, .max_cpu = support_max_cpu(), .seed = seed },
                            &context) == THAW_OK);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, 50, 5);
    support_optimize(model, "adam:lr=0.01");
    assert_ok(context, thaw_fit(model, data, options, NULL));
    float *weights = support_weights(model, count);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return weights;
}

Test(determinism, two_runs_are_equal_to_the_bit)
{
    for (int threads = 1; threads <= 3; threads++) {
        size_t count;
        const thaw_fit_options options = { .epochs = 3, .batch = 16, .clip_norm = 1 };
        float *first = train(threads, 7, &options, &count), *second = train(threads, 7, &options, &count);
        float *other = train(threads, 8, &options, &count);
        cr_assert(memcmp(first, second, count * sizeof(float)) == 0, "%d threads", threads);
        cr_assert(memcmp(first, other, count * sizeof(float)) != 0, "another seed gave the same");
        free(first);
        free(second);
        free(other);
    }
}

/* The shuffle's seed alone must matter too. */
Test(determinism, the_seed_of_a_fit_changes_the_run)
{
    size_t count;
    float *first = train(2, 7, &(thaw_fit_options){ .epochs = 1, .batch = 16, .seed = 1 }, &count);
    float *second = train(2, 7, &(thaw_fit_options){ .epochs = 1, .batch = 16, .seed = 2 }, &count);
    cr_assert(memcmp(first, second, count * sizeof(float)) != 0);
    free(first);
    free(second);
}

Test(determinism, initial_weights_do_not_depend_on_threads)
{
    size_t count;
    thaw_context *one = support_context(1), *seven = support_context(7);
    thaw_model *left = support_network(one, false), *right = support_network(seven, false);
    float *first = support_weights(left, &count), *second = support_weights(right, &count);
    cr_assert(memcmp(first, second, count * sizeof(float)) == 0);
    free(first);
    free(second);
    thaw_model_destroy(left);
    thaw_model_destroy(right);
    thaw_context_destroy(one);
    thaw_context_destroy(seven);
}
