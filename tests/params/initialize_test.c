/* Initial values: their distributions, and that they depend on seed, layer and parameter alone. */
#include <math.h>
#include <string.h>

#include "support/max_cpu.h"
#include "support/philox.h"
#include "support/support.h"

enum { COUNT = 100003, FAN_IN = 50, FAN_OUT = 150 };

/* A layer with parameters "p0", "p1" ... of this kind. */
typedef struct wish {
    thaw_initializer initializer;
    size_t parameters;
    double fan_in, fan_out;
} wish;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const wish *wanted = options;
    thaw_status status = thaw_builder_output(builder, thaw_builder_input(builder, 0));
    for (size_t i = 0; status == THAW_OK && i < wanted->parameters; i++) {
        const char name[] = { 'p', (char)('0' + i), '\0' };
        status = thaw_builder_parameter(builder, &(thaw_parameter_specification){ .name = name,
                                                                                  .shape = { 1, { COUNT } },
                                                                                  .initializer = wanted->initializer,
                                                                                  .fan_in = wanted->fan_in,
                                                                                  .fan_out = wanted->fan_out });
    }
    return status;
}

static const thaw_layer_module module = { THAW_LAYER_MODULE_HEAD, .name = "wish", .options_size = sizeof(wish),
                                          .build = build };

static thaw_context *context_with(int threads, uint64_t seed)
{
    thaw_context *context = NULL;
    cr_assert_eq(thaw_context_create(&(thaw_context_options){ .threads = threads,
                                                              .max_cpu = support_max_cpu(),
                                                              .seed = seed },
                                     &context),
                 THAW_OK);
    return context;
}

/* Layers "wish1" and "wish2" of two parameters each, on the input. */
static thaw_model *make_model(thaw_context *context, thaw_initializer initializer)
{
    thaw_model *model = NULL;
    thaw_node node = 0;
    const thaw_node input = 0;
    const wish wanted = { initializer, 2, FAN_IN, FAN_OUT };
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 3 } }, &node));
    for (int i = 0; i < 2; i++)
        assert_ok(context, thaw_model_append(model, &module, NULL, &input, 1, &wanted, &node));
    return model;
}

static const float *values_of(thaw_model *model, const char *name)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    cr_assert_not_null(parameter, "%s", name);
    return thaw_parameter_data(parameter);
}

/* ---- distributions ---- */

static double share_within(const float *values, double limit)
{
    size_t inside = 0;
    for (size_t i = 0; i < COUNT; i++)
        inside += fabs((double)values[i]) <= limit;
    return (double)inside / COUNT;
}

static void assert_moments(const float *values, double deviation)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < COUNT; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    const double mean = sum / COUNT, variance = squares / COUNT;
    cr_assert_lt(fabs(mean), 4 * deviation / sqrt(COUNT), "mean %g with deviation %g", mean, deviation);
    cr_assert(fabs(variance / (deviation * deviation) - 1) < 0.02, "variance %g, wanted %g", variance,
              deviation * deviation);
}

