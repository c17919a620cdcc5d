/* If a trainable parameter is combined with one that is not trainable, is it still trainable? This program combines two
   and three of them in every way and freezes them in turn. It prints a table: the combination's trainability, the
   length of each parameter's gradient and the loss's difference quotient along it, and the bytes that have changed
   after ten steps with momentum and weight decay. It exits with 1 if anything differs from thaw/combine.h.
       cc combine.c $(pkg-config --cflags --libs thaw) -lm && ./a.out */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/thaw.h>

enum { OUTPUTS = 4, INPUTS = 6, BATCH = 5, COUNT = OUTPUTS * INPUTS, MOST = 3, MOST_ELEMENTS = 64, STEPS = 10 };

static thaw_context *context;
static bool failed;

static void check(thaw_status status)
{
    if (status == THAW_OK)
        return;
    fprintf(stderr, "combine: %s\n", thaw_context_message(context));
    exit(1);
}

static void expect(bool condition, const char *expression, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "combine: %s: %s\n", expression, what);
    failed = true;
}

static void fill(float *values, size_t count, unsigned seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525 + 1013904223;
        values[i] = (float)(seed >> 8) / (1 << 23) - 1;
    }
}

/* ---- the combinations ---- */

typedef thaw_expression *operands[MOST];

static void sum(const operands of, thaw_expression **result)
{
    check(thaw_expression_add(of[0], of[1], result));
}

static void product(const operands of, thaw_expression **result)
{
    check(thaw_expression_multiply(of[0], of[1], result));
}

/* Every third element is masked. So it is in the row of the nested combination: its length is a multiple of three. */
static bool is_unmasked(size_t index)
{
    return index % 3 != 0;
}

static void mask(const operands of, thaw_expression **result)
{
    unsigned char values[COUNT];
    for (size_t i = 0; i < COUNT; i++)
        values[i] = is_unmasked(i);
    check(thaw_expression_mask(of[0], &(thaw_tensor){ THAW_U8, { 2, { OUTPUTS, INPUTS } }, values }, result));
}

static void concatenation(const operands of, thaw_expression **result)
{
    check(thaw_expression_concatenate(of, 2, 0, result));
}

/* Rows 1 to 4 of six. */
static void slice(const operands of, thaw_expression **result)
{
    check(thaw_expression_slice(of[0], 0, 1, 1 + OUTPUTS, result));
}

static void low_rank(const operands of, thaw_expression **result)
{
    check(thaw_expression_low_rank(of[0], of[1], of[2], 0.5, result));
}

static void tied(const operands of, thaw_expression **result)
{
    *result = of[0];
}

/* A mask of a sum of a product. */
static void nested(const operands of, thaw_expression **result)
{
    operands inner = { NULL };
    check(thaw_expression_multiply(of[0], of[1], &inner[0]));
    check(thaw_expression_add(inner[0], of[2], &inner[0]));
    mask(inner, result);
}

static bool is_in_slice(size_t index)
{
    return index >= INPUTS && index < INPUTS * (1 + OUTPUTS);
}

typedef struct combination {
    const char *name;
    int64_t shapes[MOST][2]; /* of the tensors a, b, c */
    int tensors;
    void (*combine)(const operands of, thaw_expression **result);
    bool (*moves)(size_t index); /* whether the loss depends on the element, so that it trains; NULL: on all */
    int frozen[4];               /* sets of tensors to freeze in turn: a is 1, b is 2, c is 4; ends with -1 */
} combination;

static const combination combinations[] = {
    { "sum", { { OUTPUTS, INPUTS }, { OUTPUTS, INPUTS } }, 2, sum, NULL, { 2, 1, 3, -1 } },
    { "product", { { OUTPUTS, INPUTS }, { 1, INPUTS } }, 2, product, NULL, { 2, 1, 3, -1 } },
    { "mask", { { OUTPUTS, INPUTS } }, 1, mask, is_unmasked, { 0, 1, -1 } },
    { "concatenation", { { 1, INPUTS }, { OUTPUTS - 1, INPUTS } }, 2, concatenation, NULL, { 2, 1, 3, -1 } },
    { "slice", { { OUTPUTS + 2, INPUTS } }, 1, slice, is_in_slice, { 0, 1, -1 } },
    { "low rank", { { OUTPUTS, INPUTS }, { OUTPUTS, 2 }, { 2, INPUTS } }, 3, low_rank, NULL, { 1, 6, 7, -1 } },
    { "tied", { { OUTPUTS, INPUTS } }, 1, tied, NULL, { 0, 1, -1 } },
    { "nested", { { OUTPUTS, INPUTS }, { 1, INPUTS }, { OUTPUTS, INPUTS } }, 3, nested, is_unmasked, { 6, 5, 7, -1 } },
};

