/* What layers begin with: PyTorch's defaults, and the initializers that they are told, each against its formula. */
#include <math.h>

#include "support/support.h"

/* Sizes that give thousands of values a parameter, and fans that all differ. */
enum { CHANNELS = 48, FILTERS = 96, KERNEL = 5, GROUPS = 2, STEPS = 9, SIDE = 7, UNITS = 40 };

static thaw_context *context;
static thaw_model *model;
static thaw_node sequence_end, image_end;

static void begin(void)
{
    context = support_context(1);
    assert_ok(context, thaw_model_create(context, &model));
}

static void end(void)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_node input(int rank, int64_t first)
{
    thaw_node node;
    const thaw_shape sequence = { 2, { first, CHANNELS } }, image = { 3, { first, first, CHANNELS } };
    assert_ok(context, thaw_input(model, rank == 2 ? &sequence : &image, &node));
    return node;
}

static const thaw_parameter *find(const char *name)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    cr_assert_not_null(parameter, "%s", name);
    return parameter;
}

/* The mean is 0 and the variance this deviation's square, within five standard errors of samples from a distribution
   whose fourth moment is `kurtosis` times the variance's square. */
static void assert_moments(const char *name, double deviation, double kurtosis)
{
    const thaw_parameter *parameter = find(name);
    const float *values = thaw_parameter_data(parameter);
    const double count = (double)thaw_shape_count(thaw_parameter_shape(parameter));
    double sum = 0, squares = 0;
    for (size_t i = 0; i < (size_t)count; i++) {
        sum += (double)values[i];
        squares += (double)values[i] * (double)values[i];
    }
    cr_assert_lt(fabs(sum / count), 5 * deviation / sqrt(count), "%s: the mean is %g", name, sum / count);
    const double ratio = squares / count / (deviation * deviation);
    cr_assert_lt(fabs(ratio - 1), 5 * sqrt((kurtosis - 1) / count), "%s: the variance is %g times the one wanted", name,
                 ratio);
}

static double largest(const char *name)
{
    const thaw_parameter *parameter = find(name);
    const float *values = thaw_parameter_data(parameter);
    const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, fabs((double)values[i]));
    return most;
}

static void assert_uniform(const char *name, double bound)
{
    assert_moments(name, bound / sqrt(3), 1.8);
    cr_assert_leq(largest(name), bound * (1 + 1e-6), "%s reaches %g, wanted at most %g", name, largest(name), bound);
}

/* A uniform distribution of this deviation ends at 1.73 times it. */
static void assert_normal(const char *name, double deviation)
{
    assert_moments(name, deviation, 3);
    cr_assert_gt(largest(name), 2 * deviation, "%s reaches %g only", name, largest(name));
}

static void assert_constant(const char *name, float wanted)
{
    const thaw_parameter *parameter = find(name);
    const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(thaw_parameter_data(parameter)[i], wanted, "%s[%zu] is %g, wanted %g", name, i,
                     (double)thaw_parameter_data(parameter)[i], (double)wanted);
}

/* torch.nn.init's fans of a weight [FILTERS, CHANNELS / GROUPS, KERNEL]. */
Test(initializers, of_conv1d, .init = begin, .fini = end)
{
    const double fan_in = CHANNELS / GROUPS * KERNEL, fan_out = FILTERS * KERNEL;
    const thaw_node x = input(2, STEPS);
    thaw_conv1d_options o = { .name = "usual", .filters = FILTERS, .kernel = KERNEL, .groups = GROUPS };
    assert_ok(context, thaw_conv1d(model, x, &o, &sequence_end));
    assert_uniform("usual.weight", 1 / sqrt(fan_in));
    assert_uniform("usual.bias", 1 / sqrt(fan_in));
    o.name = "told";
    o.initializer = THAW_INITIAL_HE_NORMAL_OUT;
    o.bias_initializer = THAW_INITIAL_ZERO;
    assert_ok(context, thaw_conv1d(model, x, &o, &sequence_end));
    assert_normal("told.weight", sqrt(2 / fan_out));
    assert_constant("told.bias", 0);
}

/* Of a weight [CHANNELS, FILTERS / GROUPS, KERNEL, 3], whose second dimension PyTorch takes for the inputs. */
Test(initializers, of_conv_transpose2d, .init = begin, .fini = end)
{
    const double fan_in = FILTERS / GROUPS * KERNEL * 3, fan_out = CHANNELS * KERNEL * 3;
    const thaw_node x = input(3, SIDE);
    thaw_conv_transpose2d_options o = {
        .name = "usual", .filters = FILTERS, .kernel = { KERNEL, 3 }, .groups = GROUPS
    };
    assert_ok(context, thaw_conv_transpose2d(model, x, &o, &image_end));
    assert_uniform("usual.weight", 1 / sqrt(fan_in));
    assert_uniform("usual.bias", 1 / sqrt(fan_in));
    o.name = "told";
    o.initializer = THAW_INITIAL_XAVIER_UNIFORM;
    o.bias_initializer = THAW_INITIAL_ONE;
    assert_ok(context, thaw_conv_transpose2d(model, x, &o, &image_end));
    assert_uniform("told.weight", sqrt(6 / (fan_in + fan_out)));
    assert_constant("told.bias", 1);
}