static void assert_uniform(thaw_initializer initializer, double bound)
{
    thaw_context *context = context_with(1, 3);
    thaw_model *model = make_model(context, initializer);
    const float *values = values_of(model, "wish2.p1");
    assert_moments(values, bound / sqrt(3));
    cr_assert_eq(share_within(values, bound), 1);
    cr_assert_lt(share_within(values, 0.999 * bound), 1, "the bound is further out than anything found");
    for (double part = 0.1; part < 1; part += 0.1)
        cr_assert(fabs(share_within(values, part * bound) - part) < 0.007, "within %g of the bound", part);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void assert_normal(thaw_initializer initializer, double deviation)
{
    thaw_context *context = context_with(1, 3);
    thaw_model *model = make_model(context, initializer);
    const float *values = values_of(model, "wish2.p1");
    assert_moments(values, deviation);
    for (double sigmas = 0.5; sigmas < 4; sigmas += 0.5)
        cr_assert(fabs(share_within(values, sigmas * deviation) - erf(sigmas / sqrt(2))) < 0.007, "within %g sigma",
                  sigmas);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(initialize, draws_what_the_papers_say)
{
    assert_uniform(THAW_INITIAL_DEFAULT, 1 / sqrt(FAN_IN));
    assert_uniform(THAW_INITIAL_HE_UNIFORM, sqrt(6.0 / FAN_IN));
    assert_uniform(THAW_INITIAL_XAVIER_UNIFORM, sqrt(6.0 / (FAN_IN + FAN_OUT)));
    assert_normal(THAW_INITIAL_HE_NORMAL, sqrt(2.0 / FAN_IN));
    assert_normal(THAW_INITIAL_XAVIER_NORMAL, sqrt(2.0 / (FAN_IN + FAN_OUT)));
    assert_normal(THAW_INITIAL_HE_NORMAL_OUT, sqrt(2.0 / FAN_OUT));
    assert_normal(THAW_INITIAL_NORMAL, 1);
    assert_uniform(THAW_INITIAL_UNIFORM_OUT, 1 / sqrt(FAN_OUT));
    assert_normal(THAW_INITIAL_SMALL_NORMAL, 0.01);
    assert_normal(THAW_INITIAL_TRANSFORMER, 0.02);
}

Test(initialize, writes_constants)
{
    thaw_context *context = context_with(1, 3);
    const thaw_initializer initializers[] = { THAW_INITIAL_ZERO, THAW_INITIAL_ONE };
    for (size_t k = 0; k < 2; k++) {
        thaw_model *model = make_model(context, initializers[k]);
        const float *values = values_of(model, "wish1.p0");
        for (size_t i = 0; i < COUNT; i++)
            cr_assert_eq(values[i], (float)k);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

/* ---- what values depend on ---- */

static const char *const names[] = { "wish1.p0", "wish1.p1", "wish2.p0", "wish2.p1" };
static const thaw_initializer random_ones[] = { THAW_INITIAL_DEFAULT, THAW_INITIAL_HE_NORMAL };

Test(initialize, is_the_same_for_any_thread_count_and_in_any_model)
{
    for (size_t k = 0; k < THAW_COUNT(random_ones); k++) {
        thaw_context *one = context_with(1, 5), *three = context_with(3, 5);
        thaw_model *expected = make_model(one, random_ones[k]);
        thaw_model *models[] = { make_model(one, random_ones[k]), make_model(three, random_ones[k]) };
        for (size_t m = 0; m < 2; m++) {
            for (size_t i = 0; i < THAW_COUNT(names); i++)
                cr_assert_eq(memcmp(values_of(models[m], names[i]), values_of(expected, names[i]),
                                    COUNT * sizeof(float)),
                             0, "%s of model %zu", names[i], m);
            thaw_model_destroy(models[m]);
        }
        thaw_model_destroy(expected);
        thaw_context_destroy(one);
        thaw_context_destroy(three);
    }
}

static void assert_unlike(const float *a, const float *b, const char *what)
{
    double product = 0, squares = 0;
    size_t equal = 0;
    for (size_t i = 0; i < COUNT; i++) {
        product += (double)a[i] * (double)b[i];
        squares += (double)a[i] * (double)a[i];
        equal += a[i] == b[i];
    }
    cr_assert_lt(equal, 100, "%s: %zu equal values", what, equal);
    cr_assert_lt(fabs(product / squares), 0.02, "%s: correlation %g", what, product / squares);
}

Test(initialize, differs_between_layers_parameters_and_seeds)
{
    for (size_t k = 0; k < THAW_COUNT(random_ones); k++) {
        thaw_context *context = context_with(1, 5), *other_seed = context_with(1, 6);
        thaw_model *model = make_model(context, random_ones[k]), *other = make_model(other_seed, random_ones[k]);
        for (size_t i = 0; i < THAW_COUNT(names); i++) {
            assert_unlike(values_of(model, names[i]), values_of(other, names[i]), "another seed");
            for (size_t j = 0; j < i; j++)
                assert_unlike(values_of(model, names[i]), values_of(model, names[j]), names[i]);
        }
        thaw_model_destroy(other);
        thaw_model_destroy(model);
        thaw_context_destroy(other_seed);
        thaw_context_destroy(context);
    }
}

/* A head that is trained from its first values gets others when it is reset, with the same seed too. */
Test(initialize, draws_new_values_at_each_reset_and_the_same_in_each_model)
{
    static float first[COUNT], second[COUNT];
    for (size_t k = 0; k < THAW_COUNT(random_ones); k++) {
        thaw_context *context = context_with(1, 5);
        thaw_model *model = make_model(context, random_ones[k]), *other = make_model(context, random_ones[k]);
        for (size_t i = 0; i < THAW_COUNT(names); i++) {
            memcpy(first, values_of(model, names[i]), sizeof first);
            assert_ok(context, thaw_model_reset(model, names[i]));
            memcpy(second, values_of(model, names[i]), sizeof second);
            assert_unlike(second, first, "a reset");
            for (size_t j = 0; j < THAW_COUNT(names); j++)
                assert_unlike(second, values_of(other, names[j]), names[j]);
            assert_ok(context, thaw_model_reset(other, names[i]));
            cr_assert_eq(memcmp(values_of(other, names[i]), second, sizeof second), 0, "%s", names[i]);
            assert_ok(context, thaw_model_reset(model, names[i]));
            assert_unlike(values_of(model, names[i]), first, "a second reset");
            assert_unlike(values_of(model, names[i]), second, "a second reset");
        }
        thaw_model_destroy(other);
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}

/* ---- against the definition ---- */

static const size_t looked_at[] = { 0, 1, 2, 3, 4, 255, 256, 257, 1000, 65536, COUNT - 1 };

Test(initialize, uniform_values_come_from_philox)
{
    thaw_context *context = context_with(1, 99);
    thaw_model *model = make_model(context, THAW_INITIAL_DEFAULT);
    for (size_t n = 0; n < THAW_COUNT(names); n++)
        for (size_t i = 0; i < THAW_COUNT(looked_at); i++) {
            const uint32_t bits = support_philox_initial(99, 1 + (uint32_t)n / 2, n % 2, looked_at[i]);
            const double unit = (double)(bits >> 8) / 16777216, expected = (2 * unit - 1) / sqrt(FAN_IN);
            const float found = values_of(model, names[n])[looked_at[i]];
            cr_assert_eq(found, (float)expected, "%s[%zu] is %.9g, wanted %.9g", names[n], looked_at[i], (double)found,
                         expected);
        }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(initialize, normal_values_come_from_pairs_by_box_and_muller)
{
    thaw_context *context = context_with(1, 99);
    thaw_model *model = make_model(context, THAW_INITIAL_HE_NORMAL);
    for (size_t i = 0; i < THAW_COUNT(looked_at); i++) {
        const size_t pair = looked_at[i] & ~(size_t)1;
        const double first = ((double)support_philox_initial(99, 2, 1, pair) + 1) / 4294967296;
        const double angle = 2 * acos(-1) * (double)support_philox_initial(99, 2, 1, pair + 1) / 4294967296;
        const double expected = sqrt(-2 * log(first) * 2 / FAN_IN) * (looked_at[i] == pair ? cos(angle) : sin(angle));
        const float found = values_of(model, "wish2.p1")[looked_at[i]];
        cr_assert(fabs((double)found - expected) < 1e-6, "element %zu is %.9g, wanted %.9g", looked_at[i],
                  (double)found, expected);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- what is refused ---- */

Test(initialize, refuses_fans_and_initializers_that_give_no_distribution)
{
    const wish wishes[] = {
        { THAW_INITIAL_DEFAULT, 1, 0, 1 },
        { THAW_INITIAL_DEFAULT, 1, -4, 1 },
        { THAW_INITIAL_HE_NORMAL, 1, NAN, 1 },
        { THAW_INITIAL_HE_UNIFORM, 1, INFINITY, 1 },
        { THAW_INITIAL_XAVIER_NORMAL, 1, 0, 0 },
        { THAW_INITIAL_XAVIER_UNIFORM, 1, 3, -3 },
        { (thaw_initializer)(THAW_INITIAL_CONSTANT + 1), 1, 3, 3 },
        { (thaw_initializer)-1, 1, 3, 3 },
    };
    thaw_context *context = context_with(1, 5);
    thaw_model *model = make_model(context, THAW_INITIAL_DEFAULT);
    const thaw_node input = 0;
    for (size_t i = 0; i < THAW_COUNT(wishes); i++) {
        thaw_node node;
        assert_fails(context, thaw_model_append(model, &module, "bad", &input, 1, &wishes[i], &node),
                     THAW_INVALID_ARGUMENT,
                     i < 6 ? "bad: parameter \"p0\" needs" : "bad: parameter \"p0\" has an unknown");
        cr_assert_eq(thaw_model_group_count(model), 2);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
