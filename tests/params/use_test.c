/* Which stored tensors are in use: those that some layer's parameter is computed from. Only they are counted and
   saved. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/network.h"

enum { BATCH = 5 };

static thaw_context *context;
static thaw_model *model;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    context = support_context(2);
    model = support_network(context, false);
    support_optimize(model, "adam:lr=0.01");
    support_make_directory(directory);
    support_path(path, directory, "saved.safetensors");
}

static void end(void)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    support_remove_directory(directory);
}

static thaw_parameter *find(const char *name)
{
    thaw_parameter *found = thaw_model_find_parameter(model, name);
    cr_assert_not_null(found, "%s", name);
    return found;
}

static size_t total(void)
{
    return thaw_model_summary_totals(model).total_parameters;
}

static void step(uint32_t seed)
{
    assert_ok(context, support_step(model, BATCH, seed, NULL, NULL));
}

Test(use, an_ordinary_model_loads_what_has_no_adapters_left, .init = begin, .fini = end)
{
    const thaw_summary_totals before = thaw_model_summary_totals(model);
    assert_ok(context, thaw_model_freeze(model, "conv1"));
    assert_ok(context, thaw_lora(model, "dense1|conv2", 2, 4));
    cr_assert_gt(total(), before.total_parameters);
    step(1);
    thaw_expression *adapted = thaw_parameter_binding(find("dense1.weight"));
    assert_ok(context, thaw_parameter_bind(model, find("dense1.weight"), NULL));
    const size_t adapters = 2 * (27 + 5);
    cr_assert_eq(total(), before.total_parameters + adapters, "%zu are counted", total());
    assert_ok(context, thaw_parameter_bind(model, find("conv2.weight"), NULL));
    cr_assert_eq(total(), before.total_parameters);
    assert_ok(context, thaw_weights_save(model, path));
    thaw_model *other = support_network(context, false);
    assert_ok(context, thaw_weights_load(other, path, NULL, NULL));
    thaw_model_destroy(other);

    step(2); /* without them: they stay as they are */
    const thaw_parameter *b = find("dense1.weight.lora_B");
    const float value = thaw_parameter_data(b)[0], moment = thaw_parameter_state(b, "exp_avg")[0];
    cr_assert_eq(thaw_parameter_steps(b), 1);
    assert_ok(context, thaw_parameter_bind(model, find("dense1.weight"), adapted));
    cr_assert_eq(thaw_parameter_data(b)[0], value);
    cr_assert_eq(thaw_parameter_state(b, "exp_avg")[0], moment);
    step(3);
    cr_assert_eq(thaw_parameter_steps(b), 2);
}

Test(use, adapters_that_nothing_computes_with_are_not_loaded, .init = begin, .fini = end)
{
    assert_ok(context, thaw_lora(model, "dense1", 2, 4));
    assert_ok(context, thaw_weights_save(model, path));
    thaw_expression *adapted = thaw_parameter_binding(find("dense1.weight"));
    assert_ok(context, thaw_parameter_bind(model, find("dense1.weight"), NULL));
    thaw_load_result result;
    cr_assert_eq(thaw_weights_load(model, path, NULL, &result), THAW_NOT_FOUND);
    cr_assert_str_eq(result.unexpected_names, "dense1.weight.lora_A, dense1.weight.lora_B");
    cr_assert_eq(result.missing, 0);
    thaw_load_result_destroy(context, &result);
    assert_ok(context, thaw_parameter_bind(model, find("dense1.weight"), adapted));
    assert_ok(context, thaw_weights_load(model, path, NULL, NULL));
}

Test(use, an_added_parameter_counts_from_when_a_layer_needs_it, .init = begin, .fini = end)
{
    const size_t before = total();
    const thaw_parameter_specification specification = { .name = "factor",
                                                         .shape = { 1, { 1 } },
                                                         .initializer = THAW_INITIAL_ONE };
    thaw_parameter *added;
    thaw_expression *factor, *weight, *scaled;
    thaw_trainability found;
    assert_ok(context, thaw_model_add_parameter(model, "extra", &specification, &added));
    assert_ok(context, thaw_model_freeze(model, "extra"));
    cr_assert_eq(total(), before);
    assert_ok(context, thaw_model_trainability(model, "*", &found));
    cr_assert_eq(found, THAW_TRAINABLE);
    assert_ok(context, thaw_expression_of(model, added, &factor));
    assert_ok(context, thaw_expression_of(model, find("dense2.weight"), &weight));
    assert_ok(context, thaw_expression_multiply(weight, factor, &scaled));
    cr_assert_eq(total(), before);
    assert_ok(context, thaw_parameter_bind(model, find("dense2.weight"), scaled));
    cr_assert_eq(total(), before + 1);
    assert_ok(context, thaw_model_trainability(model, "*", &found));
    cr_assert_eq(found, THAW_PARTIAL);
}

/* ---- random bindings against a walk over what the test itself has written down ---- */

enum { LAYERS = 4, ADDED = 5, LEAVES = LAYERS + ADDED, EXPRESSIONS = 30, WIDTH = 3, NOTHING = -1 };