/* PyTorch draws all of them from one distribution; torch.nn.init takes a weight's dimensions for its fans. */
static void check_recurrent(thaw_status (*append)(thaw_model *model, thaw_node input,
                                                  const thaw_recurrent_options *options, thaw_node *output),
                            int gates)
{
    static const char *const all[] = { "usual.weight_ih_l0", "usual.weight_hh_l0_reverse", "usual.bias_ih_l0",
                                       "usual.bias_hh_l0_reverse", "usual.weight_ih_l1" };
    const double rows = (double)gates * UNITS;
    const thaw_node x = input(2, STEPS);
    thaw_recurrent_options o = { .name = "usual", .units = UNITS, .layers = 2, .bidirectional = true };
    assert_ok(context, append(model, x, &o, &sequence_end));
    for (size_t i = 0; i < THAW_COUNT(all); i++)
        assert_uniform(all[i], 1 / sqrt(UNITS));
    o.name = "told";
    o.initializer = THAW_INITIAL_XAVIER_NORMAL;
    o.bias_initializer = THAW_INITIAL_ZERO;
    assert_ok(context, append(model, x, &o, &sequence_end));
    assert_normal("told.weight_ih_l0", sqrt(2 / (CHANNELS + rows)));
    assert_normal("told.weight_hh_l0_reverse", sqrt(2 / (UNITS + rows)));
    assert_normal("told.weight_ih_l1", sqrt(2 / (2 * UNITS + rows)));
    assert_constant("told.bias_ih_l0", 0);
    assert_constant("told.bias_hh_l1_reverse", 0);
    o.name = "biased";
    o.bias_initializer = THAW_INITIAL_HE_UNIFORM;
    assert_ok(context, append(model, x, &o, &sequence_end));
    assert_uniform("biased.bias_ih_l0", sqrt(6.0 / CHANNELS));
    assert_uniform("biased.bias_hh_l0", sqrt(6.0 / UNITS));
}

Test(initializers, of_lstm, .init = begin, .fini = end)
{
    check_recurrent(thaw_lstm, 4);
}

Test(initializers, of_gru, .init = begin, .fini = end)
{
    check_recurrent(thaw_gru, 3);
}

typedef struct normalisation {
    const char *name;
    thaw_initializer initializer, bias_initializer;
} normalisation;

static thaw_status append_batch_norm(thaw_node x, const normalisation *n)
{
    return thaw_batch_norm(model, x,
                           &(thaw_batch_norm_options){ .name = n->name,
                                                       .initializer = n->initializer,
                                                       .bias_initializer = n->bias_initializer },
                           &image_end);
}

static thaw_status append_layer_norm(thaw_node x, const normalisation *n)
{
    return thaw_layer_norm(model, x,
                           &(thaw_layer_norm_options){ .name = n->name,
                                                       .dimensions = 3,
                                                       .initializer = n->initializer,
                                                       .bias_initializer = n->bias_initializer },
                           &image_end);
}

static thaw_status append_group_norm(thaw_node x, const normalisation *n)
{
    return thaw_group_norm(model, x,
                           &(thaw_group_norm_options){ .name = n->name,
                                                       .groups = 4,
                                                       .initializer = n->initializer,
                                                       .bias_initializer = n->bias_initializer },
                           &image_end);
}

static void check_normalisation(thaw_status (*append)(thaw_node x, const normalisation *n))
{
    const thaw_node x = input(3, SIDE);
    assert_ok(context, append(x, &(normalisation){ .name = "usual" }));
    assert_constant("usual.weight", 1);
    assert_constant("usual.bias", 0);
    /* The last of a residual block starts at zero: Goyal et al. 2017, arXiv 1706.02677. */
    assert_ok(context, append(x, &(normalisation){ "told", THAW_INITIAL_ZERO, THAW_INITIAL_ONE }));
    assert_constant("told.weight", 0);
    assert_constant("told.bias", 1);
    assert_ok(context, append(x, &(normalisation){ "drawn", THAW_INITIAL_SMALL_NORMAL, THAW_INITIAL_SMALL_NORMAL }));
    assert_moments("drawn.weight", 0.01, 3);
    assert_moments("drawn.bias", 0.01, 3);
    assert_fails(context, append(x, &(normalisation){ "fans", THAW_INITIAL_HE_NORMAL, THAW_INITIAL_DEFAULT }),
                 THAW_INVALID_ARGUMENT, "fans: parameter \"weight\" needs fans");
    assert_fails(context, append(x, &(normalisation){ "fans", THAW_INITIAL_DEFAULT, THAW_INITIAL_XAVIER_UNIFORM }),
                 THAW_INVALID_ARGUMENT, "fans: parameter \"bias\" needs fans");
}

Test(initializers, of_batch_norm, .init = begin, .fini = end)
{
    check_normalisation(append_batch_norm);
    assert_constant("told.running_mean", 0);
    assert_constant("told.running_var", 1);
}

Test(initializers, of_layer_norm, .init = begin, .fini = end)
{
    check_normalisation(append_layer_norm);
}

Test(initializers, of_group_norm, .init = begin, .fini = end)
{
    check_normalisation(append_group_norm);
}
