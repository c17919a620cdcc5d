#include "plan/drawn_network.h"

#include <math.h>

#include "support/fusing_toys.h"

/* By Knuth's MMIX constants. */
size_t draw_number(uint64_t *state, size_t below)
{
    *state = *state * 6364136223846793005U + 1442695040888963407U;
    return (size_t)(*state >> 33) % below;
}

size_t drawn_inputs(const thaw_layer_module *module)
{
    return module->source ? 0 : module == &toy_sum || module == &toy_product || module == &toy_join ? 2 : 1;
}

bool drawn_has_factor(const thaw_layer_module *module)
{
    return module == &toy_scale || module == &toy_center || module == &toy_bias || module == &toy_linear ||
           module == &toy_whole || module == &toy_map;
}

/* Mostly the newest node, so that much depends on each other. */
static thaw_node pick_input(uint64_t *random, size_t newest)
{
    return (thaw_node)(draw_number(random, 3) ? newest : draw_number(random, newest + 1));
}

drawn_network draw_network(uint64_t seed, const thaw_layer_module *const *from, size_t kind_count)
{
    uint64_t random = seed;
    drawn_network drawn = { .count = 5 + draw_number(&random, 8) };
    const size_t loss = drawn.count - 1;
    for (size_t i = 1; i < loss; i++) {
        drawn.module[i] = from[draw_number(&random, kind_count)];
        drawn.inputs[i][0] = pick_input(&random, i - 1);
        drawn.inputs[i][1] = pick_input(&random, i - 1);
        drawn.frozen[i] = draw_number(&random, 2);
    }
    drawn.module[loss] = &toy_quadratic;
    drawn.inputs[loss][0] = (thaw_node)loss - 1;
    drawn.used[loss] = true;
    for (size_t i = loss; i > 0; i--)
        for (size_t k = 0; drawn.used[i] && k < drawn_inputs(drawn.module[i]); k++)
            drawn.used[drawn.inputs[i][k]] = true;
    support_fill(drawn.samples, DRAWN_COUNT, (uint32_t)seed + 1000);
    support_fill(drawn.targets, DRAWN_COUNT, (uint32_t)seed + 2000);
    return drawn;
}

/* ---- the definition ---- */

static double value_of(const drawn_network *n, size_t node, double a, double b)
{
    const thaw_layer_module *module = n->module[node];
    if (module->source)
        return module == &toy_bias ? n->factor[node] : 0.75;
    if (module == &toy_map)
        return n->factor[node] * (a + 1);
    if (drawn_has_factor(module))
        return n->factor[node] * a;
    if (module == &toy_sum || module == &toy_join)
        return a + b;
    if (module == &toy_product)
        return a * b;
    if (module == &toy_curve)
        return tanh(a);
    return module == &toy_relu ? fmax(a, 0) : a;
}

double drawn_loss(const drawn_network *n, double outputs[DRAWN_COUNT])
{
    double loss = 0;
    for (size_t i = 0; i < DRAWN_COUNT; i++) {
        double values[DRAWN_MOST] = { (double)n->samples[i] };
        for (size_t node = 1; node < n->count - 1; node++)
            values[node] = value_of(n, node, values[n->inputs[node][0]], values[n->inputs[node][1]]);
        outputs[i] = values[n->count - 2];
        loss += pow(outputs[i] - (double)n->targets[i], 2) / 2 / DRAWN_BATCH;
    }
    return loss;
}

double drawn_gradient(const drawn_network *n, size_t node)
{
    const double step = 1e-7; /* larger steps meet a kink of some ReLU */
    double outputs[DRAWN_COUNT];
    drawn_network moved = *n;
    moved.factor[node] = n->factor[node] + step;
    const double above = drawn_loss(&moved, outputs);
    moved.factor[node] = n->factor[node] - step;
    return (above - drawn_loss(&moved, outputs)) / (2 * step);
}

/* ---- the model ---- */

/* Layers are named by their index. */
thaw_group *drawn_group(thaw_model *model, size_t node)
{
    thaw_summary_entry row;
    assert_ok(thaw_model_context(model), thaw_model_summary_entry(model, node, &row));
    return thaw_model_find_group(model, row.name);
}

thaw_model *drawn_model(thaw_context *context, drawn_network *n)
{
    thaw_model *model = toy_model(context, DRAWN_WIDTH);
    for (size_t i = 1; i < n->count; i++) {
        const size_t inputs = drawn_inputs(n->module[i]);
        toy_append(model, n->module[i], NULL, inputs > 0 ? n->inputs[i][0] : -1, inputs > 1 ? n->inputs[i][1] : -1);
        if (!drawn_has_factor(n->module[i]))
            continue;
        const thaw_group *group = drawn_group(model, i);
        n->factor[i] = (double)thaw_parameter_data(thaw_group_parameter(group, 0))[0];
        if (n->frozen[i])
            assert_ok(context, thaw_model_freeze(model, thaw_group_name(group)));
    }
    return model;
}

bool drawn_trains(const drawn_network *n)
{
    for (size_t i = 1; i < n->count; i++)
        if (drawn_has_factor(n->module[i]) && n->used[i] && !n->frozen[i])
            return true;
    return false;
}