typedef struct note {
    thaw_expression *expression;
    unsigned stored, bound; /* a bit for each stored tensor, and for each layer's parameter that it refers to */
} note;

typedef struct notes {
    note pool[EXPRESSIONS];
    int binding[LAYERS];
} notes;

static void name_of(size_t leaf, char name[32])
{
    snprintf(name, 32, leaf < LAYERS ? "layer%zu.weight" : "added.w%zu", leaf);
}

static thaw_model *build_square(void)
{
    thaw_model *made;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &made));
    assert_ok(context, thaw_input(made, &(thaw_shape){ 1, { WIDTH } }, &x));
    for (size_t i = 0; i < LAYERS; i++) {
        char name[32];
        snprintf(name, sizeof name, "layer%zu", i);
        const thaw_dense_options options = { .units = WIDTH, .no_bias = true, .name = name };
        assert_ok(context, thaw_dense(made, x, &options, &x));
    }
    return made;
}

static void fill_pool(notes *n)
{
    size_t count = 0;
    for (size_t i = 0; i < LEAVES; i++) {
        char name[32];
        name_of(i, name);
        if (i >= LAYERS) {
            const thaw_parameter_specification specification = { .name = name + strlen("added."),
                                                                 .shape = { 2, { WIDTH, WIDTH } },
                                                                 .initializer = THAW_INITIAL_ONE };
            thaw_parameter *added;
            assert_ok(context, thaw_model_add_parameter(model, "added", &specification, &added));
        } else {
            n->binding[i] = NOTHING;
            n->pool[count].bound = 1U << i;
            assert_ok(context, thaw_expression_bound(model, find(name), &n->pool[count++].expression));
        }
        n->pool[count].stored = 1U << i;
        assert_ok(context, thaw_expression_of(model, find(name), &n->pool[count++].expression));
    }
    for (; count < EXPRESSIONS; count++) {
        const note *one = &n->pool[(size_t)rand() % count], *other = &n->pool[(size_t)rand() % count];
        n->pool[count] = (note){ NULL, one->stored | other->stored, one->bound | other->bound };
        assert_ok(context, thaw_expression_add(one->expression, other->expression, &n->pool[count].expression));
    }
}

/* The stored tensors that the layer's parameter is computed from. */
static unsigned needed(const notes *n, size_t layer)
{
    if (n->binding[layer] == NOTHING)
        return 1U << layer;
    const note *bound = &n->pool[n->binding[layer]];
    unsigned found = bound->stored;
    for (size_t i = 0; i < LAYERS; i++)
        if (bound->bound >> i & 1)
            found |= needed(n, i);
    return found;
}

static void append_name(char *list, size_t leaf)
{
    char name[32];
    name_of(leaf, name);
    if (*list)
        strcat(list, ", ");
    strcat(list, name);
}

static void check_use(const notes *n, thaw_model *ordinary)
{
    unsigned used = 0;
    for (size_t i = 0; i < LAYERS; i++)
        used |= needed(n, i);
    char missing[200] = "", unexpected[200] = "";
    size_t count = 0;
    for (size_t i = 0; i < LEAVES; i++) {
        const bool in_use = used >> i & 1;
        count += in_use;
        if (in_use == (i >= LAYERS))
            append_name(in_use ? unexpected : missing, i);
    }
    cr_assert_eq(total(), count * WIDTH * WIDTH, "%zu elements, wanted %zu", total(), count * WIDTH * WIDTH);
    assert_ok(context, thaw_weights_save(model, path));
    thaw_load_result result;
    const thaw_load_options options = { .allow_missing = true, .allow_unexpected = true };
    assert_ok(context, thaw_weights_load(ordinary, path, &options, &result));
    cr_assert_str_eq(result.missing_names, missing);
    cr_assert_str_eq(result.unexpected_names, unexpected);
    thaw_load_result_destroy(context, &result);
    assert_ok(context, thaw_weights_load(model, path, NULL, NULL));
}

Test(use, follows_random_bindings)
{
    srand(14);
    context = support_context(1);
    support_make_directory(directory);
    support_path(path, directory, "saved.safetensors");
    int refused = 0;
    for (int model_index = 0; model_index < 10; model_index++) {
        model = build_square();
        thaw_model *ordinary = build_square();
        notes n = { 0 };
        fill_pool(&n);
        for (int i = 0; i < 40; i++) {
            const size_t layer = (size_t)rand() % LAYERS;
            const int choice = rand() % (EXPRESSIONS + 8);
            char name[32];
            name_of(layer, name);
            thaw_expression *bound = choice < EXPRESSIONS ? n.pool[choice].expression : NULL;
            const thaw_status status = thaw_parameter_bind(model, find(name), bound);
            if (status == THAW_OK)
                n.binding[layer] = bound ? choice : NOTHING;
            else
                cr_assert_eq(status, THAW_INVALID_ARGUMENT);
            refused += status != THAW_OK;
            check_use(&n, ordinary);
        }
        thaw_model_destroy(ordinary);
        thaw_model_destroy(model);
    }
    cr_assert(refused > 0 && refused < 200, "%d cycles", refused);
    thaw_context_destroy(context);
    support_remove_directory(directory);
}
