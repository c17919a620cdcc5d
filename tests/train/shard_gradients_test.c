/* Gradients of steps in shards beside those of the whole batch, for networks of all kinds. */
#include <math.h>
#include <stdlib.h>

#include "support/assorted_network.h"
#include "support/gradients.h"
#include "support/support.h"

/* Whether a layer follows its batches, so that shards are no whole batch. */
static bool follows_batches(thaw_model *model)
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++)
        if (thaw_parameter_role(thaw_model_parameter(model, i)) == THAW_STATISTIC)
            return true;
    return false;
}

static void check_gradients(assorted_network *network, size_t index, int64_t shards, double tolerance)
{
    thaw_context *context = thaw_model_context(network->model);
    const thaw_step_options whole = { .gradients_only = true };
    const thaw_step_options cut = { .gradients_only = true, .shards = shards };
    thaw_step_result wanted, found;
    size_t count, same;
    assert_ok(context, thaw_step(network->model, &network->inputs, &network->targets, &whole, &wanted));
    float *one = support_gradients(network->model, &count);
    assert_ok(context, thaw_step(network->model, &network->inputs, &network->targets, &cut, &found));
    float *many = support_gradients(network->model, &same);
    cr_assert_eq(count, same);
    cr_assert(count > 0 && support_norm(one, count) > 0);
    const double apart = support_distance(one, many, count);
    cr_assert_leq(apart, tolerance, "network %zu in %d shards: gradients %.3g apart", index, (int)shards, apart);
    cr_assert_float_eq(found.loss, wanted.loss, 10 * tolerance * fmax(1, fabs(wanted.loss)), "network %zu: %.9g, %.9g",
                       index, found.loss, wanted.loss);
    cr_assert_float_eq(found.loss_weight, wanted.loss_weight, 1e-9);
    cr_assert_eq(found.correct, wanted.correct);
    cr_assert_eq(found.counted, wanted.counted);
    free(one);
    free(many);
}

/* Every kind of layer that does not follow its batches, with frozen prefixes, adapters, masks, dropout. Shards of 7 and
   5 samples do not begin at multiples of four numbers. */
Test(shard_gradients, gradients_are_those_of_the_whole_batch)
{
    static const int64_t counts[] = { 2, 3, 4, 7, 14, 20 };
    size_t checked = 0;
    for (size_t index = 0; index < 2 * ASSORTED_NETWORKS; index++) {
        thaw_context *context = support_context(1 + (int)(index % 2));
        assorted_network network = assorted_open(context, index);
        const bool bfloat16 = index % 6 == 4;
        if (!follows_batches(network.model) && !bfloat16) {
            for (size_t k = 0; k < THAW_COUNT(counts); k++)
                check_gradients(&network, index, counts[k], 1e-6);
            checked++;
        }
        assorted_close(&network);
        thaw_context_destroy(context);
    }
    cr_assert_geq(checked, 8, "%zu networks were checked", checked);
}

/* Two shards scale every gradient by a power of two, so that bfloat16 rounds as in the whole batch. */
Test(shard_gradients, gradients_in_bfloat16_are_those_of_the_whole_batch)
{
    skip_without_bfloat16();
    size_t checked = 0;
    for (size_t index = 4; index < 10 * ASSORTED_NETWORKS; index += 6) {
        thaw_context *context = support_context(1);
        assorted_network network = assorted_open(context, index);
        if (!follows_batches(network.model)) {
            check_gradients(&network, index, 2, 1e-5);
            check_gradients(&network, index, 7, 2e-2);
            checked++;
        }
        assorted_close(&network);
        thaw_context_destroy(context);
    }
    cr_assert_geq(checked, 1, "%zu networks were checked", checked);
}