static const char *const names[MOST] = { "a", "b", "c" };

/* ---- a network of two layers that both use the combination ---- */

typedef struct network {
    thaw_model *model;
    thaw_parameter *tensors[MOST];
    thaw_expression *expression;
    char *formula;
    float samples[BATCH * INPUTS], targets[BATCH * OUTPUTS];
} network;

static void open_network(network *n, const combination *of)
{
    static const char *const weights[] = { "first.weight", "second.weight" };
    thaw_node x, y, z;
    thaw_optimizer *optimizer;
    operands leaves = { NULL };
    *n = (network){ 0 };
    check(thaw_model_create(context, &n->model));
    check(thaw_input(n->model, &(thaw_shape){ 1, { INPUTS } }, &x));
    check(thaw_dense(n->model, x, &(thaw_dense_options){ .name = "first", .units = OUTPUTS }, &y));
    check(thaw_dense(n->model, x, &(thaw_dense_options){ .name = "second", .units = OUTPUTS }, &z));
    check(thaw_tanh(n->model, z, NULL, &z));
    check(thaw_add(n->model, y, z, NULL, &y));
    check(thaw_mse(n->model, y, NULL, &y));
    for (int i = 0; i < of->tensors; i++) {
        const thaw_parameter_specification wanted = { .name = "w",
                                                      .shape = { 2, { of->shapes[i][0], of->shapes[i][1] } },
                                                      .initializer = THAW_INITIAL_ONE };
        check(thaw_model_add_parameter(n->model, names[i], &wanted, &n->tensors[i]));
        fill(thaw_parameter_edit(n->tensors[i]), thaw_shape_count(&wanted.shape), 10U + (unsigned)i);
        check(thaw_expression_of(n->model, n->tensors[i], &leaves[i]));
    }
    of->combine(leaves, &n->expression);
    check(thaw_expression_describe(n->expression, &n->formula));
    for (int i = 0; i < (of->combine == tied ? 2 : 1); i++)
        check(thaw_parameter_bind(n->model, thaw_model_find_parameter(n->model, weights[i]), n->expression));
    check(thaw_optimizer_create(context, "sgd:lr=0.05,momentum=0.9,weight_decay=0.1", &optimizer));
    check(thaw_select_optimizer(n->model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    fill(n->samples, BATCH * INPUTS, 1);
    fill(n->targets, BATCH * OUTPUTS, 2);
}

static double step(network *n, bool gradients_only)
{
    const thaw_tensor samples = thaw_view_f32(n->samples, 2, (int64_t[]){ BATCH, INPUTS });
    const thaw_tensor targets = thaw_view_f32(n->targets, 2, (int64_t[]){ BATCH, OUTPUTS });
    thaw_step_result result;
    check(thaw_step(n->model, &samples, &targets, &(thaw_step_options){ .gradients_only = gradients_only }, &result));
    return result.loss;
}

/* ---- checks ---- */

static size_t count_of(const thaw_parameter *tensor)
{
    return thaw_shape_count(thaw_parameter_shape(tensor));
}

/* The gradient's length, or -1 if there is none; `gradient` becomes a copy. */
static double measure_gradient(network *n, int tensor, float *gradient)
{
    step(n, true);
    const float *found = thaw_parameter_gradient(n->tensors[tensor]);
    double sum_of_squares = 0;
    if (!found)
        return -1;
    for (size_t i = 0; i < count_of(n->tensors[tensor]); i++) {
        gradient[i] = found[i];
        sum_of_squares += (double)found[i] * (double)found[i];
    }
    return sqrt(sum_of_squares);
}

/* The loss's slope along the gradient, from two losses; it must equal the gradient's length. */
static double measure_slope(network *n, int tensor, const float *gradient, double length)
{
    float before[MOST_ELEMENTS];
    double losses[2];
    const size_t count = count_of(n->tensors[tensor]);
    const double distance = 0.01;
    memcpy(before, thaw_parameter_data(n->tensors[tensor]), count * sizeof *before);
    for (int side = 0; side < 2; side++) {
        float *values = thaw_parameter_edit(n->tensors[tensor]);
        for (size_t i = 0; i < count; i++)
            values[i] = (float)((double)before[i] + (side ? distance : -distance) * (double)gradient[i] / length);
        losses[side] = step(n, true);
    }
    memcpy(thaw_parameter_edit(n->tensors[tensor]), before, count * sizeof *before);
    return (losses[1] - losses[0]) / (2 * distance);
}

static size_t count_moved(const combination *of, const network *n, int tensor, const float *before, bool trains)
{
    const float *now = thaw_parameter_data(n->tensors[tensor]);
    size_t moved = 0;
    for (size_t i = 0; i < count_of(n->tensors[tensor]); i++) {
        const bool same = memcmp(&now[i], &before[i], sizeof *now) == 0;
        expect(same == !(trains && (!of->moves || of->moves(i))), n->formula,
               "an element moved that must not, or the reverse");
        moved += !same;
    }
    return moved * sizeof *now;
}

/* Frozen if all are, trainable if all train, else partial; a mask holds some elements back. */
static thaw_trainability expected_of(const combination *of, int frozen)
{
    const int everything = (1 << of->tensors) - 1;
    if (frozen == everything)
        return THAW_FROZEN;
    return frozen == 0 && of->moves != is_unmasked ? THAW_TRAINABLE : THAW_PARTIAL;
}

static void show_gradient(network *n, int tensor, bool trains)
{
    float gradient[MOST_ELEMENTS];
    const double length = measure_gradient(n, tensor, gradient);
    expect((length > 0) == trains, n->formula, "a gradient exists that must not, or the reverse");
    printf("%s %s: ", tensor ? ";" : " |", names[tensor]);
    if (length < 0) {
        printf("none");
        return;
    }
    const double slope = measure_slope(n, tensor, gradient, length);
    expect(fabs(slope - length) < 1e-3 * fmax(1, length), n->formula, "the gradient is not the loss's slope");
    printf("%.4f (%.4f)", length, slope);
}

/* Freezes some of the tensors and prints a row. */
static void show(const combination *of, int frozen)
{
    network n;
    float before[MOST][MOST_ELEMENTS];
    char trains[32] = "";
    open_network(&n, of);
    for (int i = 0; i < of->tensors; i++)
        if (frozen >> i & 1)
            check(thaw_model_freeze(n.model, names[i]));
        else
            strcat(strcat(trains, *trains ? ", " : ""), names[i]);
    const thaw_trainability found = thaw_parameter_trainability(thaw_model_find_parameter(n.model, "first.weight"));
    expect(found == expected_of(of, frozen), n.formula, "trainability does not follow the rule");
    printf("| %s | `%s` | %s | %s", of->name, n.formula, *trains ? trains : "none", thaw_trainability_name(found));
    for (int i = 0; i < of->tensors; i++) {
        show_gradient(&n, i, !(frozen >> i & 1));
        memcpy(before[i], thaw_parameter_data(n.tensors[i]), count_of(n.tensors[i]) * sizeof(float));
    }
    for (int i = 0; i < STEPS; i++)
        step(&n, false);
    for (int i = 0; i < of->tensors; i++)
        printf("%s %s: %zu of %zu", i ? ";" : " |", names[i], count_moved(of, &n, i, before[i], !(frozen >> i & 1)),
               count_of(n.tensors[i]) * sizeof(float));
    printf(" |\n");
    thaw_text_destroy(context, n.formula);
    thaw_model_destroy(n.model);
}

int main(void)
{
    if (thaw_context_create(&(thaw_context_options){ .threads = 2, .seed = 1 }, &context) != THAW_OK)
        return 1;
    printf("| combination | weight | trains | is | gradient (slope of the loss) | bytes changed after %d steps |\n",
           STEPS);
    printf("|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < THAW_COUNT(combinations); i++)
        for (const int *frozen = combinations[i].frozen; *frozen >= 0; frozen++)
            show(&combinations[i], *frozen);
    thaw_context_destroy(context);
    return failed;
}
