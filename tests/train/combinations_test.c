/* Weights that are computed from several tensors, trained for ten steps beside PyTorch
   (tests/golden/combinations.py). */

#include "support/golden.h"
#include "support/support.h"

enum {
    BATCH = 5,
    INPUTS = 13,
    OUTPUTS = 7,
    RANK = 3,
    SIDE = 4,
    CHANNELS = 3,
    FILTERS = 5,
    MOST_LEAVES = 3,
    MOST = 512
};

typedef struct trial {
    thaw_context *context;
    thaw_model *model;
    thaw_parameter *leaves[MOST_LEAVES];
    size_t leaf_count;
    thaw_expression *expressions[MOST_LEAVES]; /* of the leaves */
    thaw_tensor samples, targets;
    float values[2][BATCH * SIDE * SIDE * FILTERS];
} trial;

typedef struct golden_trial {
    const char *name;
    const char *names[MOST_LEAVES]; /* NULL: the tensor is frozen */
    thaw_shape shapes[MOST_LEAVES]; /* rank 0: the layer's own weight */
    void (*layers)(trial *t);
    thaw_status (*bind)(trial *t, thaw_expression **result);
    const char *bound; /* parameter */
    const char *optimizer;
} golden_trial;

/* ---- networks ---- */

static void build_dense(trial *t)
{
    thaw_node x;
    assert_ok(t->context, thaw_input(t->model, &(thaw_shape){ 1, { INPUTS } }, &x));
    assert_ok(t->context,
              thaw_dense(t->model, x, &(thaw_dense_options){ .name = "own", .units = OUTPUTS, .no_bias = true }, &x));
    assert_ok(t->context, thaw_mse(t->model, x, NULL, &x));
    t->samples = thaw_view_f32(t->values[0], 2, (int64_t[]){ BATCH, INPUTS });
    t->targets = thaw_view_f32(t->values[1], 2, (int64_t[]){ BATCH, OUTPUTS });
}

static void build_two(trial *t)
{
    thaw_node x;
    assert_ok(t->context, thaw_input(t->model, &(thaw_shape){ 1, { INPUTS } }, &x));
    assert_ok(t->context,
              thaw_dense(t->model, x, &(thaw_dense_options){ .name = "own", .units = INPUTS, .no_bias = true }, &x));
    assert_ok(t->context, thaw_tanh(t->model, x, NULL, &x));
    assert_ok(t->context,
              thaw_dense(t->model, x, &(thaw_dense_options){ .name = "second", .units = INPUTS, .no_bias = true }, &x));
    assert_ok(t->context, thaw_mse(t->model, x, NULL, &x));
    t->samples = thaw_view_f32(t->values[0], 2, (int64_t[]){ BATCH, INPUTS });
    t->targets = thaw_view_f32(t->values[1], 2, (int64_t[]){ BATCH, INPUTS });
}

static void build_convolution(trial *t)
{
    thaw_node x;
    assert_ok(t->context, thaw_input(t->model, &(thaw_shape){ 3, { SIDE, SIDE, CHANNELS } }, &x));
    const thaw_conv2d_options options = {
        .name = "own", .filters = FILTERS, .kernel = { 3, 3 }, .padding = { 1, 1 }, .no_bias = true
    };
    assert_ok(t->context, thaw_conv2d(t->model, x, &options, &x));
    assert_ok(t->context, thaw_mse(t->model, x, NULL, &x));
    t->samples = thaw_view_f32(t->values[0], 4, (int64_t[]){ BATCH, SIDE, SIDE, CHANNELS });
    t->targets = thaw_view_f32(t->values[1], 4, (int64_t[]){ BATCH, SIDE, SIDE, FILTERS });
}

/* ---- expressions ---- */

static thaw_status bind_low_rank(trial *t, thaw_expression **result)
{
    assert_ok(t->context, thaw_model_freeze(t->model, "own"));
    return thaw_expression_low_rank(t->expressions[0], t->expressions[1], t->expressions[2], 1.5, result);
}

static thaw_status bind_weight_norm(trial *t, thaw_expression **result)
{
    return thaw_expression_weight_norm(t->expressions[0], t->expressions[1], result);
}

static thaw_status bind_mask(trial *t, thaw_expression **result)
{
    unsigned char mask[OUTPUTS * INPUTS];
    for (size_t i = 0; i < THAW_COUNT(mask); i++)
        mask[i] = i % 3 != 1;
    return thaw_expression_mask(t->expressions[0], &(thaw_tensor){ THAW_U8, { 2, { OUTPUTS, INPUTS } }, mask }, result);
}

static thaw_status bind_broadcast(trial *t, thaw_expression **result)
{
    thaw_expression *product;
    const thaw_status status = thaw_expression_multiply(t->expressions[0], t->expressions[1], &product);
    return status == THAW_OK ? thaw_expression_subtract(product, t->expressions[2], result) : status;
}

static thaw_status bind_parts(trial *t, thaw_expression **result)
{
    thaw_expression *slice;
    const thaw_status status = thaw_expression_slice(t->expressions[1], 1, 4, 4 + INPUTS, &slice);
    return status == THAW_OK
               ? thaw_expression_concatenate((thaw_expression *[]){ t->expressions[0], slice }, 2, 0, result)
               : status;
}

static thaw_status bind_tied(trial *t, thaw_expression **result)
{
    return thaw_expression_multiply(t->expressions[0], t->expressions[1], result);
}

static const char decaying[] = "sgd:lr=0.1,momentum=0.9,weight_decay=0.05", plain[] = "sgd:lr=0.1,momentum=0.9";

static const golden_trial trials[] = {
    { "lora",
      { NULL, "up", "down" },
      { { 0 }, { 2, { OUTPUTS, RANK } }, { 2, { RANK, INPUTS } } },
      build_dense,
      bind_low_rank,
      "own.weight",
      decaying },
    { "weight_norm",
      { "magnitude", "direction" },
      { { 2, { OUTPUTS, 1 } }, { 0 } },
      build_dense,
      bind_weight_norm,
      "own.weight",
      decaying },
    { "mask", { "weight" }, { { 0 } }, build_dense, bind_mask, "own.weight", plain },
    { "broadcast",
      { "one", "row", "column" },
      { { 0 }, { 1, { INPUTS } }, { 2, { OUTPUTS, 1 } } },
      build_dense,
      bind_broadcast,
      "own.weight",
      decaying },
    { "concatenate",
      { "top", "wide" },
      { { 2, { 2, INPUTS } }, { 2, { OUTPUTS - 2, INPUTS + 4 } } },
      build_dense,
      bind_parts,
      "own.weight",
      plain },
    { "tied", { "shared", "factor" }, { { 0 }, { 1, { 1 } } }, build_two, bind_tied, "second.weight", decaying },
    { "lora-convolution",
      { NULL, "up", "down" },
      { { 0 }, { 2, { FILTERS, RANK } }, { 2, { RANK, CHANNELS * 9 } } },
      build_convolution,
      bind_low_rank,
      "own.weight",
      decaying },
};

/* ---- running ---- */

static thaw_parameter *make_leaf(trial *t, const golden_trial *wanted, size_t index)
{
    if (wanted->shapes[index].rank == 0)
        return thaw_model_find_parameter(t->model, "own.weight");
    thaw_parameter *made;
    const thaw_parameter_specification specification = { .name = wanted->names[index],
                                                         .shape = wanted->shapes[index],
                                                         .initializer = THAW_INITIAL_ONE };
    assert_ok(t->context, thaw_model_add_parameter(t->model, "added", &specification, &made));
    return made;
}

static size_t count_leaves(const golden_trial *wanted)
{
    size_t count = MOST_LEAVES;
    while (count > 1 && !wanted->names[count - 1])
        count--;
    return count;
}

static void open_trial(trial *t, const golden_trial *wanted)
{
    *t = (trial){ .context = support_context(2), .leaf_count = count_leaves(wanted) };
    assert_ok(t->context, thaw_model_create(t->context, &t->model));
    wanted->layers(t);
    support_fill(t->values[0], THAW_COUNT(t->values[0]), 1);
    support_fill(t->values[1], THAW_COUNT(t->values[1]), 2);
    for (size_t i = 0; i < t->leaf_count; i++) {
        t->leaves[i] = make_leaf(t, wanted, i);
        support_fill(thaw_parameter_edit(t->leaves[i]), thaw_shape_count(thaw_parameter_shape(t->leaves[i])),
                     10 + (uint32_t)i);
        assert_ok(t->context, thaw_expression_of(t->model, t->leaves[i], &t->expressions[i]));
    }
    thaw_expression *bound;
    assert_ok(t->context, wanted->bind(t, &bound));
    assert_ok(t->context, thaw_parameter_bind(t->model, thaw_model_find_parameter(t->model, wanted->bound), bound));
    thaw_optimizer *optimizer;
    assert_ok(t->context, thaw_optimizer_create(t->context, wanted->optimizer, &optimizer));
    assert_ok(t->context, thaw_select_optimizer(t->model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
}

/* `found` gives the numbers of a leaf. */
static void compare(const trial *t, const golden_trial *wanted, FILE *golden, const char *what,
                    const float *(*found)(const thaw_parameter *parameter), double tolerance)
{
    for (size_t i = 0; i < t->leaf_count; i++) {
        if (!wanted->names[i])
            continue;
        char name[64];
        float expected[MOST];
        const size_t count = thaw_shape_count(thaw_parameter_shape(t->leaves[i]));
        snprintf(name, sizeof name, "%s-%s", wanted->names[i], what);
        golden_read(golden, name, expected, count);
        assert_close(found(t->leaves[i]), expected, count, tolerance, name);
    }
}

Test(combinations, gradients_and_ten_steps_are_those_of_pytorch)
{
    FILE *golden = golden_open("combinations.txt");
    for (size_t i = 0; i < THAW_COUNT(trials); i++) {
        trial t;
        open_trial(&t, &trials[i]);
        golden_case(golden, trials[i].name);
        for (int step = 0; step < 10; step++) {
            assert_ok(t.context, thaw_step(t.model, &t.samples, &t.targets, NULL, NULL));
            if (step == 0)
                compare(&t, &trials[i], golden, "gradient", thaw_parameter_gradient, 2e-6);
        }
        compare(&t, &trials[i], golden, "trained", thaw_parameter_data, 1e-5);
        thaw_model_destroy(t.model);
        thaw_context_destroy(t.context);
    }
    fclose(golden);
}
